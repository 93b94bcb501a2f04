"""One connection through a proxy: two pumps that carry bytes under conditions.

1. Bytes are never reordered or changed: jitter delays, and what follows a late byte is later still.
2. What waits is bounded: behind 256 KiB the pump stops reading, so the sender feels the network it is shown.
3. A close is passed on as a close and a reset as a reset, unless a condition says otherwise.
4. Every wait is for a change of the conditions too, so a switch takes effect on bytes that are under way.
"""

import asyncio
import contextlib
import random
import time
from collections import deque

from quintet.testing.faults.conditions import Conditions, Cut, Tally
from quintet.testing.loops import Pulse
from quintet.testing.wire.frames import FrameError, Scanner
from quintet.testing.wire.tcp import gone, reset

__all__ = ["Link"]

CHUNK = 64 * 1024
WAITING = 256 * 1024  # bytes on their way
HEAD = 64 * 1024  # bytes of an HTTP head in which an upgrade is looked for
SLICE_SECONDS = 0.05  # of a slow connection: it gets a piece this often


class Pump:
    """One direction of a connection."""

    def __init__(self, link: "Link", way: str, conditions: Conditions, tally: Tally) -> None:
        self._link, self._way, self._conditions, self._tally = link, way, conditions, tally
        self._queue: deque[tuple[float, bytes]] = deque()
        self._waiting = 0
        self._moved = Pulse()
        self._ended = False  # the source has ended: nothing more comes into the queue
        self._silent = False
        self._due = 0.0
        self._passed = 0
        self._frames = Frames()
        self.shut = False  # the destination was told the end
        self.arm(conditions.cut)

    def arm(self, cut: Cut | None) -> None:
        """Count for this cut from here."""
        self._cut = cut
        self._left = cut.after if cut else None
        self._frames.number = 0

    async def fill(self, source: asyncio.StreamReader) -> None:
        """Take what comes until the end. Raises `ConnectionError` for a reset."""
        while data := await source.read(CHUNK):
            late = self._conditions.latency + random.uniform(0, self._conditions.jitter)
            self._due = max(self._due, time.monotonic() + late)
            self._queue.append((self._due, data))
            self._waiting += len(data)
            self._moved.beat()
            while self._waiting > WAITING:
                await self._moved.wait()
        self._ended = True
        self._moved.beat()

    async def drain(self, sink: asyncio.StreamWriter) -> None:
        """Pass on what waits until the end."""
        while await self._something():
            due, data = self._queue[0]
            await self._until(due)
            await self._flowing()
            await self._pass(data, sink)
            self._queue.popleft()
            self._waiting -= len(data)
            self._moved.beat()
        self.half_close(sink)

    def half_close(self, sink: asyncio.StreamWriter) -> None:
        """Tell the destination that nothing more comes this way; what comes is swallowed."""
        self._silent = True
        if not self.shut and not sink.is_closing():
            self.shut = True
            with contextlib.suppress(OSError, RuntimeError):
                sink.write_eof()

    async def _something(self) -> bool:
        while not self._queue and not self._ended:
            await self._moved.wait()
        return bool(self._queue)

    async def _until(self, due: float) -> None:
        waited = False
        while (left := due - time.monotonic()) > 0 and (self._conditions.latency or self._conditions.jitter):
            waited = True
            await self._conditions.pulse.wait(left)
        if waited:
            self._tally.add("delayed")

    async def _flowing(self) -> None:
        if self._conditions.stalled:
            self._tally.add("stalled")
        while self._conditions.stalled:
            await self._conditions.pulse.wait()

    async def _pass(self, data: bytes, sink: asyncio.StreamWriter) -> None:
        rest = data
        while rest:
            rate = self._conditions.rate
            size = len(rest) if rate is None else max(1, int(rate * SLICE_SECONDS))
            piece, rest = rest[:size], rest[size:]
            await self._write(piece, sink)
            if rate is not None:
                self._tally.add("slowed")
                await self._conditions.pulse.wait(len(piece) / rate)
                await self._flowing()

    async def _write(self, piece: bytes, sink: asyncio.StreamWriter) -> None:
        end = self._end_in(piece)
        if end is not None and not self._silent:
            await self._send(piece[:end], sink)
            self._tally.add("cuts")
            assert self._cut is not None
            how, self._cut, self._left = self._cut.how, None, None
            self._silent = True
            self._tally.add("swallowed", len(piece) - end)
            await self._link.end(how)
        elif self._silent:
            self._tally.add("swallowed", len(piece))
        else:
            await self._send(piece, sink)

    async def _send(self, piece: bytes, sink: asyncio.StreamWriter) -> None:
        sink.write(piece)
        await sink.drain()
        self._passed += len(piece)
        self._tally.add(self._way, len(piece))

    def _end_in(self, piece: bytes) -> int | None:
        """How much of the piece may still pass; None: all of it."""
        frame = self._cut.frame if self._cut else None
        inside = self._frames.inside(piece, frame)
        if self._left is None:
            return inside
        if len(piece) < self._left:
            self._left -= len(piece)
            return None
        return self._left


class Frames:
    """Where in a stream the frames of a WebSocket lie, once the stream has become one."""

    def __init__(self) -> None:
        self.number = 0  # data frames since the cut was armed
        self._head = bytearray()
        self._scanner: Scanner | None = None
        self._plain = False

    def inside(self, piece: bytes, wanted: int | None) -> int | None:
        """The place in this piece that is the middle of the wanted frame."""
        start = 0
        if self._scanner is None:
            if self._plain or (start := self._upgraded(piece)) < 0:
                return None
            self._scanner = Scanner()
        scanner = self._scanner
        first = scanner.position + len(scanner.partial)
        try:
            found = scanner.feed(piece[start:])
        except FrameError:
            self._plain, self._scanner = True, None
            return None
        for frame in found:
            self.number += frame.data
            if frame.data and self.number == wanted:
                middle = frame.begin + max(1, (frame.end - frame.begin) // 2)
                return start + max(0, middle - first)
        return None

    def _upgraded(self, piece: bytes) -> int:
        """Where the frames begin in this piece; -1 while they have not begun."""
        before = len(self._head)
        self._head += piece[: HEAD - before]
        end = self._head.find(b"\r\n\r\n")
        if end < 0:
            self._plain = len(self._head) >= HEAD
            return -1
        first, _, fields = bytes(self._head[:end]).lower().partition(b"\r\n")
        upgrade = first.startswith((b"http/1.1 101", b"get ")) and b"upgrade: websocket" in fields
        self._plain = not upgrade
        return end + 4 - before if upgrade else -1


class Link:
    """A connection of a client, and ours to the server."""

    def __init__(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        conditions: tuple[Conditions, Conditions],
        tally: Tally,
    ) -> None:
        self._client, self._server, self._tally = client, server, tally
        self.down = Pump(self, "down", conditions[0], tally)
        self.up = Pump(self, "up", conditions[1], tally)
        self._over = asyncio.Event()

    async def carry(self) -> None:
        """Until both directions have ended, or a condition ends it."""
        tasks = [
            asyncio.ensure_future(self._way(self.up, self._client[0], self._server[1])),
            asyncio.ensure_future(self._way(self.down, self._server[0], self._client[1])),
        ]
        ways = asyncio.ensure_future(asyncio.wait(tasks))
        over = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait([ways, over], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, ways, over):
                task.cancel()
            await asyncio.gather(*tasks, ways, over, return_exceptions=True)
            await self.end("close")
            await gone(self._server[1])

    def abort(self) -> None:
        """Everything ends: what nobody reads any more is not waited for."""
        for _, writer in (self._client, self._server):
            writer.transport.abort()

    async def _way(self, pump: Pump, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        filling = asyncio.ensure_future(pump.fill(source))
        draining = asyncio.ensure_future(pump.drain(sink))
        try:
            await asyncio.gather(filling, draining)
        except ConnectionError:
            await self.end("reset", counted=False)
        finally:
            filling.cancel()
            draining.cancel()
            await asyncio.gather(filling, draining, return_exceptions=True)

    async def end(self, how: str, *, counted: bool = True) -> None:
        """End both sides: `reset`, `close`; `silence` leaves them open."""
        if how == "silence" or self._over.is_set():
            return
        if how == "reset":
            if counted:
                self._tally.add("resets")
            for _, writer in (self._client, self._server):
                reset(writer)
        for _, writer in (self._client, self._server):
            writer.close()
        self._over.set()

    def half_close(self, way: str) -> None:
        """End one direction and keep the other."""
        pump, sink = (self.down, self._client[1]) if way == "down" else (self.up, self._server[1])
        if not pump.shut:
            self._tally.add("half_closes")
        pump.half_close(sink)
