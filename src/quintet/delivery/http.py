"""uvicorn's HTTP protocol, with what it lacks in front of a socket.

1. It drops what came behind an upgrade request in the same read; a client that does not wait for the 101 would lose its first frame.
2. It upgrades while an earlier request of the connection is still unanswered; that answer would land among the frames.
3. It reads a head of any size; ours is bounded while it arrives.
"""

import sys
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from quintet.delivery.handshake import MalformedUpgradeError, answer
from quintet.edge.peers import TRANSPORT
from quintet.errors import QuintetError
from quintet.sources import Sources

__all__ = ["HttpProtocol"]


class HttpProtocol(HttpToolsProtocol):
    """For uvicorn's `http` setting. `head_bytes` and `sources` are set by the gateway in a subclass of its own."""

    head_bytes: ClassVar[int]
    sources: ClassVar[Sources]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._arrived = b""
        self._head: int | None = None  # bytes of a head that is still arriving

    def data_received(self, data: bytes) -> None:
        """Bytes of requests."""
        self._arrived = data
        super().data_received(data)
        self._arrived = b""
        if self._head is not None and not self.transport.is_closing():
            self._head += len(data)
            if self._head > self.head_bytes:
                self._refuse(QuintetError("headers_too_large"))

    def on_message_begin(self) -> None:
        """A head begins."""
        self._head = 0
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: self.transport}  # type: ignore[dict-item]

    def on_headers_complete(self) -> None:
        """It is whole."""
        self._head = None
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, with everything that came."""
        earlier: Any = self.cycle  # None on a fresh connection
        if earlier is not None and not earlier.response_complete:
            self._refuse(MalformedUpgradeError("The request before this one is not answered yet."))
            return
        pending = sys.exception()  # the parser's, which says where the request ended
        rest = self._arrived[pending.args[0] :] if pending is not None and pending.args else b""
        super().handle_websocket_upgrade()
        self.parser = self.scope = self.cycle = None  # type: ignore[assignment]  # no cycle: we are freed at once
        if rest:
            successor: Any = self.transport.get_protocol()
            successor.early(rest)

    def send_400_response(self, msg: str) -> None:
        """What the parser does not understand."""
        self._refuse(MalformedUpgradeError("This is no valid HTTP request."))

    def _refuse(self, refusal: QuintetError) -> None:
        self.transport.write(answer(refusal, self.sources.new_id("req")))
        self.transport.close()
