"""PostgreSQL as the store: lanes that write, readers, one truth for any number of processes."""

import asyncio
import contextlib
import logging
import zlib
from collections.abc import Collection

from quintet.errors import QuintetError
from quintet.store.asking import Asking
from quintet.store.base import Elsewhere, Renewed
from quintet.store.figures import Figures, Histogram
from quintet.store.notices import Channel, Notices
from quintet.store.postgres.channel import PostgresChannel
from quintet.store.postgres.connection import ReadingConnection, WritingConnection
from quintet.store.postgres.dialing import Dialing
from quintet.store.postgres.lane import Lane
from quintet.store.postgres.lending import refuse_lent
from quintet.store.postgres.marks import prune
from quintet.store.readers import Readers

__all__ = ["PostgresStore"]

log = logging.getLogger(__name__)

_LANES = 4  # beside the one for what is about everybody
_READERS = 3
_WORKER = "wrk_"  # how the id of a worker begins


class PostgresStore(Asking):
    """A store in a PostgreSQL database. What is about a user is written by the lane of that user, the rest by one of its own."""

    shared = True

    def __init__(self, url: str, *, keep: bool = False, wakes_url: str | None = None) -> None:
        """`keep`: epochs outlast a failover, because it is known to lose nothing. `wakes_url`: a Valkey that carries the notices."""
        super().__init__()
        self.dialing = Dialing(url, keep=keep)
        self.dialing.renewed = self._renewed
        self.notices = Notices(self._channel(wakes_url), self._heard)
        self._lanes = [Lane(self._writing, self.wakes, self._publish, self.notices) for _ in range(_LANES + 1)]
        self._readers = Readers(lambda: ReadingConnection(self.dialing), _READERS)

    def _channel(self, wakes_url: str | None) -> Channel:
        if wakes_url is None:
            return PostgresChannel(self.dialing)
        from quintet.store.valkey import ValkeyChannel

        return ValkeyChannel(wakes_url, lambda: f"quintet:{self.dialing.name}")

    def _writing(self) -> WritingConnection:
        return WritingConnection(self.dialing)

    async def start(self) -> None:
        """Connect and start the threads. The database must be migrated.

        Raises:
            quintet.store.reaching.LentError: a pooler in transaction mode stands before it.
            quintet.store.reaching.UnreachableError: it cannot be reached.
        """
        await asyncio.get_running_loop().run_in_executor(None, refuse_lent, self.dialing)
        for lane in self._lanes:
            lane.start()
        self._readers.start()
        self.notices.start()
        with contextlib.suppress(QuintetError):  # it can wait for the next start
            self.submit("", prune)

    def _renewed(self) -> None:
        """Before the first use of another cluster: what is known here of the logs, and what is being run, is of the one before."""
        self._publish([Renewed()])
        self.wakes.wake(["renewed"])

    def _heard(self, topics: Collection[str], users: Collection[str]) -> None:
        """In the listening thread: another process has committed."""
        self._publish([Elsewhere(user_id) for user_id in users])
        self.wakes.wake(topics)

    async def close(self) -> None:
        """Commit what is queued, stop the threads."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._readers.close)
        for lane in self._lanes:
            if not await loop.run_in_executor(None, lane.close):
                log.error("a lane did not end in time")
        await loop.run_in_executor(None, self.notices.close)

    @property
    def in_touch(self) -> bool:
        """See `Store.in_touch`."""
        return self.notices.telling and self.notices.hearing

    def figures(self) -> Figures:
        """See `Store.figures`."""
        commits = Histogram(self._lanes[0].times.bounds)
        for lane in self._lanes:
            commits.merge(lane.times)
        return Figures(commits, sum(lane.waiting for lane in self._lanes), self._readers.waiting)

    def _writer(self, key: str) -> Lane:
        # A beat must not wait behind users for whom another process writes just now, or has fallen asleep over.
        apart = not key or key.startswith(_WORKER)
        return self._lanes[0 if apart else 1 + zlib.crc32(key.encode()) % _LANES]
