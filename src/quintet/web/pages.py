"""Serves the page: a fixed table of files read once, each with an entity tag and the policy that locks the page in.

1. Only what stood in the folder at start is served: a path is a key of the table, never a path on the disk.
2. The policy allows this origin's scripts, styles, pictures and connections, and nothing else; no inline code, no eval.
   `connect-src 'self'` covers ws and wss of the same host and port (CSP 3; Chrome 71, Firefox 50, Safari 16 and later).
3. The first answer names every module (`Link`), so that a browser fetches them at once and not import by import.
4. A file is asked for again each time (`no-cache`) and answered 304: after an upgrade no browser mixes two versions.
"""

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Request, Response

__all__ = ["SECURITY_HEADERS", "pages_router"]

FOLDER = Path(__file__).parent

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}

POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",  # a stray innerHTML throws instead of running what a user wrote
    "trusted-types 'none'",
)

SECURITY_HEADERS = {
    "Content-Security-Policy": "; ".join(POLICY),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class Asset(NamedTuple):
    """One file as it is sent: its bytes, media type and entity tag."""

    body: bytes
    media_type: str
    etag: str


def load_assets(folder: Path = FOLDER) -> dict[str, Asset]:
    """The files of the page by address; `index.html` is at `/`."""
    assets = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in MEDIA_TYPES:
            body = path.read_bytes()
            etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            assets[f"/{path.relative_to(folder).as_posix()}"] = Asset(body, MEDIA_TYPES[path.suffix], etag)
    assets["/"] = assets.pop("/index.html")
    return assets


def pages_router() -> APIRouter:
    """The routes of the page, one for each file; answers GET and HEAD, is in no schema."""
    router = APIRouter()
    assets = load_assets()
    preload = {"Link": ", ".join(f"<{address}>; rel=modulepreload" for address in assets if address.endswith(".js"))}
    for address, asset in assets.items():
        endpoint = endpoint_of(asset, preload if address == "/" else {})
        router.add_api_route(address, endpoint, methods=["GET", "HEAD"], include_in_schema=False)
    return router


def endpoint_of(asset: Asset, extra: dict[str, str]) -> Callable[[Request], Awaitable[Response]]:
    """The answer of one file: 304 where the browser holds this very version, else the file."""

    async def serve(request: Request) -> Response:
        headers = {**SECURITY_HEADERS, **extra, "ETag": asset.etag}
        if is_held(request.headers.get("if-none-match", ""), asset.etag):
            return Response(status_code=304, headers=headers)
        return Response(asset.body, media_type=asset.media_type, headers=headers)

    return serve


def is_held(if_none_match: str, etag: str) -> bool:
    """Whether a list of entity tags names this one; weak comparison, as RFC 9110 asks for this header."""
    held = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return etag in held or held == {"*"}
