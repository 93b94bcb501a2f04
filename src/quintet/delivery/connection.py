"""The connection under a socket, from the 101 on: frames in, frames out, and how it ends. On picows.

1. picows is shown an upgrade request of our own (it wants `Connection` to be exactly `upgrade`), and behind it only frames that
   passed the gate. Its constructor is internal: a contract test says what we need of it.
2. What is released at once goes out as one write. picows writes frame by frame, so it only reads.
3. After a close was sent we read on and discard until the peer's close: closing with unread bytes resets the connection, and the
   peer may lose the close frame. At most `close_wait` seconds, then the connection is dropped.
"""

import asyncio
import logging
import socket
from typing import Any, ClassVar

from picows import WSAutoPingStrategy, WSListener, WSUpgradeResponse, picows
from picows.common import WSUpgradeResponseWithListener

from quintet.delivery import frames
from quintet.delivery.backlog import backlog_of
from quintet.delivery.config import Parts
from quintet.delivery.frames import FrameGate
from quintet.delivery.limits import Bucket
from quintet.delivery.websocket import Socket
from quintet.errors import CLOSES

__all__ = ["Connection"]

logger = logging.getLogger(__name__)

_READ = memoryview(bytearray(64 * 1024))  # one for all connections: what was read is handled before the next read
_NO_LIMIT = 1 << 62  # the gate limits
_NOT_SENT = 64 * 1024  # bytes the kernel may keep unsent for a peer, so that a slow one is noticed early
_FAREWELL = 0.25  # seconds for the close of somebody who has been silent
_LESSER_FRAMES = 10  # pings, pongs and fragments may come so many times as often as messages


class _Silent:
    """picows makes a logger per connection out of a real one, and says more than anybody wants to read."""

    def isEnabledFor(self, _: int) -> bool:  # noqa: N802 - the name is logging's
        return False

    def nothing(self, *_: Any, **__: Any) -> None:
        return None

    debug = info = warning = log = nothing
    error, exception = logger.error, logger.exception


_SILENT = _Silent()


class _Listener(WSListener):
    """picows's way in: it answers the upgrade, then hands the frames on."""

    def __init__(self) -> None:
        self.wire: Connection | None = None
        self.subprotocol: str | None = None

    def respond(self, _: Any) -> WSUpgradeResponseWithListener:
        headers = [("Sec-WebSocket-Protocol", self.subprotocol)] if self.subprotocol else []
        return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(headers), self)

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        if self.wire is not None:
            self.wire.received(frame.msg_type, frame.get_payload_as_bytes(), final=bool(frame.fin))


class Connection(picows.WSProtocol):  # type: ignore[misc, name-defined]
    """One connection that is, or may become, a socket. `parts` is set by the gateway in a subclass of its own."""

    parts: ClassVar[Parts]

    __slots__ = (
        "_closing",
        "_fragments",
        "_gate",
        "_lesser",
        "_opened", "_out",
        "_socket",
        "_tcp",
        "_timer",
        "_written",
        "_ws",
        "writable",
    )  # fmt: skip

    def __init__(self) -> None:
        self._ws = _Listener()
        super().__init__(
            None, None, False, self._ws.respond, _SILENT, True, None,
            False, None, None, WSAutoPingStrategy.PING_WHEN_IDLE, False, _NO_LIMIT, None, 2048,
        )  # fmt: skip
        self._tcp: Any = None
        self._out: Any = None
        self._socket: Socket | None = None
        self._opened = False
        self._gate = FrameGate(self.parts.config.frame_bytes)
        self._lesser: Bucket | None = None
        self._fragments: list[bytes] | None = None
        self._closing = False
        self._timer: asyncio.TimerHandle | None = None
        self._written = 0
        self.writable = True

    def _switch(self, key: str, subprotocol: str | None) -> None:
        """Answer 101: from here on there are frames."""
        self._ws.wire, self._ws.subprotocol = self, subprotocol
        super().connection_made(self._tcp)
        self._tcp.set_write_buffer_limits(high=self.parts.config.write_bytes)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            plug = self._tcp.get_extra_info("socket")
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _NOT_SENT)
        self._opened = True
        self._out = self._tcp.write
        self.parts.connections.add(self)
        fields = ("Upgrade: websocket", "Connection: upgrade", "Sec-WebSocket-Version: 13")
        lines = ("GET / HTTP/1.1", *fields, f"Sec-WebSocket-Key: {key}", "", "")
        self._parse("\r\n".join(lines).encode("ascii"))
        self.transport.request.headers = self.transport.response.headers = None  # two kilobytes nobody reads again

    # --- what comes in ------------------------------------------------------------------------------------------------

    def get_buffer(self, _: int) -> memoryview:
        """Where to put what is read next."""
        return _READ

    def buffer_updated(self, count: int) -> None:
        """So much was read."""
        self._arrived(bytes(_READ[:count]))

    def _arrived(self, data: bytes) -> None:
        gate = self._gate
        if self._socket is not None:
            self._socket.heard()
        legal = gate.feed(data)
        if legal:
            self._parse(legal)
        if gate.fault is not None:
            self._shut(*gate.fault)
        if gate.peer_closed:
            self._answer_close(gate.closing)

    def _parse(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest and not self._closing:
            room = super().get_buffer(-1)
            count = min(len(room), len(rest))
            room[:count] = rest[:count]
            super().buffer_updated(count)
            rest = rest[count:]

    def received(self, kind: int, payload: bytes, *, final: bool) -> None:
        """A frame that passed the gate, in order."""
        if self._closing or self._socket is None:
            return
        if kind == frames.TEXT and final:
            self._message(payload)
        elif not self._bear_lesser():
            self.end("rate_limited")
        elif kind == frames.PING:
            if self.writable:
                self._write(frames.pong_frame(payload))
        elif kind != frames.PONG:
            self._collect(payload, final=final)

    def _collect(self, fragment: bytes, *, final: bool) -> None:
        if self._fragments is None:
            self._fragments = []
        self._fragments.append(fragment)
        if final:
            message, self._fragments = b"".join(self._fragments), None
            self._message(message)

    def _bear_lesser(self) -> bool:
        """Whether one more frame that is no message may be: they cost us as much as messages."""
        config, now = self.parts.config, self.parts.sources.monotonic()
        if self._lesser is None:
            self._lesser = Bucket(config.frames_per_second * _LESSER_FRAMES, config.burst * _LESSER_FRAMES, now)
        return self._lesser.take(now)

    def _message(self, payload: bytes) -> None:
        try:
            payload.decode()
        except UnicodeDecodeError:
            self._shut(*frames.BAD_UTF8)
            return
        if self._socket is not None:
            self._socket.message(payload)

    def pause_reading(self) -> None:
        """Hear nothing for now; the peer's messages wait with the peer."""
        if not self._closing:
            self._tcp.pause_reading()

    def resume_reading(self) -> None:
        """Hear again."""
        if not self._closing:
            self._tcp.resume_reading()

    # --- what goes out ------------------------------------------------------------------------------------------------

    def write(self, payloads: list[bytes]) -> None:
        """Send text messages, as one write. Nothing, once a close was sent."""
        if not self._closing:
            self._write(frames.text_frames(payloads))

    def _write(self, data: bytes) -> None:
        self._written += len(data)
        self._out(data)

    def taken(self) -> int:
        """How many bytes the peer's connection has taken so far."""
        return self._written - backlog_of(self._tcp)

    def pause_writing(self) -> None:
        """The transport has enough."""
        self.writable = False
        if self._socket is not None and not self._closing:
            self._socket.paused()

    def resume_writing(self) -> None:
        """The transport has room."""
        self.writable = True
        if self._socket is not None and not self._closing:
            self._socket.resumed()

    # --- the end ------------------------------------------------------------------------------------------------------

    def end(self, reason: str) -> None:
        """Close with the code of this reason."""
        if not self._closing:
            self.parts.connections.counted[f"closed_{reason}"] += 1
            close = CLOSES[reason]
            self._shut(close.number, close.reason)
            if reason == "no_pong" and self._timer is not None:
                self._timer.cancel()  # nobody answers; one who lives sends nothing and still reads it
                self._timer = asyncio.get_running_loop().call_later(_FAREWELL, self._drop)

    def _shut(self, code: int | None, reason: str) -> None:
        if self._closing:
            return
        self._write(frames.close_frame(code, reason))
        self._begin_closing()
        self._tcp.resume_reading()

    def _begin_closing(self) -> None:
        self._closing = True
        self._gate.discarding = True
        self._fragments = None
        if self._socket is not None:
            self._socket.stopped()
        self._timer = asyncio.get_running_loop().call_later(self.parts.config.close_wait, self._drop)

    def _answer_close(self, payload: bytes) -> None:
        """The peer has closed: echo its code, unless ours has crossed it, and end the connection."""
        if not self._closing:
            self._shut(*frames.close_answer(payload))
        self._tcp.close()

    def _drop(self) -> None:
        self._timer = None
        self._tcp.abort()

    def drain(self, after: float) -> None:
        """Send the client elsewhere."""
        if self._socket is not None and not self._closing:
            self._socket.drain(after)

    def eof_received(self) -> bool:
        """The peer sends nothing more. What is still to go out gets its last seconds."""
        if not self._closing and self._opened:
            self._begin_closing()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, and everything that was made for it with it."""
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
        if self._opened:
            super().connection_lost(exc)
            self.parts.connections.remove(self)
        if self._socket is not None:
            self._socket.lost()
        self._socket = self._ws.wire = None  # no cycle: what is gone is freed at once
