"""A reader of server-sent events made of bytes: it knows where in the stream each line began, and can cut anywhere.

The lines are read as the WHATWG text says, the chunks as RFC 9112 says, by hand: nothing of a library repairs them.
"""

import asyncio
import contextlib
import json
import socket
import struct
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = ["Block", "Stream", "blocks_in"]

SECONDS = 15.0


class Place(Protocol):
    """Where a server is."""

    port: int

    def tail(self) -> str:
        """The end of its log."""


@dataclass(frozen=True)
class Block:
    """What stood between two blank lines: its lines as they came, and what they mean."""

    lines: tuple[bytes, ...]
    id: str | None
    event: str
    data: bytes | None

    @property
    def body(self) -> dict[str, Any]:
        """The JSON of its data."""
        told: dict[str, Any] = json.loads(self.data or b"null")
        return told

    @property
    def comment(self) -> bool:
        """Whether it is nothing but a comment."""
        return all(line.startswith(b":") for line in self.lines)


def _block(text: bytes) -> Block:
    lines = tuple(text.split(b"\n"))
    fields: dict[bytes, list[bytes]] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        fields.setdefault(name, []).append(value.removeprefix(b" "))
    data = b"\n".join(fields[b"data"]) if b"data" in fields else None
    last = fields[b"id"][-1].decode() if b"id" in fields else None
    return Block(lines, last, fields.get(b"event", [b"message"])[-1].decode(), data)


def blocks_in(text: bytes) -> list[Block]:
    """The blocks that are complete; what is cut off counts as never sent."""
    assert b"\r" not in text
    return [_block(part) for part in text.split(b"\n\n")[:-1]]


@dataclass
class Stream:
    """One open answer."""

    place: Place
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    text: bytes = b""
    ended: bool = False
    _read: int = 0

    @classmethod
    async def open(
        cls,
        place: Place,
        token: str | None,
        *,
        query: str = "",
        last: str | None = None,
        headers: dict[str, str] | None = None,
        buffer: int | None = None,
    ) -> "Stream":
        """Ask for the events and read the head of the answer."""
        plug = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if buffer:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        plug.setblocking(False)
        await asyncio.wait_for(asyncio.get_running_loop().sock_connect(plug, ("127.0.0.1", place.port)), SECONDS)
        reader, writer = await asyncio.open_connection(sock=plug, limit=1 << 16)
        fields = {"Host": f"localhost:{place.port}", "Accept": "text/event-stream"}
        if token:
            fields["Authorization"] = f"Bearer {token}"
        if last is not None:
            fields["Last-Event-ID"] = last
        lines = [
            f"GET /v1/events{query} HTTP/1.1",
            *(f"{k}: {v}" for k, v in {**fields, **(headers or {})}.items()),
            "",
            "",
        ]
        writer.write("\r\n".join(lines).encode())
        stream = cls(place, reader, writer)
        head = await stream._within(reader.readuntil(b"\r\n\r\n"), "a head")
        first, *others = head.decode("latin-1").strip().split("\r\n")
        stream.status = int(first.split()[1])
        stream.headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in others)}
        return stream

    @property
    def blocks(self) -> list[Block]:
        """What has come so far, without comments."""
        return [block for block in blocks_in(self.text) if not block.comment]

    @property
    def events(self) -> list[Block]:
        """Of these, the events of the log."""
        return [block for block in self.blocks if block.data and "seq" in block.body]

    @property
    def last_id(self) -> str:
        """What a browser would send as `Last-Event-ID`."""
        return [block.id for block in self.blocks if block.id is not None][-1]

    async def problem(self) -> dict[str, Any]:
        """The body of an answer that is no stream."""
        size = int(self.headers["content-length"])
        told: dict[str, Any] = json.loads(await self._within(self.reader.readexactly(size), "a body"))
        return told

    async def more(self, within: float = SECONDS) -> bool:
        """Read one chunk; False at the end, however it came."""
        try:
            head = await self._within(self.reader.readuntil(b"\r\n"), "a chunk", within)
            size = int(head, 16)
            data = await self._within(self.reader.readexactly(size + 2), "the rest of a chunk")
        except (asyncio.IncompleteReadError, ConnectionError):
            self.ended = True
            return False
        assert data.endswith(b"\r\n")
        self.text += data[:-2]
        self.ended = size == 0
        return size > 0

    async def until(self, event: str, count: int = 1, within: float = SECONDS) -> Block:
        """Read until so many blocks of this name have come; returns the last."""
        while len(found := [block for block in self.blocks if block.event == event]) < count:
            if not await self.more(within):
                raise AssertionError(f"the stream ended, {event} was due\n{self.text.decode()}\n{self.place.tail()}")
        return found[count - 1]

    async def first(self) -> Block:
        """The first block."""
        while not self.blocks:
            assert await self.more(), f"the stream ended before its first block\n{self.place.tail()}"
        return self.blocks[0]

    async def end(self, within: float = SECONDS) -> None:
        """Read to the end of the answer."""
        async with asyncio.timeout(within):
            while await self.more(within):
                pass

    async def raw(self, count: int) -> bytes:
        """Read exactly so many bytes behind the head, chunk heads included."""
        data: bytes = await self._within(self.reader.readexactly(count), f"{count} bytes")
        return data

    async def cut(self) -> None:
        """Reset the connection."""
        if self.writer.is_closing():
            return  # a second time: the number of its socket may be another's by now
        plug = self.writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    async def _within(self, awaitable: Any, what: str, seconds: float = SECONDS) -> Any:
        try:
            return await asyncio.wait_for(awaitable, seconds)
        except TimeoutError:
            raise AssertionError(
                f"{what} did not come within {seconds} s\n{self.text.decode()}\n{self.place.tail()}"
            ) from None
