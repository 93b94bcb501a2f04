"""Server-sent events, read as the WHATWG text says: a standing stream, or the answer of the request that sends a message."""

import asyncio
from collections.abc import Iterator
from collections.abc import Mapping as Keyed
from typing import Any

import httpx

from .filling import fill
from .line import SHOWN, Line, LineError
from .plan import Call, Connect

__all__ = ["Blocks", "Stream"]

LONGEST = 16 * 1024 * 1024  # bytes of a block


class Blocks:
    """The blocks in a stream of bytes, as they become complete: data, and what stands beside it."""

    def __init__(self) -> None:
        self._rest = b""
        self._begun = False
        self._fields: dict[str, Any] = {}
        self._data: list[bytes] = []
        self._id: str | None = None

    def feed(self, data: bytes) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """Further bytes. Raises `LineError`: a block has no end."""
        text = self._rest + data
        if not self._begun and len(text) >= 3:
            text, self._begun = text.removeprefix(b"\xef\xbb\xbf"), True
        # A carriage return at the very end may be half of a line's end.
        whole = text[:-1] if text.endswith(b"\r") else text
        lines = whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = lines.pop() + text[len(whole) :]
        if len(self._rest) + sum(map(len, self._data)) > LONGEST:
            raise LineError(f"a block of server-sent events is over {LONGEST} bytes")
        for line in lines:
            if line:
                self._line(line)
            elif (block := self._dispatch()) is not None:
                yield block

    def _line(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._fields["event"] = value.decode(errors="replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode(errors="replace")

    def _dispatch(self) -> tuple[bytes, dict[str, Any]] | None:
        fields, data = {"event": "message", "id": self._id, **self._fields}, self._data
        self._fields, self._data = {}, []
        return (b"\n".join(data), fields) if data else None


class Stream(Line):
    """A reader of one stream after the other: where a message opens a stream of its own, the story goes on."""

    _client: httpx.AsyncClient | None = None
    _reading: "asyncio.Task[None] | None" = None
    _shown = Connect()

    async def _open(self, shown: Connect) -> None:
        self._shown = shown
        if not self.plan.posted:
            await self._begin(Call(self.plan.path, "GET"), {})

    async def _call(self, call: Call, values: Keyed[str, Any]) -> None:
        if not self.plan.posted:
            await super()._call(call, values)
            return
        try:
            async with asyncio.timeout(self.plan.wait.open):
                await self._begin(call, values)
        except TimeoutError:
            raise LineError(f"{call.method} {call.path} was not answered within {self.plan.wait.open:g} s") from None

    async def _begin(self, call: Call, values: Keyed[str, Any]) -> None:
        """Make the request and read its answer from now on."""
        await self.close()
        headers, query, body = fill([call.headers, call.query, call.body], values)
        wanted = {"Accept": "text/event-stream", **self._shown.headers, **headers}
        self._client = httpx.AsyncClient(timeout=httpx.Timeout(self.plan.wait.open, read=None), trust_env=False)
        address = self.url + fill(call.path, values)
        asked = {**self._shown.query, **query}
        built = self._client.build_request(call.method, address, headers=wanted, params=asked or None, json=body)
        try:
            answer = await self._client.send(built, stream=True)
        except httpx.HTTPError as fault:
            raise LineError(f"{call.method} {call.path}: {fault!r}") from None
        if not answer.is_success:
            told = (await answer.aread())[:SHOWN].decode(errors="replace")
            raise LineError(f"{call.method} {call.path} was answered by {answer.status_code} {told}")
        kind = answer.headers.get("content-type", "")
        if not kind.startswith("text/event-stream"):
            raise LineError(f"{call.method} {call.path} was answered by {kind or 'nothing'}, not by server-sent events")
        self.over = False
        self.story.reconnected()
        self._reading = asyncio.create_task(self._read(answer))

    async def _read(self, answer: httpx.Response) -> None:
        blocks = Blocks()
        why = ""
        try:
            async for data in answer.aiter_bytes():
                for raw, envelope in blocks.feed(data):
                    self._take(raw, None, envelope)
        except (httpx.HTTPError, httpx.StreamError, LineError) as fault:
            why = str(fault)
        self._ended(None, why)

    async def _send(self, frame: Any) -> None:
        raise LineError(f"nothing can be sent over a stream of events: {frame!r}"[:SHOWN])

    async def close(self) -> None:
        """Leave."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading], timeout=5)
        if self._client is not None:
            await self._client.aclose()
        self._reading = self._client = None

    async def cut(self) -> None:
        """Drop the connection: HTTP has no other way to leave a stream."""
        self._leaving = True
        await self.close()
        self._ended()
