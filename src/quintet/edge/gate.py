"""The first and last thing of every HTTP request: its id, what is refused before any route, the headers, the log line.

1. Plain ASGI and no context variable: the id travels in the request's own state.
2. The query string is never written anywhere, and a token in it is refused, because proxies and browsers do write it down.
   Of a path nothing is written that is too long for an id of ours: somebody's token may have slipped into it.
3. No failure leaves without an answer, and no answer tells what failed.
"""

import re
from typing import Any
from urllib.parse import parse_qsl, quote

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from quintet.edge.figures import HTTPFigures
from quintet.edge.origins import PROBES, UNKNOWN_HOST, OriginPolicy
from quintet.edge.problems import problem, report
from quintet.edge.turnstile import Turnstile
from quintet.errors import QuintetError
from quintet.sources import Sources

__all__ = ["Gate"]

HEADER_BYTES = 16 * 1024
PATH_LOGGED = 200
NO_ID = re.compile(r"[^/]{41,}")
TOKEN_NAMES = frozenset({"access_token", "refresh_token", "token", "bearer"})
API_PATHS = ("/v1", "/.well-known")

_EVERYWHERE = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
_API = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)

_log = structlog.get_logger("quintet.http")


class Gate:
    """ASGI middleware around the whole application. `policy` judges the `Host`; `sources` gives ids and time; `figures` counts."""

    def __init__(
        self, app: ASGIApp, *, policy: OriginPolicy, sources: Sources, figures: HTTPFigures | None = None
    ) -> None:
        self._app = app
        self._figures = figures or HTTPFigures()
        self._policy = policy
        self._sources = sources
        self._turnstile = Turnstile()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._turnstile.enter()
        request_id = self._sources.new_id("req")
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _Answer(send, request_id, api=scope["path"].startswith(API_PATHS))
        started = self._sources.monotonic()
        try:
            refusal = self._refusal(scope)
            if refusal is not None:
                scope["state"]["refusal"] = refusal.code
            inner = self._app if refusal is None else problem(refusal, request_id)
            await inner(scope, receive, answer.send)
        except ClientDisconnect:
            pass  # in the middle of its body: no failure of ours, and nobody to tell
        except Exception as failure:
            report(failure, request_id)
            scope["state"]["refusal"] = "internal"
            if not answer.status:  # else: half an answer is out, and leaving now makes the server cut the connection
                await problem(QuintetError("internal"), request_id)(scope, receive, answer.send)
        finally:
            seconds = self._sources.monotonic() - started
            self._figures.note(scope, answer.status, seconds)
            _note(scope, answer, request_id, seconds)

    def _refusal(self, scope: Scope) -> QuintetError | None:
        headers = scope["headers"]
        if sum(len(name) + len(value) + 4 for name, value in headers) > HEADER_BYTES:
            return QuintetError("headers_too_large")
        hosts = [value for name, value in headers if name == b"host"]
        known = len(hosts) == 1 and self._policy.allows_host(hosts[0].decode("latin-1"))
        if not known and scope["path"] not in PROBES:
            return QuintetError("forbidden", UNKNOWN_HOST)
        if "\0" in scope["path"]:  # no id holds it, and not every database can be asked for it
            return QuintetError("not_found")
        if _token_in(scope["query_string"]):
            return QuintetError("token_in_url")
        return None


def _token_in(query: bytes) -> bool:
    try:
        names = [name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=100)]
    except ValueError:  # too many to look at: who knows
        return True
    return any(name.lower() in TOKEN_NAMES for name in names)


class _Answer:
    """What goes out for one request. `status` is 0 until the answer has begun."""

    def __init__(self, send: Send, request_id: str, *, api: bool) -> None:
        self.status = 0
        self._send = send
        self._ours = ((b"x-request-id", request_id.encode("ascii")), *_EVERYWHERE, *(_API if api else ()))

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            given: list[Any] = list(message.get("headers", ()))
            names = {bytes(name).lower() for name, _ in given}
            given.extend(header for header in self._ours if header[0] not in names)
            message = {**message, "headers": given}
        await self._send(message)


def _note(scope: Scope, answer: _Answer, request_id: str, seconds: float) -> None:
    write = _log.debug if scope["path"] in PROBES else _log.info
    write(
        "request",
        method=quote(scope["method"])[:16],
        path=quote(NO_ID.sub("~", scope["path"])[:PATH_LOGGED]),
        status=answer.status,
        duration_ms=round(seconds * 1000, 1),
        request_id=request_id,
    )
