"""A WebSocket client made of bytes, for what a well-behaved client cannot do: broken frames, odd handshakes, cuts at an exact byte.

It reads only when told to, so it knows where in the stream each frame began and ended, and leaves in the stream what was not asked for.
"""

import asyncio
import base64
import contextlib
import json
import os
import socket
from collections.abc import Coroutine
from collections.abc import Mapping as Keyed
from dataclasses import dataclass
from typing import Any, TypeVar

from quintet.testing.loops import LoopThread
from quintet.testing.sockets.reading import STEP_SECONDS, ConnectionFault
from quintet.testing.targets import Target
from quintet.testing.wire.frames import CLOSE, TEXT, Scanner, WireFrame, frame_bytes
from quintet.testing.wire.objects import json_object
from quintet.testing.wire.tcp import opened, reset

__all__ = ["Handshake", "RawSocket"]

T = TypeVar("T")
HEAD_BYTES = 1024 * 1024
_UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}


@dataclass(frozen=True)
class Handshake:
    """The answer to an upgrade request. `body` is that of a refusal."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The body's JSON object. Raises `ValueError`: it is none."""
        return json_object(self.body)


class RawSocket:
    """A TCP connection that has asked for an upgrade (or, with `upgrade=False`, for anything), exactly with the headers it was given."""

    def __init__(self, target: Target, loop: LoopThread) -> None:
        self.target = target
        self.handshake = Handshake(0, {}, b"")
        self.position = 0  # bytes read behind the handshake
        self.frames: list[WireFrame] = []
        self._loop = loop
        self._link: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(
        self,
        path: str,
        headers: Keyed[str, str | None],
        *,
        method: str = "GET",
        upgrade: bool = True,
        receive_buffer: int | None = None,
        ahead: int = HEAD_BYTES,
    ) -> Handshake:
        """Connect and ask. A header that is None is left out, also one of those that an upgrade needs.

        `receive_buffer` is the kernel's, `ahead` about half of what is taken from it before it is asked for, in bytes: with little of
        both, a server soon feels that nobody reads.
        """
        usual = _UPGRADE | {"Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode()} if upgrade else {}
        asked = {"Host": f"{self.target.host}:{self.target.port}", **usual, **headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in asked.items() if v is not None), "", ""]
        request = "\r\n".join(lines).encode()
        await self._within(self._opened(request, receive_buffer, ahead), "an answer to the request", STEP_SECONDS)
        return self.handshake

    async def put(self, opcode: int, payload: bytes, **how: Any) -> None:
        """Send one frame; `how` as `frame_bytes` has it."""
        await self.write(frame_bytes(opcode, payload, **how))

    async def say(self, body: Any) -> None:
        """Send one good text frame of JSON."""
        await self.put(TEXT, json.dumps(body).encode())

    async def write(self, data: bytes) -> None:
        """Send bytes. That the server has closed meanwhile is no fault: the test reads why."""

        async def write() -> None:
            with contextlib.suppress(ConnectionError):
                self._writer.write(data)
                await self._writer.drain()

        await self._within(write(), "the server to take bytes", STEP_SECONDS)

    async def frame(self, within: float = STEP_SECONDS) -> WireFrame:
        """The next frame. Raises `asyncio.IncompleteReadError` at the end of the stream, `ConnectionFault` when it is too late."""
        return await self._within(self._frame(), "a frame", within)

    async def until(self, kind: str, within: float = STEP_SECONDS) -> WireFrame:
        """Read frames until one whose JSON has this `type`. Raises `ConnectionFault`."""
        while True:
            found = await self.frame(within)
            if found.opcode == CLOSE:
                raise self.fault(f"closed with {found.close_code}, {kind} was due")
            if found.opcode == TEXT and json.loads(found.payload).get("type") == kind:
                return found

    async def closing(self, within: float = STEP_SECONDS) -> int:
        """Read on until the close frame; returns its code. Raises `ConnectionFault`."""
        try:
            while (found := await self.frame(within)).opcode != CLOSE:
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            raise self.fault("the stream ended without a close frame") from None
        return found.close_code

    async def ended(self, within: float = STEP_SECONDS) -> None:
        """Read on until the server ends the TCP connection. Raises `ConnectionFault`."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self.frame(within)

    async def exactly(self, count: int) -> bytes:
        """Read so many bytes of the stream and no more."""
        return await self._within(self._read(count), f"{count} bytes", STEP_SECONDS)

    async def some(self, count: int, within: float = STEP_SECONDS) -> bytes:
        """Read what there is of the stream, at most so many bytes; none at its end. Raises `ConnectionFault`."""
        data = await self._within(self._reader.read(count), "any byte", within)
        self.position += len(data)
        return data

    async def pause(self) -> None:
        """Take nothing from the connection any more: to a server, somebody who does not read."""

        async def pause() -> None:
            transport = self._writer.transport
            assert isinstance(transport, asyncio.Transport)
            transport.pause_reading()

        await self._within(pause(), "the reading to stop", STEP_SECONDS)

    async def half_close(self) -> None:
        """Say that nothing more will be sent, and go on reading."""

        async def end() -> None:
            self._writer.write_eof()

        await self._within(end(), "the sending to end", STEP_SECONDS)

    async def cut(self) -> None:
        """Reset the TCP connection."""

        async def abort() -> None:
            if self._link is not None:
                reset(self._link[1])
                with contextlib.suppress(OSError):
                    await self._link[1].wait_closed()

        await self._within(abort(), "the connection to go", STEP_SECONDS)

    def fault(self, words: str) -> ConnectionFault:
        """The error to raise: what `shown` says."""
        return ConnectionFault(self.shown(words))

    def shown(self, words: str) -> str:
        """The words, the frames read so far, the server's log: the message of an `assert`."""
        lines = [f"{f.begin:8d}..{f.end} opcode {f.opcode} {f.payload[:300]!r}" for f in self.frames]
        told = "\n".join([f"--- raw socket: {len(lines)} frames ---", *lines])
        return "\n".join(part for part in (words, told, self.target.said()) if part)

    # --- on the kit's loop --------------------------------------------------------------------------------------------

    @property
    def _reader(self) -> asyncio.StreamReader:
        assert self._link is not None, "the connection was never opened"
        return self._link[0]

    @property
    def _writer(self) -> asyncio.StreamWriter:
        assert self._link is not None, "the connection was never opened"
        return self._link[1]

    async def _opened(self, request: bytes, buffer: int | None, ahead: int) -> None:
        plug = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if buffer:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)  # before it connects: the window is told then
        plug.setblocking(False)
        host = "127.0.0.1" if self.target.host == "localhost" else self.target.host
        try:
            await asyncio.get_running_loop().sock_connect(plug, (host, self.target.port))
        except BaseException:
            plug.close()
            raise
        self._link = await opened(plug, ahead)
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        first, *others = head.decode("latin-1").strip().split("\r\n")
        told = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in others)}
        status, size = int(first.split()[1]), int(told.get("content-length", 0))
        self.handshake = Handshake(status, told, b"" if status == 101 else await self._reader.readexactly(size))

    async def _frame(self) -> WireFrame:
        scanner = Scanner(self.position)
        head = await self._read(2)
        size, masked = head[1] & 0x7F, head[1] & 0x80
        if masked or head[0] & 0x70:
            raise self.fault("a server must not mask, and no extension was agreed that could set a reserved bit")
        more = await self._read(2 if size == 126 else 8) if size >= 126 else b""
        length = int.from_bytes(more, "big") if more else size
        (found,) = scanner.feed(head + more + await self._read(length))
        self.frames.append(found)
        return found

    async def _read(self, count: int) -> bytes:
        data = await self._reader.readexactly(count)
        self.position += count
        return data

    async def _within(self, work: Coroutine[Any, Any, T], what: str, seconds: float) -> T:
        try:
            return await self._loop.run(asyncio.wait_for(work, seconds))
        except TimeoutError:
            raise self.fault(f"waited {seconds:g} s in vain for {what}") from None
