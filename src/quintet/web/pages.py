"""Serves the page: a fixed table of files read once, each with an entity tag and the policy that locks the page in.

1. Only what stood in the folder at start is served: a path is a key of the table, never a path on the disk.
2. The policy allows this origin's scripts, styles, pictures and connections, and nothing else; no inline code, no eval.
   `connect-src 'self'` covers ws and wss of the same host and port (CSP 3; Chrome 71, Firefox 50, Safari 16 and later).
3. The page names every module, so that a browser fetches them at once and not import by import. In the page and not in a `Link` header:
   so many names would not fit into the 4 KiB that a proxy has for all headers.
4. A file is asked for again each time (`no-cache`) and answered 304: after an upgrade no browser mixes two versions.
"""

import hashlib
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Request, Response

__all__ = ["SECURITY_HEADERS", "pages_router"]

FOLDER = Path(__file__).parent

ADMIN = "/app/admin/"  # the modules of the administrator's page alone
SCRIPT = b'    <script type="module"'  # before it stand the names of the others

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
    """The files of the pages by address; `index.html` is at `/`, `admin.html` at `/admin`."""
    files = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.suffix in MEDIA_TYPES}
    bodies = {f"/{path.relative_to(folder).as_posix()}": body for path, body in files.items()}
    modules = [name for name in bodies if name.endswith(".js")]
    bodies["/"] = _preloading(bodies.pop("/index.html"), [name for name in modules if not name.startswith(ADMIN)])
    bodies["/admin"] = _preloading(bodies.pop("/admin.html"), [name for name in modules if name.startswith(ADMIN)])
    return {name: _asset(name, body) for name, body in bodies.items()}


def _preloading(page: bytes, modules: Iterable[str]) -> bytes:
    names = "".join(f'    <link rel="modulepreload" href="{name}">\n' for name in modules)
    return page.replace(SCRIPT, names.encode() + SCRIPT, 1)


def _asset(name: str, body: bytes) -> Asset:
    media_type = MEDIA_TYPES[Path(name).suffix or ".html"]
    return Asset(body, media_type, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def pages_router() -> APIRouter:
    """The routes of the page, one for each file; answers GET and HEAD, is in no schema."""
    router = APIRouter()
    for address, asset in load_assets().items():
        router.add_api_route(address, endpoint_of(asset), methods=["GET", "HEAD"], include_in_schema=False)
    return router


def endpoint_of(asset: Asset) -> Callable[[Request], Awaitable[Response]]:
    """The answer of one file: 304 where the browser holds this very version, else the file."""

    async def serve(request: Request) -> Response:
        headers = {**SECURITY_HEADERS, "ETag": asset.etag}
        if is_held(request.headers.get("if-none-match", ""), asset.etag):
            return Response(status_code=304, headers=headers)
        return Response(asset.body, media_type=asset.media_type, headers=headers)

    return serve


def is_held(if_none_match: str, etag: str) -> bool:
    """Whether a list of entity tags names this one; weak comparison, as RFC 9110 asks for this header."""
    held = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return etag in held or held == {"*"}
