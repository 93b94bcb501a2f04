"""Single messages in the bytes of a stream, and bytes again: frames of a WebSocket, blocks of server-sent events."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from quintet.testing.contracts import Mapping, Seen, Story
from quintet.testing.sockets.stream import blocks_in
from quintet.testing.wire.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    TEXT,
    Scanner,
    WireFrame,
    close_payload,
    frame_bytes,
)

__all__ = ["Codec", "End", "EventsCodec", "FramesCodec", "Message", "Plain"]

CHUNK_HEAD = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]*\r\n")


@dataclass(frozen=True)
class Message:
    """One message that holds a JSON object. `envelope` are the fields that server-sent events have beside it."""

    seen: Seen
    envelope: tuple[tuple[str, str], ...] = ()
    changed: bool = False

    @property
    def body(self) -> dict[str, Any]:
        """The JSON."""
        return self.seen.body

    def with_body(self, body: dict[str, Any]) -> "Message":
        """With other JSON in it."""
        raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        return replace(self, seen=replace(self.seen, raw=raw, body=body), changed=True)


@dataclass(frozen=True)
class Plain:
    """Bytes that are no message of ours: control frames, comments, what is no JSON."""

    raw: bytes


@dataclass(frozen=True)
class End:
    """A close frame; of server-sent events, with code 0, the last chunk."""

    code: int
    raw: bytes


class Codec(Protocol):
    """A stream's way of carrying messages."""

    def feed(self, data: bytes) -> "Iterator[Message | Plain | End]":
        """What is complete now."""

    def encode(self, message: Message) -> bytes:
        """A message as it is sent."""


@dataclass
class FramesCodec:
    """A WebSocket, in one direction. `masked` for what a client sends."""

    mapping: Mapping
    masked: bool = False
    story: Story = field(init=False)
    _scanner: Scanner = field(default_factory=Scanner)
    _pieces: list[bytes] = field(default_factory=list)
    _text: bool = True

    def __post_init__(self) -> None:
        self.story = Story("relay", self.mapping)

    def feed(self, data: bytes) -> "Iterator[Message | Plain | End]":
        """See `Codec`. A message in several frames becomes one."""
        for frame in self._scanner.feed(data):
            if frame.opcode == CLOSE:
                yield End(frame.close_code, self._again(frame))
            elif not frame.data:
                yield Plain(self._again(frame))
            else:
                yield from self._piece(frame)

    def encode(self, message: Message) -> bytes:
        """See `Codec`."""
        return frame_bytes(TEXT, message.seen.raw, masked=self.masked)

    def closing(self, code: int) -> bytes:
        """A close frame."""
        return frame_bytes(CLOSE, close_payload(code), masked=self.masked)

    def _piece(self, frame: WireFrame) -> "Iterator[Message | Plain]":
        if frame.opcode != CONTINUATION:
            self._text, self._pieces = frame.opcode == TEXT, []
        self._pieces.append(frame.payload)
        if not frame.fin:
            return
        payload, self._pieces = b"".join(self._pieces), []
        seen = self.story.add(payload) if self._text else None
        if seen is None or not seen.body:
            yield Plain(frame_bytes(TEXT if self._text else BINARY, payload, masked=self.masked))
        else:
            yield Message(seen)

    def _again(self, frame: WireFrame) -> bytes:
        return frame_bytes(frame.opcode, frame.payload, fin=frame.fin, masked=self.masked, rsv=frame.rsv)


@dataclass
class EventsCodec:
    """Server-sent events, in chunks or to the end of the connection."""

    mapping: Mapping
    chunked: bool
    story: Story = field(init=False)
    _coded: bytes = b""
    _text: bytes = b""

    def __post_init__(self) -> None:
        self.story = Story("relay", self.mapping)

    def feed(self, data: bytes) -> "Iterator[Message | Plain | End]":
        """See `Codec`."""
        text, over = self._unchunked(data) if self.chunked else (data, False)
        found, self._text = blocks_in(self._text + text)
        for block in found:
            beside = [(name, value) for name, value in (("id", block.id), ("event", block.event)) if value is not None]
            seen = self.story.add(block.data, envelope=dict(beside)) if block.data else None
            if seen is None or not seen.body:
                yield Plain(self._coded_as(block.raw + b"\n\n"))
            else:
                yield Message(seen, tuple(beside))
        if over:
            yield End(0, b"0\r\n\r\n")

    def encode(self, message: Message) -> bytes:
        """See `Codec`."""
        lines = [
            f"{name}: {value}".encode() for name, value in message.envelope if (name, value) != ("event", "message")
        ]
        data = [b"data: " + line for line in message.seen.raw.split(b"\n")]
        return self._coded_as(b"\n".join([*lines, *data, b"", b""]))

    def _coded_as(self, text: bytes) -> bytes:
        return b"%x\r\n%s\r\n" % (len(text), text) if self.chunked else text

    def _unchunked(self, data: bytes) -> tuple[bytes, bool]:
        self._coded += data
        text = b""
        while head := CHUNK_HEAD.match(self._coded):
            size = int(head[1], 16)
            if size == 0:
                return text, True
            if len(self._coded) < head.end() + size + 2:
                break
            text += self._coded[head.end() : head.end() + size]
            self._coded = self._coded[head.end() + size + 2 :]
        return text, False
