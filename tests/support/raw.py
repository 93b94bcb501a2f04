"""A WebSocket client made of bytes, for what a well-behaved client cannot do: broken frames, and cuts at an exact byte.

It reads the stream itself, so it knows where in the stream each frame began and ended.
"""

import asyncio
import base64
import contextlib
import json
import os
import socket
import struct
from dataclasses import dataclass, field
from typing import Any

from support.server import Server

__all__ = [
    "BINARY",
    "CLOSE",
    "CONTINUATION",
    "PING",
    "PONG",
    "TEXT",
    "Handshake",
    "RawFrame",
    "RawSocket",
    "frame_bytes",
    "handshake",
]

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
RAW_SECONDS = 15.0


@dataclass(frozen=True)
class Handshake:
    """The answer to an upgrade request. `rest` is what came behind the head."""

    status: int
    headers: dict[str, str]
    rest: bytes


@dataclass(frozen=True)
class RawFrame:
    """A frame as it lay in the stream: `begin` and `end` are byte positions after the handshake."""

    opcode: int
    fin: bool
    payload: bytes
    begin: int
    end: int

    @property
    def body(self) -> dict[str, Any]:
        """The JSON in it."""
        told: dict[str, Any] = json.loads(self.payload)
        return told

    @property
    def close_code(self) -> int:
        """The code of a close frame; 1005 where it holds none."""
        return struct.unpack("!H", self.payload[:2])[0] if len(self.payload) >= 2 else 1005


def frame_bytes(opcode: int, payload: bytes, *, fin: bool = True, masked: bool = True, rsv: int = 0) -> bytes:
    """One frame, right or wrong as asked."""
    first = (0x80 if fin else 0) | (rsv << 4) | opcode
    flag = 0x80 if masked else 0
    if len(payload) < 126:
        head = struct.pack("!BB", first, flag | len(payload))
    elif len(payload) < 65_536:
        head = struct.pack("!BBH", first, flag | 126, len(payload))
    else:
        head = struct.pack("!BBQ", first, flag | 127, len(payload))
    if not masked:
        return head + payload
    key = os.urandom(4)
    stream = (key * (len(payload) // 4 + 1))[: len(payload)]
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")
    return head + key + mixed.to_bytes(len(payload), "big")


async def handshake(
    server: Server,
    *,
    path: str = "/v1/ws",
    method: str = "GET",
    token: str | None = None,
    protocols: str | None = "quintet.v1",
    origin: str | None = None,
    headers: dict[str, str] | None = None,
    receive_buffer: int | None = None,
) -> "tuple[Handshake, RawSocket]":
    """Ask for the upgrade, exactly with these headers, and read the head of the answer."""
    plug = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if receive_buffer:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    plug.setblocking(False)
    await asyncio.wait_for(asyncio.get_running_loop().sock_connect(plug, ("127.0.0.1", server.port)), RAW_SECONDS)
    reader, writer = await asyncio.open_connection(sock=plug, limit=1 << 20)
    fields = {
        "Host": f"localhost:{server.port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
    }
    if token:
        fields["Authorization"] = f"Bearer {token}"
    if protocols:
        fields["Sec-WebSocket-Protocol"] = protocols
    if origin is not None:
        fields["Origin"] = origin
    fields |= headers or {}
    lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items()), "", ""]
    writer.write("\r\n".join(lines).encode())
    raw = RawSocket(server, reader, writer)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), RAW_SECONDS)
    first, *others = head.decode("latin-1").strip().split("\r\n")
    told = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in others)}
    status = int(first.split()[1])
    rest = b""
    if status != 101 and int(told.get("content-length", 0)):
        rest = await asyncio.wait_for(reader.readexactly(int(told["content-length"])), RAW_SECONDS)
    return Handshake(status, told, rest), raw


@dataclass
class RawSocket:
    """A connection after its handshake."""

    server: Server
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    position: int = 0
    frames: list[RawFrame] = field(default_factory=list)

    @classmethod
    async def open(cls, server: Server, token: str | None, **options: Any) -> "RawSocket":
        """Upgrade, which must succeed, and read `ready` if there is a credential."""
        told, raw = await handshake(server, token=token, **options)
        assert told.status == 101, f"the upgrade was answered {told}\n{server.tail()}"
        if token:
            await raw.until("ready")
        return raw

    async def put(self, opcode: int, payload: bytes, **how: Any) -> None:
        """Send one frame."""
        await self.write(frame_bytes(opcode, payload, **how))

    async def say(self, body: dict[str, Any]) -> None:
        """Send one good text frame."""
        await self.put(TEXT, json.dumps(body).encode())

    async def write(self, data: bytes) -> None:
        """Send bytes. That the server has closed meanwhile is no fault: the test reads why."""
        with contextlib.suppress(ConnectionError):
            self.writer.write(data)
            await asyncio.wait_for(self.writer.drain(), RAW_SECONDS)

    async def frame(self, within: float = RAW_SECONDS) -> RawFrame:
        """The next frame. Raises `asyncio.IncompleteReadError` at the end of the stream."""
        try:
            return await asyncio.wait_for(self._frame(), within)
        except TimeoutError:
            raise AssertionError(f"no frame within {within} s\n{self.story()}\n{self.server.tail()}") from None

    async def until(self, kind: str, within: float = RAW_SECONDS) -> RawFrame:
        """Read frames until one of this type."""
        while True:
            found = await self.frame(within)
            if found.opcode == CLOSE:
                raise AssertionError(
                    f"closed with {found.close_code}, {kind} was due\n{self.story()}\n{self.server.tail()}"
                )
            if found.opcode == TEXT and found.body.get("type") == kind:
                return found

    async def closing(self, within: float = RAW_SECONDS) -> int:
        """Read on until the close frame; returns its code."""
        try:
            while (found := await self.frame(within)).opcode != CLOSE:
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            raise AssertionError(
                f"the stream ended without a close frame\n{self.story()}\n{self.server.tail()}"
            ) from None
        return found.close_code

    async def ended(self, within: float = RAW_SECONDS) -> None:
        """Read on until the server ends the TCP connection."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self.frame(within)

    async def exactly(self, count: int) -> bytes:
        """Read so many bytes of the stream and no more."""
        data = await asyncio.wait_for(self.reader.readexactly(count), RAW_SECONDS)
        self.position += count
        return data

    async def cut(self) -> None:
        """Reset the TCP connection."""
        if self.writer.is_closing():
            return  # a second time: the number of its socket may be another's by now
        plug = self.writer.get_extra_info("socket")
        with contextlib.suppress(OSError):  # the server was first
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    def story(self) -> str:
        """The frames read so far."""
        lines = [f"{f.begin:8d}..{f.end} opcode {f.opcode} {f.payload[:300]!r}" for f in self.frames]
        return "\n".join([f"--- raw socket: {len(lines)} frames ---", *lines])

    async def _frame(self) -> RawFrame:
        begin = self.position
        first, second = await self._read(2)
        assert not second & 0x80, "a server must not mask"
        assert not first & 0x70, "no extension was agreed, so no reserved bit may be set"
        size = second & 0x7F
        if size == 126:
            size = struct.unpack("!H", await self._read(2))[0]
        elif size == 127:
            size = struct.unpack("!Q", await self._read(8))[0]
        payload = await self._read(size)
        found = RawFrame(first & 0x0F, bool(first & 0x80), payload, begin, self.position)
        self.frames.append(found)
        return found

    async def _read(self, count: int) -> bytes:
        data = await self.reader.readexactly(count)
        self.position += count
        return data
