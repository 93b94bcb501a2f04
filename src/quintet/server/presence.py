"""This process in the table of nodes, for `quintet status`: shown while it serves, gone when it has ended in order."""

import asyncio
import contextlib
from functools import partial

from quintet.errors import QuintetError
from quintet.periodic import Periodic
from quintet.store import Store
from quintet.store.nodes import Node, leave, show

__all__ = ["Presence"]

_LEAVING = 2.0  # seconds that an end may wait for the table; whoever is still in it then is told of as silent


class Presence:
    """Shows itself every `period` seconds where processes share the database; where one has it alone, its lock says the rest."""

    def __init__(self, store: Store, node: Node, period: float) -> None:
        self._store = store
        self._node = node
        self._showing = Periodic("showing that this node lives", self._show, period, at_once=False)

    async def start(self) -> None:
        """Begin, on the running loop."""
        await self._show()
        if self._store.shared:
            self._showing.start()

    async def drain(self) -> None:
        """Tell that it takes nothing new."""
        self._node = self._node._replace(draining=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LEAVING):
                await self._show()

    async def close(self) -> None:
        """End, and leave the table."""
        await self._showing.close()
        with contextlib.suppress(QuintetError, TimeoutError):
            async with asyncio.timeout(_LEAVING):
                await self._store.write(self._node.id, partial(leave, node_id=self._node.id))

    async def _show(self) -> None:
        """A database that is away just now is no reason not to serve, and others say so already."""
        with contextlib.suppress(QuintetError):
            await self._store.write(self._node.id, partial(show, node=self._node))
