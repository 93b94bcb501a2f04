"""uvicorn's HTTP protocol, with what it lacks in front of a socket, and for strangers.

1. It drops what came behind an upgrade request in the same read; a client that does not wait for the 101 would lose its first frame.
2. It upgrades while an earlier request of the connection is still unanswered; that answer would land among the frames.
3. It reads a head of any size, and any number of fields behind a body, which it takes for headers; ours are bounded while they
   arrive, and what no proxy has looked at is no header.
4. It waits for ever: for a request that is not finished, and for a peer that takes nothing of an answer. Requests that wait
   behind another it keeps without a bound; each weighs a hundred times its bytes.
"""

import asyncio
import sys
from typing import Any, ClassVar, Literal

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from quintet.delivery.backlog import backlog_of
from quintet.delivery.config import GatewayConfig
from quintet.delivery.handshake import MalformedUpgradeError, answer
from quintet.edge.peers import TRANSPORT
from quintet.errors import QuintetError
from quintet.sources import Sources

__all__ = ["HttpProtocol"]


class _TooSlowError(QuintetError):
    """A request that was begun and not finished in time (RFC 9110, section 15.5.9)."""

    status = 408

    def __init__(self) -> None:
        super().__init__("bad_message", "The request took too long to arrive.")


class HttpProtocol(HttpToolsProtocol):
    """For uvicorn's `http` setting. `bounds` and `sources` are set by the gateway in a subclass of its own."""

    bounds: ClassVar[GatewayConfig]
    sources: ClassVar[Sources]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._arrived = b""
        self._part: Literal["head", "body"] | None = "head"  # what is awaited of the peer
        self._awaited: Literal["head", "body"] | None = None  # what the timer is set for
        self._timer: asyncio.TimerHandle | None = None
        self._bytes = 0  # of a head that is still arriving, or behind the last byte of a body
        self._steps = 0  # of requests that got on: a head began or ended, a piece of a body came
        self._untaken = 0
        self._taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Somebody has come."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        self._part = None
        self._wait()
        self._stop_looking()
        super().connection_lost(exc)

    # --- what comes in ------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Bytes of requests."""
        self._arrived, before = data, self._steps
        super().data_received(data)
        self._arrived = b""
        if self.transport.is_closing():
            return
        if self._part == "head" or self._steps == before:
            self._bytes += len(data)
        if self._part is not None and self._bytes > self.bounds.head_bytes:
            self._refuse(QuintetError("headers_too_large"))
        elif self._part != self._awaited:
            self._wait()

    def on_message_begin(self) -> None:
        """A head begins."""
        if len(self.pipeline) >= self.bounds.pipelined:
            raise ValueError("too many requests wait")  # the parser stops, and the connection ends
        self._part, self._bytes = "head", 0
        self._steps += 1
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: self.transport}  # type: ignore[dict-item]

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head, or behind a body."""
        if self._part == "head":
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._part, self._bytes = "body", 0
        self._steps += 1
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._bytes = 0
        self._steps += 1
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._part, self._bytes = None, 0
        self._steps += 1
        self._wait()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, with everything that came."""
        earlier: Any = self.cycle  # None on a fresh connection
        if earlier is not None and not earlier.response_complete:
            self._refuse(MalformedUpgradeError("The request before this one is not answered yet."))
            return
        pending = sys.exception()  # the parser's, which says where the request ended
        rest = self._arrived[pending.args[0] :] if pending is not None and pending.args else b""
        self._part = None
        self._wait()
        super().handle_websocket_upgrade()
        self.parser = self.scope = self.cycle = None  # type: ignore[assignment]  # no cycle: we are freed at once
        if rest:
            successor: Any = self.transport.get_protocol()
            successor.early(rest)

    # --- how long we wait for it --------------------------------------------------------------------------------------

    def _wait(self) -> None:
        """Set the timer for the part that is awaited, all of it."""
        if self._timer is not None:
            self._timer.cancel()
        seconds = {"head": self.bounds.head_wait, "body": self.bounds.body_wait, None: None}[self._part]
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._too_slow)
        self._awaited = self._part

    def _too_slow(self) -> None:
        if self._part == "head" and not self._bytes:
            self.transport.close()
        else:
            self._refuse(_TooSlowError())

    # --- what goes out ------------------------------------------------------------------------------------------------

    def send_400_response(self, msg: str) -> None:
        """What the parser does not understand."""
        self._refuse(MalformedUpgradeError("This is no valid HTTP request."))

    def _refuse(self, refusal: QuintetError) -> None:
        latest: Any = self.cycle
        if latest is not None and latest.response_started and not latest.response_complete:
            self.transport.abort()  # a refusal in the middle of an answer would be taken for a part of it
            return
        if latest is None or not latest.response_complete or self._part != "body":  # else the request has its answer
            self.transport.write(answer(refusal, self.sources.new_id("req")))
        self.transport.close()

    def pause_writing(self) -> None:
        """The peer takes less than is sent to it."""
        super().pause_writing()
        self._look()

    def resume_writing(self) -> None:
        """It has taken nearly everything."""
        super().resume_writing()
        self._stop_looking()

    def on_response_complete(self) -> None:
        """An answer has been handed over; that is not to say that it was taken."""
        super().on_response_complete()
        if self._taking is None and self.transport.get_write_buffer_size():
            self._look()

    def _look(self) -> None:
        """Look again in a while; whoever has not taken a byte by then is let go."""
        self._untaken = backlog_of(self.transport)
        self._taking = self.loop.call_later(self.bounds.answer_wait, self._look_again)

    def _look_again(self) -> None:
        if backlog_of(self.transport) < self._untaken:
            self._look()
        elif self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self._taking = None

    def _stop_looking(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None
