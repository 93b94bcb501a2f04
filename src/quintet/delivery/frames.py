"""The framing of RFC 6455 as far as legality goes: what may reach the parser behind, and what ends the connection. Pure.

1. A header is judged before a byte of its payload is kept: an oversized frame costs no memory.
2. The parser behind checks neither reserved bits nor the order of fragments nor a message's whole size, and after a fault of its
   own it loses its place and drops the connection, which can cost the peer the close frame. So it never gets to see a fault.
3. After a fault, or a close of ours, everything is skipped, in step with the frames, until the peer's close.
"""

import struct
from typing import Final, NamedTuple

__all__ = [
    "BAD_UTF8",
    "PING",
    "PONG",
    "TEXT",
    "FrameGate",
    "FramingFault",
    "close_answer",
    "close_frame",
    "pong_frame",
    "text_frames",
]

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

_MASKED = 0x80
_LONGEST_CONTROL = 125
_LONGEST_REASON = 123


class FramingFault(NamedTuple):
    """Why the connection must end: a close code of RFC 6455 and its reason."""

    code: int
    reason: str


_FRAMING: Final = FramingFault(1002, "framing")
_IS_BINARY: Final = FramingFault(1003, "binary")
_TOO_BIG: Final = FramingFault(1009, "too big")
BAD_UTF8: Final = FramingFault(1007, "bad UTF-8")


class FrameGate:
    """Stands in front of the parser of one connection. `limit` is the size of a message in bytes, its fragments together.

    `fault` is set by the first frame that breaks a rule. The peer's close frame ends everything: `peer_closed` is set, its payload
    is in `closing`, and neither it nor anything behind it goes on to the parser.
    """

    __slots__ = (
        "_held", "_in_close", "_in_message", "_left", "_mask", "_size", "closing", "discarding", "fault", "limit",
        "peer_closed",
    )  # fmt: skip

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.fault: FramingFault | None = None
        self.discarding = False
        self.peer_closed = False
        self.closing = b""
        self._held = b""  # a header that has not arrived whole, at most 13 bytes
        self._left = 0  # of the payload that is going by
        self._size = 0  # of the message so far
        self._in_message = False
        self._in_close = False
        self._mask = b""

    def feed(self, data: bytes) -> bytes:
        """Take what arrived; returns the part the parser may see."""
        if self._held:
            data = self._held + data
            self._held = b""
        at, end, legal = 0, len(data), 0
        while at < end and not self.peer_closed:
            if not self._left:
                size = _header_size(data, at)
                if size > end - at:
                    self._held = data[at:]
                    break
                self._judge(data, at, size)
                at += size
            taken = min(self._left, end - at)
            if self._in_close:
                self._hear_close(data[at : at + taken])
            at += taken
            self._left -= taken
            if not (self.discarding or self._in_close):
                legal = at
            self.peer_closed = self._in_close and not self._left
        return data[:legal]

    def _hear_close(self, masked: bytes) -> None:
        if not self.discarding:  # else its length may be any
            start = len(self.closing)
            self.closing += bytes(byte ^ self._mask[(start + i) & 3] for i, byte in enumerate(masked))

    def _judge(self, data: bytes, at: int, size: int) -> None:
        first, second = data[at], data[at + 1]
        opcode, length = first & 0x0F, _length(data, at)
        self._left = length
        self._in_close = opcode == CLOSE
        self._mask = data[at + size - 4 : at + size]
        if self.discarding:
            return
        final = bool(first & 0x80)
        broken = first & 0x70 or not second & _MASKED or not _is_minimal(second & 0x7F, length)
        fault = _FRAMING if broken else self._fault_of(opcode, length, final=final)
        if fault is not None:
            self.fault = fault
            self.discarding = True
        elif opcode < CLOSE:
            self._in_message = not final
            self._size = 0 if final else self._size + length

    def _fault_of(self, opcode: int, length: int, *, final: bool) -> FramingFault | None:
        if opcode in (CLOSE, PING, PONG):
            return None if final and length <= _LONGEST_CONTROL else _FRAMING
        if opcode not in (CONTINUATION, TEXT, BINARY) or (opcode == CONTINUATION) != self._in_message:
            return _FRAMING
        if opcode == BINARY:
            return _IS_BINARY
        return _TOO_BIG if self._size + length > self.limit else None


def _header_size(data: bytes, at: int) -> int:
    if len(data) - at < 2:
        return 2
    second = data[at + 1]
    extended = {126: 2, 127: 8}.get(second & 0x7F, 0)
    return 2 + extended + (4 if second & _MASKED else 0)


def _length(data: bytes, at: int) -> int:
    short = data[at + 1] & 0x7F
    if short < 126:
        return short
    return int.from_bytes(data[at + 2 : at + (4 if short == 126 else 10)], "big")


def _is_minimal(short: int, length: int) -> bool:
    """Whether a length stands in the shortest of its three forms, and below 2^63."""
    return short < 126 or (short == 126 and length > 125) or (short == 127 and 0xFFFF < length < 1 << 63)


# --- what goes out ----------------------------------------------------------------------------------------------------

_SHORT: Final = tuple(bytes((0x80 | TEXT, length)) for length in range(126))
_pack_medium = struct.Struct(">HH").pack
_pack_long = struct.Struct(">HQ").pack
_MEDIUM, _LONG = 0x807E | TEXT << 8, 0x807F | TEXT << 8


def text_frames(payloads: "list[bytes]") -> bytes:
    """Text messages, one frame each, as the bytes of one write."""
    if len(payloads) == 1:
        return _header(len(payloads[0])) + payloads[0]
    parts: list[bytes] = []
    for payload in payloads:
        parts.append(_header(len(payload)))
        parts.append(payload)
    return b"".join(parts)


def _header(length: int) -> bytes:
    if length > 65_535:
        return _pack_long(_LONG, length)
    return _pack_medium(_MEDIUM, length) if length > 125 else _SHORT[length]


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping: its payload, at most 125 bytes."""
    return bytes((0x80 | PONG, len(payload))) + payload


def close_frame(code: int | None, reason: str = "") -> bytes:
    """A close. None: without a code, as the answer to one without."""
    body = b"" if code is None else code.to_bytes(2, "big") + reason.encode()[:_LONGEST_REASON]
    return bytes((0x80 | CLOSE, len(body))) + body


def close_answer(payload: bytes) -> tuple[int | None, str]:
    """What to answer a peer's close with: its own code, or what was wrong with it (RFC 6455, sections 5.5.1 and 7.4)."""
    if not payload:
        return None, ""
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not _may_be_sent(code):
        return _FRAMING
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        return BAD_UTF8
    return code, ""


def _may_be_sent(code: int) -> bool:
    return code in (1000, 1001, 1002, 1003) or 1007 <= code <= 1014 or 3000 <= code <= 4999
