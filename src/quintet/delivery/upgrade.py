"""The opening handshake: the class that uvicorn instantiates for every upgrade request.

1. uvicorn calls `connection_made`, then `data_received` once with the whole request, and then makes the transport ours.
2. While it is asked whose token it is nothing is read; what came behind the request waits, and is bounded by one read.
3. What is refused is answered over HTTP by hand, and the connection closes.
"""

import asyncio
import logging
from typing import Any

from quintet.delivery.connection import Connection
from quintet.delivery.handshake import Upgrade, answer, decide, read_request
from quintet.delivery.websocket import Socket
from quintet.errors import QuintetError
from quintet.scope import Identity

__all__ = ["WebSocketProtocol"]

logger = logging.getLogger(__name__)


class WebSocketProtocol(Connection):
    """One upgrade request, and the connection that comes of it."""

    __slots__ = ("_asking", "_early", "_server")

    def __init__(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None:
        """With the arguments that uvicorn gives."""
        super().__init__()
        self._server = server_state
        self._asking: asyncio.Task[None] | None = None
        self._early = b""

    def connection_made(self, transport: Any) -> None:
        """The transport, before it is ours."""
        self._tcp = transport
        self._server.connections.add(self)

    def data_received(self, head: bytes) -> None:
        """The upgrade request, whole."""
        request = read_request(head)
        try:
            upgrade = decide(request, self.parts.config, self.parts.origins)
        except QuintetError as refusal:
            self._refuse(refusal)
            return
        scope = {"client": self._tcp.get_extra_info("peername") or None, "headers": request.headers}
        address = self.parts.config.address_of(scope)
        if upgrade.token is None:
            self._open(upgrade, address)
        else:
            self._tcp.pause_reading()
            self._asking = asyncio.get_running_loop().create_task(self._ask(upgrade, upgrade.token, address))

    def early(self, data: bytes) -> None:
        """What came behind the request in the same read."""
        if self._opened:
            self._arrived(data)
        else:
            self._early = data

    async def _ask(self, upgrade: Upgrade, token: str, address: str) -> None:
        """Find out whose token it is, and go on. Nothing is read meanwhile."""
        try:
            identity = await self._identify(token)
            if isinstance(identity, QuintetError):
                self._reject(upgrade, address, identity)
            else:
                self._open(upgrade, address, identity)
        except Exception:
            logger.exception("opening a socket has failed")
            self._tcp.abort()
        self._asking = None

    async def _identify(self, token: str) -> Identity | QuintetError:
        try:
            if not token:
                return QuintetError("invalid_token")
            async with asyncio.timeout(self.parts.config.check_timeout):
                return await self.parts.authenticate(token)
        except TimeoutError:
            return QuintetError("unavailable")
        except QuintetError as refusal:
            return refusal
        except Exception:
            logger.exception("authenticating a socket has failed")
            return QuintetError("internal")

    def _reject(self, upgrade: Upgrade, address: str, refusal: QuintetError) -> None:
        if upgrade.browser:
            doomed = "unauthenticated" if refusal.status == 401 else "internal"
            self._open(upgrade._replace(doomed=doomed), address)
        else:
            self._refuse(refusal)

    def _refuse(self, refusal: QuintetError) -> None:
        self._closing = True
        self._tcp.write(answer(refusal, self.parts.sources.new_id("req")))
        self._tcp.close()

    def _open(self, upgrade: Upgrade, address: str, identity: Identity | None = None) -> None:
        connections = self.parts.connections
        if self._tcp.is_closing():
            return
        if connections.draining:
            self._refuse(QuintetError("unavailable", retry_after=1))
            return
        if identity is None and not connections.take_address(address):
            self._refuse(QuintetError("rate_limited", retry_after=int(self.parts.config.auth_timeout) or 1))
            return
        self._switch(upgrade.key, upgrade.subprotocol)
        self._socket = Socket(self.parts, self, address if identity is None else None)
        if upgrade.doomed is not None:
            self.end(upgrade.doomed)
            return
        self._socket.begin(identity)
        self._tcp.resume_reading()
        early, self._early = self._early, b""
        if early:
            self._arrived(early)

    def shutdown(self) -> None:
        """Uvicorn stops."""
        if self._opened:
            self.drain(self.parts.config.drain_spread)
        elif not self._closing:
            self._refuse(QuintetError("unavailable", retry_after=1))

    def buffer_updated(self, count: int) -> None:
        """So much was read."""
        if self._opened:
            super().buffer_updated(count)
        elif not self._closing:
            self._early += bytes(self.get_buffer(-1)[:count])  # at most one read: reading is paused

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._server.connections.discard(self)
        if self._asking is not None:
            self._asking.cancel()
        super().connection_lost(exc)
