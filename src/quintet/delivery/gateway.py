"""The gateway: what the server makes once, and every socket is made from."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter

from quintet.delivery.config import Authenticate, Cancel, GatewayConfig, Parts, StillValid, Submit
from quintet.delivery.connections import Connections
from quintet.delivery.http import HttpProtocol
from quintet.delivery.sse import events_router
from quintet.delivery.upgrade import WebSocketProtocol
from quintet.edge.origins import OriginPolicy
from quintet.errors import QuintetError
from quintet.log import Log
from quintet.sources import Sources

__all__ = ["Gateway"]


class Gateway:
    """Everything of delivery. Used on one event loop, the one uvicorn runs on."""

    def __init__(
        self,
        log: Log,
        authenticate: Authenticate,
        still_valid: StillValid,
        submit: Submit,
        cancel: Cancel,
        origins: OriginPolicy,
        sources: Sources,
        config: GatewayConfig,
    ) -> None:
        connections = Connections(config.sockets_per_user, config.unauthenticated_per_address)
        self._parts = Parts(log, authenticate, still_valid, submit, cancel, origins, sources, config, connections)

    def protocol_class(self) -> type[WebSocketProtocol]:
        """The class for uvicorn's `ws` setting."""
        return type("GatewayWebSocket", (WebSocketProtocol,), {"parts": self._parts, "__slots__": ()})

    def http_class(self) -> type[HttpProtocol]:
        """The class for uvicorn's `http` setting. Without it the first frames are lost when they come with the request."""
        members: dict[str, Any] = {"bounds": self._parts.config, "sources": self._parts.sources}
        return type("GatewayHttp", (HttpProtocol,), members)

    def router(self) -> APIRouter:
        """The routes: the feed as server-sent events, and what a socket's request is told that lost its upgrade on the way."""
        router = events_router(self._parts)
        router.add_api_route(self._parts.config.path, _not_upgraded, methods=["GET"], include_in_schema=False)
        return router

    async def drain(self) -> bool:
        """Send every socket elsewhere and refuse new ones; True when all are gone within the time a close may take."""
        config, connections = self._parts.config, self._parts.connections
        connections.draining = True
        for connection in connections.everyone():
            connection.drain(self._jittered(config.drain_spread))
        return await connections.emptied(config.close_wait + 1)

    def _jittered(self, spread: float) -> float:
        """Everybody coming back in the same second would be a flood."""
        chance = int.from_bytes(self._parts.sources.token_bytes(2), "big") / 0xFFFF
        return round(0.5 + chance * spread, 1)

    def tell(self, told: Callable[[str, int], None]) -> None:
        """Call this with a user and a seq whenever a connection of that user was handed everything up to it. On the loop: be quick."""
        self._parts.connections.told = told

    def snapshot(self) -> dict[str, int]:
        """Figures for the metrics."""
        return self._parts.connections.snapshot()


async def _not_upgraded() -> None:
    raise QuintetError("upgrade_required")
