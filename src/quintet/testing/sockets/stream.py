"""A stream of server-sent events, read from the bytes: nothing of a library repairs what a server sends.

Lines and blocks are read as the WHATWG text says, chunks as RFC 9112 says; a block that is cut off counts as never sent.
"""

import asyncio
import json
import re
import socket
import ssl
from collections.abc import Mapping as Keyed
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from quintet.testing.contracts import Mapping
from quintet.testing.loops import LoopThread
from quintet.testing.sockets.connection import Credential, Refused
from quintet.testing.sockets.reading import STEP_SECONDS, Reader
from quintet.testing.targets import Target
from quintet.testing.wire.objects import json_object
from quintet.testing.wire.tcp import reset

__all__ = ["EVENTS", "Block", "Stream", "blocks_in"]

EVENTS = "/v1/events"
HEAD_BYTES = 64 * 1024
CHUNK = 64 * 1024
BODY_BYTES = 1024 * 1024  # of an answer that is no stream
ENDED = 1000  # as a socket's code: the answer came to its end
BROKEN = 1006
_BLANK = re.compile(rb"\r\n\r\n|\n\n|\r\r|\n\r\n|\r\n\n")
_LINE = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True)
class Block:
    """What stood between two blank lines: its bytes as they came, and what they mean."""

    raw: bytes
    id: str | None
    event: str
    data: bytes | None

    @property
    def lines(self) -> list[bytes]:
        """Its lines as they came, without their ends."""
        return _LINE.split(self.raw)

    @property
    def comment(self) -> bool:
        """Whether it is nothing but a comment."""
        return all(line.startswith(b":") for line in self.lines)

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object in its data. Raises `ValueError`: it holds none."""
        return json_object(self.data or b"null")


def _block(raw: bytes) -> Block:
    fields: dict[bytes, list[bytes]] = {}
    for line in _LINE.split(raw):
        name, _, value = line.partition(b":")
        fields.setdefault(name, []).append(value.removeprefix(b" "))
    data = b"\n".join(fields[b"data"]) if b"data" in fields else None
    last = fields[b"id"][-1].decode(errors="replace") if b"id" in fields else None
    return Block(raw, last, fields.get(b"event", [b""])[-1].decode(errors="replace") or "message", data)


def blocks_in(text: bytes) -> tuple[list[Block], bytes]:
    """The blocks that are complete, and what is left."""
    found = []
    while (end := _BLANK.search(text)) and not (end[0].endswith(b"\r") and end.end() == len(text)):
        found.append(_block(text[: end.start()]))
        text = text[end.end() :]
    return found, text


class Stream(Reader):
    """One open answer. The story holds the data of each block; `@event` and `@id` of a mapping are its fields."""

    def __init__(self, name: str, target: Target, loop: LoopThread, mapping: Mapping, *, strict: bool) -> None:
        super().__init__(name, target, loop, mapping, strict=strict)
        self.status = 0
        self.headers: dict[str, str] = {}
        self.blocks: list[Block] = []  # comments too
        self._text: list[bytes] = []
        self._link: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._reading: asyncio.Task[None] | None = None

    async def open(
        self,
        url: str,
        credential: Credential | None = None,
        *,
        last_id: str | None = None,
        headers: Keyed[str, str] | None = None,
        method: str = "GET",
        body: Any = None,
        receive_buffer: int | None = None,
        within: float = STEP_SECONDS,
    ) -> Self:
        """Ask for the events. Raises `Refused`: the answer is no 200 with `text/event-stream`."""
        fields = {"Accept": "text/event-stream", **(credential.headers() if credential else {}), **(headers or {})}
        if last_id is not None:
            fields["Last-Event-ID"] = last_id
        content = b"" if body is None else json.dumps(body).encode()
        if body is not None:
            fields |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
        shown = credential.url(url) if credential else url
        await self._loop.run(self._asked(shown, method, fields, content, receive_buffer, within))
        return self

    @property
    def text(self) -> bytes:
        """All that has come behind the head, without the heads of chunks: also what is no complete block yet."""
        return b"".join(self._text)

    @property
    def last_id(self) -> str | None:
        """What a browser would send as `Last-Event-ID`."""
        return next((block.id for block in reversed(self.blocks) if block.id is not None), None)

    async def ended(self, within: float | None = None) -> None:
        """Wait until the answer has ended, however. Raises `ConnectionFault`."""
        await self.step("the end of the stream", lambda: self.close_code, within, even_closed=True)

    async def first(self, within: float | None = None) -> Block:
        """The first block that is no comment. Raises `ConnectionFault`."""
        return await self.step("a block", lambda: next((b for b in self.blocks if not b.comment), None), within)

    async def block(self, event: str, count: int = 1, within: float | None = None) -> Block:
        """The n-th block of this name. Raises `ConnectionFault`."""

        def look() -> Block | None:
            found = [block for block in self.blocks if block.event == event and not block.comment]
            return found[count - 1] if len(found) >= count else None

        return await self.step(f"block {count} of {event}", look, within)

    async def close(self) -> None:
        """Leave."""

        async def leave() -> None:
            if self._link is not None:
                self._link[1].close()
            await self._stopped()

        await self._loop.run(leave())

    async def cut(self) -> None:
        """Drop the connection without a word: a reset."""

        async def abort() -> None:
            if self._link is not None:
                reset(self._link[1])
            await self._stopped()

        await self._loop.run(abort())

    # --- on the kit's loop --------------------------------------------------------------------------------------------

    async def _asked(
        self, url: str, method: str, fields: Keyed[str, str], content: bytes, buffer: int | None, within: float
    ) -> None:
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"{method} {path} HTTP/1.1", f"Host: {parts.netloc}", *(f"{k}: {v}" for k, v in fields.items())]
        asked = "\r\n".join([*lines, "", ""]).encode() + content
        try:
            async with asyncio.timeout(within):
                self._link = await _connected(parts.hostname or "", parts.port, buffer, parts.scheme == "https")
                reader, writer = self._link
                self._sent(asked)
                writer.write(asked)
                head = await reader.readuntil(b"\r\n\r\n")
                self._read_head(head)
                if self.status != 200 or "text/event-stream" not in self.headers.get("content-type", ""):
                    raise self._refused(await self._whole(reader))
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as fault:
            await self._stopped()
            raise Refused(str(self.fault(f"no answer: {fault!r}")), 0, {}, b"") from fault
        except Refused:
            await self._stopped()
            raise
        self._reading = asyncio.create_task(self._read(reader))

    def _read_head(self, head: bytes) -> None:
        first, *others = head.decode("latin-1").strip().split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in others)}

    def _refused(self, body: bytes) -> Refused:
        words = f"the stream was refused: HTTP {self.status} {self.headers.get('content-type', '')} {body[:400].decode(errors='replace')}"
        return Refused(str(self.fault(words)), self.status, self.headers, body)

    async def _whole(self, reader: asyncio.StreamReader) -> bytes:
        size = int(self.headers.get("content-length", 0))
        return await reader.readexactly(min(size, BODY_BYTES))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        pending, code = b"", BROKEN
        chunked = "chunked" in self.headers.get("transfer-encoding", "").lower()
        try:
            while data := await (_chunk(reader) if chunked else reader.read(CHUNK)):
                self._text.append(data)
                found, pending = blocks_in(pending + data)
                for block in found:
                    self._block(block)
                self._news.beat()
            code = ENDED
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError) as fault:
            self.close_reason = repr(fault)
        finally:
            self._over(code, self.close_reason)
            if self._link is not None:
                self._link[1].close()

    def _block(self, block: Block) -> None:
        if block.data is not None:
            self._came(block.data, {"event": block.event, **({} if block.id is None else {"id": block.id})})
        self.blocks.append(block)  # last: whoever waits for it, in another thread, finds the story whole

    async def _stopped(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._link is not None:
            self._link[1].close()
        self._over(BROKEN)


async def _connected(
    host: str, port: int | None, buffer: int | None, secure: bool
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context = ssl.create_default_context() if secure else None
    reader, writer = await asyncio.open_connection(host, port or (443 if secure else 80), limit=HEAD_BYTES, ssl=context)
    if buffer:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    return reader, writer


async def _chunk(reader: asyncio.StreamReader) -> bytes:
    size = int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16)
    data = await reader.readexactly(size + 2)
    if not data.endswith(b"\r\n"):
        raise ValueError("a chunk has no end")
    return data[:-2]
