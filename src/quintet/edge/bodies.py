"""JSON bodies, strictly: who calls us gets 415, 413 or 422, never a 500 and never a guess.

1. The size is counted while reading; a declared length over the bound is not read at all.
2. UTF-8 only (`json.loads` of bytes would also take UTF-16 and encoded surrogates), no NaN, no nesting or integer that the parser
   chokes on.
3. Lone surrogates may arrive by escapes; the fields' own types refuse them.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from quintet.errors import QuintetError

__all__ = ["BODY_BYTES", "StrictJSONRoute", "parse"]

BODY_BYTES = 256 * 1024  # a text of 32 KiB with every character escaped (six bytes each), and room for the rest


class StrictJSONRoute(APIRoute):
    """A route whose JSON body is read by the rules above: `APIRouter(route_class=StrictJSONRoute)`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Read the body before FastAPI does."""
        answer = super().get_route_handler()
        if self.body_field is None:
            return answer

        async def strictly(request: Request) -> Response:
            body = await _read(request)
            return await answer(_Read(request, body))

        return strictly


class _Read(Request):
    """A request whose body has been read and parsed."""

    def __init__(self, request: Request, body: bytes) -> None:
        super().__init__(request.scope, request.receive)
        self._bytes = body
        self._value = parse(body) if body else None

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
    media_type, _, parameters = content_types[0].partition(";")
    charset = parameters.strip().lower().replace('"', "")
    return media_type.strip().lower() == "application/json" and charset in ("", "charset=utf-8")


def parse(body: bytes) -> Any:
    """The value of a JSON text. Raises QuintetError `bad_message`."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):  # not UTF-8, not JSON, or an integer of more digits than Python reads
        raise QuintetError("bad_message", "The body is not JSON.") from None


def _refuse(_: str) -> NoReturn:
    raise ValueError
