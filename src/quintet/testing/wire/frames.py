"""WebSocket frames as bytes (RFC 6455, 5.2): written right or wrong as asked, and found in a stream that comes in any pieces."""

import os
import struct
from dataclasses import dataclass
from typing import Any

from quintet.testing.wire.objects import json_object

__all__ = [
    "BINARY",
    "CLOSE",
    "CONTINUATION",
    "PING",
    "PONG",
    "TEXT",
    "FrameError",
    "Scanner",
    "WireFrame",
    "close_payload",
    "frame_bytes",
]

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
LONGEST = 64 * 1024 * 1024  # bytes of a frame; more is a fault of the peer, not a message


class FrameError(ValueError):
    """What lies in the stream is no frame."""


@dataclass(frozen=True, slots=True)
class WireFrame:
    """A frame as it lay in the stream, unmasked: `begin` and `end` are byte positions of the stream."""

    opcode: int
    fin: bool
    payload: bytes
    begin: int
    end: int
    masked: bool
    rsv: int

    @property
    def data(self) -> bool:
        """Whether it carries a piece of a message."""
        return self.opcode in {CONTINUATION, TEXT, BINARY}

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object in it. Raises `ValueError`: it holds none."""
        return json_object(self.payload)

    @property
    def close_code(self) -> int:
        """The code of a close frame; 1005 where it holds none."""
        return int(struct.unpack("!H", self.payload[:2])[0]) if len(self.payload) >= 2 else 1005

    @property
    def close_reason(self) -> str:
        """The reason of a close frame."""
        return self.payload[2:].decode(errors="replace")


def close_payload(code: int, reason: str = "") -> bytes:
    """What a close frame carries."""
    return struct.pack("!H", code) + reason.encode()


def frame_bytes(opcode: int, payload: bytes, *, fin: bool = True, masked: bool = True, rsv: int = 0) -> bytes:
    """One frame. Clients mask, servers do not."""
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
    return head + key + _mixed(payload, key)


def _mixed(payload: bytes, key: bytes) -> bytes:
    stream = (key * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(payload), "big")


class Scanner:
    """Finds the frames of one direction of a stream."""

    def __init__(self, position: int = 0) -> None:
        self.position = position  # of the first byte that is not yet part of a found frame
        self._kept = bytearray()

    def feed(self, data: bytes) -> list[WireFrame]:
        """The frames that are complete now. Raises `FrameError` for one that is longer than 64 MiB."""
        self._kept += data
        found = []
        while (frame := self._first()) is not None:
            found.append(frame)
        return found

    @property
    def partial(self) -> bytes:
        """What has come of the next frame."""
        return bytes(self._kept)

    def _first(self) -> WireFrame | None:
        kept = self._kept
        if len(kept) < 2:
            return None
        masked, size, start = bool(kept[1] & 0x80), kept[1] & 0x7F, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(kept) < start:
                return None
            size = int.from_bytes(kept[2:start], "big")
        if size > LONGEST:
            raise FrameError(f"a frame of {size} bytes at position {self.position}")
        begin = start + (4 if masked else 0)
        if len(kept) < begin + size:
            return None
        payload = bytes(kept[begin : begin + size])
        if masked:
            payload = _mixed(payload, bytes(kept[start:begin]))
        first = kept[0]
        del kept[: begin + size]
        at, self.position = self.position, self.position + begin + size
        return WireFrame(first & 0x0F, bool(first & 0x80), payload, at, self.position, masked, (first >> 4) & 0x7)
