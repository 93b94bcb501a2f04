"""A worker's sign of life in the database, where several processes share it.

1. It beats a few times in a life. Without a beat for a whole life it is taken for dead, and takes itself for it: its runs are stopped here
   as well, whether or not the database can be reached to say so, and whether it refuses or says nothing.
2. One that finds itself taken for dead begins anew; what it held has been ended by others, and the fence keeps it out.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from quintet import runs
from quintet.errors import QuintetError
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["BEATS", "Pulse"]

logger = logging.getLogger(__name__)

BEATS = 4  # in a life


class Pulse:
    """Beats for one worker. `announce` writes its agents down; `cut_off` is called when it has been without a beat for `life` seconds."""

    def __init__(
        self,
        store: Store,
        sources: Sources,
        worker_id: str,
        life: float,
        announce: Callable[[Tx], None],
        cut_off: Callable[[], None],
    ) -> None:
        self._store = store
        self._sources = sources
        self._worker_id = worker_id
        self._life = life
        self._announce = announce
        self._cut_off = cut_off
        self._last = sources.monotonic()

    async def begin(self) -> None:
        """Begin to live, with what the worker can do. Raises QuintetError: the store cannot."""
        began = self._sources.monotonic()
        await self._store.write(self._worker_id, self._announce)
        self._last = began

    async def look(self) -> None:
        """Beat once. It counts from when it was begun: whoever judges may have seen it at once, and its answer may be late."""
        began = self._sources.monotonic()
        left = self._last + self._life - began
        try:
            async with asyncio.timeout(left if left > 0 else self._life):
                if not await self._store.write(self._worker_id, partial(runs.beat, worker_id=self._worker_id)):
                    logger.warning("this worker was taken for dead and its runs were ended; it begins anew")
                    self._cut_off()
                    await self.begin()
            self._last = max(self._last, began)
        except (QuintetError, TimeoutError):
            if self._sources.monotonic() - self._last >= self._life:
                self._cut_off()

    async def end(self) -> None:
        """Take the worker out of the tables. Raises QuintetError: the store cannot."""
        await self._store.write(self._worker_id, partial(runs.leave, worker_id=self._worker_id))
