"""Purging: what is to go and was not taken away by whoever asked for it."""

import asyncio
import contextlib
import logging
from functools import partial

from quintet.chat.attachments import UNSENT_MS, purge
from quintet.chat.deleting import finish_deletions
from quintet.errors import QuintetError
from quintet.sources import Sources
from quintet.store import Store

__all__ = ["Purging"]

logger = logging.getLogger(__name__)

_PERIOD = 600.0  # seconds between two looks


class Purging:
    """Finishes deletions that were begun, and deletes files that were never sent."""

    def __init__(self, store: Store, sources: Sources, *, period: float = _PERIOD) -> None:
        self._store = store
        self._sources = sources
        self._period = period
        self._task: asyncio.Task[None] | None = None

    async def catch_up(self) -> None:
        """Finish what a dead process had begun to delete: before anything is served.

        Raises:
            QuintetError: the store cannot.
        """
        if finished := await finish_deletions(self._store, self._sources):
            logger.warning("%d threads were being deleted when the last server ended: finished", finished)

    def start(self) -> None:
        """Begin, on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                before = self._sources.now_ms() - UNSENT_MS
                while await self._store.write("", partial(purge, before_ms=before)):
                    pass
                await finish_deletions(self._store, self._sources)
            except QuintetError:
                logger.warning("what is to be deleted could not be, just now; it is tried again")
            await asyncio.sleep(self._period)
