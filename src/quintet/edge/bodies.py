"""JSON bodies, strictly: who calls us gets 415, 413 or 422, never a 500 and never a guess.

1. The size is counted while reading; a declared length over the bound is not read at all.
2. UTF-8 only (`json.loads` of bytes would also take UTF-16 and encoded surrogates), no NaN, no nesting or integer that the parser
   chokes on.
3. No lone surrogates: pydantic lets them pass, and nothing behind can encode them. A route whose fields name their own refusal
   sets `lone_surrogates`.
"""

import json
import re
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from quintet.errors import QuintetError

__all__ = ["BODY_BYTES", "StrictJSONRoute", "parse"]

BODY_BYTES = 256 * 1024  # a text of 32 KiB with every character escaped (six bytes each), and room for the rest
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class StrictJSONRoute(APIRoute):
    """A route whose JSON body is read by the rules above: `APIRouter(route_class=StrictJSONRoute)`."""

    lone_surrogates = False

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Read the body before FastAPI does."""
        answer = super().get_route_handler()
        if self.body_field is None:
            return answer

        async def strictly(request: Request) -> Response:
            body = await _read(request)
            return await answer(_Read(request, body, self.lone_surrogates))

        return strictly


class _Read(Request):
    """A request whose body has been read and parsed."""

    def __init__(self, request: Request, body: bytes, lone_surrogates: bool) -> None:
        super().__init__(request.scope, request.receive)
        self._bytes = body
        self._value = parse(body, lone_surrogates=lone_surrogates) if body else None

    async def body(self) -> bytes:
        return self._bytes

    async def json(self) -> Any:
        return self._value


async def _read(request: Request) -> bytes:
    declared = request.headers.get("content-length", "0")
    if declared.isascii() and declared.isdigit() and len(declared) < 19 and int(declared) > BODY_BYTES:
        raise QuintetError("too_long")
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_BYTES:
            raise QuintetError("too_long")
        chunks.append(chunk)
    if size and not _is_json(request.headers.getlist("content-type")):
        raise QuintetError("unsupported_media_type")
    return b"".join(chunks)


def _is_json(content_types: list[str]) -> bool:
    if len(content_types) != 1:
        return False
    media_type, *parameters = (part.strip().lower() for part in content_types[0].split(";"))
    charsets = [part.replace('"', "") for part in parameters if part.startswith("charset=")]
    return media_type == "application/json" and all(charset == "charset=utf-8" for charset in charsets)


def parse(body: bytes, *, lone_surrogates: bool = False) -> Any:
    """The value of a JSON text. Raises QuintetError `bad_message`."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse)
        if not lone_surrogates and _SURROGATE.search(body):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        return value
    except (ValueError, RecursionError):  # no UTF-8, no JSON, half a character, or more digits than Python reads
        raise QuintetError("bad_message", "The body is not JSON.") from None


def _refuse(_: str) -> NoReturn:
    raise ValueError
