"""A network that fails: a TCP proxy before the server that cuts connections after a random number of bytes, inside frames too."""

import asyncio
import contextlib
import random
from types import TracebackType
from typing import Self

__all__ = ["Cutter", "Meddler"]

LOSSES = 8  # events that a meddler loses, then it is honest


class Cutter:
    """Listens on a port of its own; `url` is for the client. While `cutting`, a connection lives for `least`..`most` bytes from the server."""

    def __init__(self, port: int, chance: random.Random, *, least: int = 40, most: int = 4000) -> None:
        self.cutting = False
        self.cuts = 0
        self.calls: list[bytes] = []
        self.url = ""
        self._port = port
        self._chance = chance
        self._range = (least, most)
        self._tasks: set[asyncio.Task[None]] = set()
        self._plugs: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://localhost:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _fault: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut_all(self) -> None:
        """Reset every connection now."""
        for plug in list(self._plugs):
            plug.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._plugs.add(writer)
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.transport.abort()
            return
        self._plugs.add(up_writer)
        both = {
            asyncio.ensure_future(self._pump(reader, up_writer, limited=False)),
            asyncio.ensure_future(self._pump(up_reader, writer, limited=True)),
        }
        self._tasks |= both
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for plug in (writer, up_writer):
            plug.transport.abort()
            self._plugs.discard(plug)
        await asyncio.wait(both)
        self._tasks -= both

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, limited: bool) -> None:
        left = self._chance.randint(*self._range)
        with contextlib.suppress(OSError):
            while data := await reader.read(1024):
                if not limited:
                    self.calls.append(data[: data.find(b"\r\n")] if b"HTTP/1.1\r\n" in data else b"")
                if limited and self.cutting:
                    if len(data) >= left:
                        writer.write(data[:left])
                        await writer.drain()
                        writer.close()  # what was written arrives, and then the end
                        self.cuts += 1
                        return
                    left -= len(data)
                writer.write(data)
                await writer.drain()


class Meddler(Cutter):
    """The same without cuts, but events are lost and doubled on the way: what no real network does, and a broken server might.

    Not for ever: each time the last event of all is hit, nothing tells of it before the next heartbeat.
    """

    def __init__(self, port: int, chance: random.Random) -> None:
        super().__init__(port, chance)
        self.lost = self.doubled = 0

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, limited: bool) -> None:
        if not limited:
            await super()._pump(reader, writer, limited=False)
            return
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            writer.write(head)
            while head.startswith(b"HTTP/1.1 101"):
                frame = await _frame(reader)
                writer.write(frame * self._times(frame))
                await writer.drain()
        await super()._pump(reader, writer, limited=True)

    def _times(self, frame: bytes) -> int:
        if b'"seq":' not in frame[:40] or self.lost >= LOSSES:
            return 1
        times = self._chance.choices((0, 1, 2), (2, 8, 2))[0]
        self.lost += times == 0
        self.doubled += times == 2
        return times


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """One frame of a server (RFC 6455, section 5.2): never masked."""
    head = await reader.readexactly(2)
    more = {126: 2, 127: 8}.get(head[1] & 127, 0)
    size = await reader.readexactly(more)
    length = int.from_bytes(size, "big") if more else head[1] & 127
    return head + size + await reader.readexactly(length)
