"""Every HTTP refusal as problem details (RFC 9457).

1. Nothing of the request goes out: no value, no unknown field's name, no path. FastAPI's own 422 would echo passwords.
2. One body per code: an unknown address, an unknown id and somebody else's id give the same bytes but for the request id.
3. Nothing of an exception goes out, and of its text nothing is logged either: database errors carry parameters.
"""

import json
import traceback
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from quintet.errors import CODES, QuintetError

__all__ = ["install", "problem", "report", "request_id_of"]

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "tag:quintet.example,2026:problem/"  # RFC 9457 3.1.1: a tag names a type without promising a page
METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")
FRAMES_LOGGED = 20

_log = structlog.get_logger("quintet.http")

_CODE_OF_STATUS = {
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_long",
    415: "unsupported_media_type",
    429: "rate_limited",
    431: "headers_too_large",
    503: "unavailable",
}


def request_id_of(request: Request) -> str:
    """The id that the gate gave this request; empty where no gate stands in front."""
    return str(getattr(request.state, "request_id", ""))


def problem(error: QuintetError, request_id: str, *, allow: str | None = None) -> Response:
    """The answer that says `error`. `allow` lists the methods of a 405."""
    body = {
        "type": TYPE_PREFIX + error.code,
        "title": CODES[error.code].sentence,
        "status": error.status,
        "detail": error.message,
        "code": error.code,
        "request_id": request_id,
        **error.more,
    }
    return Response(
        json.dumps(body, separators=(",", ":")), error.status, _headers(error, allow), media_type=MEDIA_TYPE
    )


def _headers(error: QuintetError, allow: str | None) -> dict[str, str]:
    headers: dict[str, str] = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.status in (429, 503) or error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after or 1)
    if error.status == 426:
        headers["Upgrade"] = "websocket"  # RFC 9110, 15.5.22; whoever sends it names it in Connection, 7.8
        headers["Connection"] = "upgrade"
    if allow is not None:
        headers["Allow"] = allow
    return headers


def report(failure: BaseException, request_id: str) -> None:
    """Log where an unexpected failure happened: its class and the places, never its text."""
    frames = traceback.extract_tb(failure.__traceback__)[-FRAMES_LOGGED:]
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    _log.error("request_failed", request_id=request_id, failure=type(failure).__name__, places=places)


def install(app: FastAPI) -> None:
    """Make `app` answer every refusal with problem details."""
    app.add_exception_handler(QuintetError, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)


def _answer(request: Request, refusal: QuintetError, allow: str | None = None) -> Response:
    request.state.refusal = refusal.code
    return problem(refusal, request_id_of(request), allow=allow)


async def _on_refusal(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, QuintetError)
    return _answer(request, failure)


async def _on_invalid(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, RequestValidationError)
    return _answer(request, QuintetError("bad_message", _what_is_wrong(failure.errors())))


def _what_is_wrong(faults: Any) -> str:
    fields = sorted({_declared_path(fault) for fault in faults})
    return f"{CODES['bad_message'].sentence} Look at: {', '.join(fields)}."


def _declared_path(fault: dict[str, Any]) -> str:
    place = [str(part) for part in fault["loc"]]
    if fault["type"] == "extra_forbidden":  # the name of an unknown field is the caller's text
        return ".".join(place[:-1]) + " (unknown field)"
    return ".".join(place)


async def _on_http(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, HTTPException)
    code = _CODE_OF_STATUS.get(failure.status_code, "internal" if failure.status_code >= 500 else "bad_message")
    allow = _methods_here(request) if code == "method_not_allowed" else None
    return _answer(request, QuintetError(code), allow)


def _methods_here(request: Request) -> str:
    """Every method of this path. The router names only those of the first route that fits."""
    routes = request.app.router.routes
    found = (m for m in METHODS if any(r.matches({**request.scope, "method": m})[0] is Match.FULL for r in routes))
    return ", ".join(found)
