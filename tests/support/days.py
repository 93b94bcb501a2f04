"""A log over many days: its looks, what can be read, what is stored, in which tables."""

import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from quintet import runs
from quintet.chat.deleting import delete_thread
from quintet.events import decode
from quintet.log import Expiring, Log, Position
from quintet.runs import Leased
from quintet.scope import UserScope
from quintet.sources import Sources
from quintet.store import Store
from support.databases import Database
from support.kernel import Kernel, within

__all__ = ["DAY", "KEPT", "Calendar", "House", "opened"]

DAY = 86_400_000  # milliseconds
KEPT = 8  # days, so that a segment lasts one


class Calendar:
    """`now` is what the kernel takes for the time, in milliseconds since 1970."""

    def __init__(self, kernel: Kernel) -> None:
        self.now = 1_800_000_000_000
        kernel.sources = _at(kernel.sources, lambda: self.now)


def _at(sources: Sources, now_ms: Callable[[], int]) -> Sources:
    """The same sources with another clock."""
    return dataclasses.replace(sources, now_ms=now_ms)


class House:
    """A store whose events are kept for eight days, and the hour of its looks in a test's hand."""

    def __init__(self, kernel: Kernel, database: Database) -> None:
        self.kernel = kernel
        self.database = database
        self.clock = Calendar(kernel)
        self.expiring = Expiring(kernel.store, kernel.sources, KEPT)

    async def look(self, times: int = 1) -> None:
        """What the hourly look does."""
        for _ in range(times):
            await within(self.expiring.look())

    async def days(self, number: int) -> None:
        """Days go by with a look in each of them."""
        for _ in range(number):
            self.clock.now += DAY
            await self.look()

    async def told(self, user: str, thoughts: int = 3) -> Leased:
        """A run from its message to its ending."""
        run = await self.kernel.running(user)
        await self.kernel.append(run, *(self.kernel.thought(run, str(number)) for number in range(thoughts)))
        await self.kernel.close(run, runs.Failed("agent_error"))
        return run

    async def delete(self, user: str, run: Leased) -> None:
        """The thread of a run."""
        moment = self.kernel.moment()
        await within(delete_thread(self.kernel.store, UserScope(user), run.thread_id, moment, most_running=5))

    async def readable(self, user: str) -> tuple[int, list[tuple[int, int, str]]]:
        """Up to where events are gone, and what is read after that; the numbers have no hole."""
        beginning = await within(self.kernel.log.resolve(user, "0"))
        assert isinstance(beginning, Position)
        rows = [
            (row.first_seq, row.seq, decode(row.frame).type) for row in await self.kernel.rows(user, beginning.after)
        ]
        assert [first for first, _, _ in rows] == [beginning.after + 1, *(seq + 1 for _, seq, _ in rows[:-1])][
            : len(rows)
        ]
        return beginning.after, rows

    def tables(self) -> set[str]:
        """The partitions that there are."""
        found = self.database.rows(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events'::regclass"
        )
        return {name for (name,) in found}

    def stored(self, user: str) -> list[int]:
        """The numbers whose rows are in the database, read or not."""
        return [seq for (seq,) in self.database.rows("SELECT seq FROM events WHERE user_id = ? ORDER BY seq", (user,))]


@asynccontextmanager
async def opened(database: Database, store: Store | None = None) -> AsyncIterator[House]:
    """A started store with its log."""
    store = store or database.open()
    await within(store.start())
    log = Log(store)
    await log.start()
    try:
        yield House(Kernel(store, log), database)
    finally:
        await log.close()
        await within(store.close())
