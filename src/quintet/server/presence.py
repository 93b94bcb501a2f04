"""This process in the table of nodes, for `quintet status`: shown while it serves, gone when it has ended in order."""

import asyncio
import contextlib
import logging
from functools import partial

from quintet.engine.pulse import BEATS
from quintet.errors import QuintetError
from quintet.periodic import Periodic
from quintet.store import Store, Tx
from quintet.store.nodes import Node, leave, others_in, show

__all__ = ["Presence"]

log = logging.getLogger(__name__)

_LEAVING = 2.0  # seconds that an end may wait for the table; whoever is still in it then is told of as silent


class Presence:
    """Shows itself several times in a worker's `life` (seconds) where processes share the database; where one has it alone, its lock says the rest.

    Of the presences of a process one `compares` its map of the cells with those of the others, and says in the log when some differ.
    """

    def __init__(self, store: Store, node: Node, life: int, *, compares: bool) -> None:
        self._store = store
        self._node = node
        self._showing = Periodic("showing that this node lives", self._show, life / BEATS, at_once=False)
        self._life_ms = life * 1000
        self._compares = compares and store.shared
        self._others: set[str] = set()  # with another map, as they were told of

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
            others = await self._store.write(self._node.id, self._show_in)
            known, self._others = self._others, {other.id for other in others}
            for other in others:
                if other.id not in known:
                    log.warning("the %s %s on %s has another map of the cells", other.role, other.id, other.host)

    def _show_in(self, tx: Tx) -> list[Node]:
        show(tx, self._node)
        return others_in(tx, self._node.map, self._life_ms) if self._compares else []
