"""Purging: what is to go and was not taken away by whoever asked for it."""

import logging
from functools import partial

from quintet.chat.attachments import UNSENT_MS, purge
from quintet.chat.deleting import finish_deletions
from quintet.periodic import Periodic
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
        self._looking = Periodic("deleting what is to go", self._look, period)
        self.start = self._looking.start
        self.close = self._looking.close

    async def catch_up(self) -> None:
        """Finish what a dead process had begun to delete: before anything is served.

        Raises:
            QuintetError: the store cannot.
        """
        if finished := await finish_deletions(self._store, self._sources):
            logger.warning("%d threads were being deleted when the last server ended: finished", finished)

    async def _look(self) -> None:
        before = self._sources.now_ms() - UNSENT_MS
        while await self._store.write("", partial(purge, before_ms=before)):
            pass
        await finish_deletions(self._store, self._sources)
