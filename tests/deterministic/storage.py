"""The real SQLite store, its threads taken step by step: between a transaction, its commit, its telling and its answers anything may happen.

Faults are asked for by their share: commits that a full disk refuses, tellings and wake-ups that get lost or come twice.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from deterministic.scheduler import Scheduler
from quintet.log.numbers import Appended
from quintet.store import Tx
from quintet.store.readers import _read
from quintet.store.sqlite import SqliteStore
from quintet.store.work import Item, settle

__all__ = ["Faults", "Moment", "SteppedStore"]


class Moment(NamedTuple):
    """When something was committed: by the clock, and in the order of steps."""

    time: float
    step: int


class Faults:
    """Shares, from 0 to 1, and how often each has struck."""

    def __init__(self, full: float = 0.0, lost: float = 0.0, doubled: float = 0.0) -> None:
        self.full = full
        self.lost = lost
        self.doubled = doubled
        self.struck: dict[str, int] = {}

    def heal(self) -> None:
        """From now on nothing fails."""
        self.full = self.lost = self.doubled = 0.0

    def strikes(self, name: str, scheduler: Scheduler) -> bool:
        """Whether it happens now."""
        share: float = getattr(self, name)
        if not share or scheduler.chance.random() >= share:
            return False
        self.struck[name] = self.struck.get(name, 0) + 1
        return True


class _Deferred:
    """The committer's connection; what it commits is committed by a later step."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self.at_once = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def commit(self) -> None:
        """Later, but for what is run again one by one."""
        if self.at_once:
            self._database.commit()


class _Committing:
    """The committer's strand."""

    name = "committer"

    def __init__(self, store: "SteppedStore", scheduler: Scheduler) -> None:
        self._store = store
        self._scheduler = scheduler
        self._committer = store._committer
        self._database = _Deferred(self._committer._connect())
        self._database._database._raw.execute("PRAGMA synchronous = OFF")  # no crash is played here
        self._rest: deque[Callable[[], None]] = deque()
        setattr(self._committer, "_tell", self._tell)  # noqa: B010 - a method is replaced
        self.order: list[str] = ["commit", "publish", "wake", "settle"]

    @property
    def ready(self) -> bool:
        return bool(self._rest) or self._committer.waiting > 0

    def due(self) -> None:
        return None

    def step(self) -> None:
        if self._rest:
            self._rest.popleft()()
            return
        batch = self._committer._inbox.take_all(self._scheduler.chance.randint(1, 8))
        if batch is not None:
            self._committer._commit(self._database, batch)

    def _tell(self, tx: Tx, batch: list[Item]) -> None:
        steps = {
            "commit": partial(self._commit, tx, batch),
            "publish": partial(self._publish, tx),
            "wake": partial(self._wake, tx),
            "settle": partial(settle, batch),
        }
        if self._database.at_once:
            self._store.committed(tx.facts)
            del steps["commit"]
        self._rest.extend(steps[name] for name in self.order if name in steps)

    def _commit(self, tx: Tx, batch: list[Item]) -> None:
        database = self._database._database
        if not self._store.faults.strikes("full", self._scheduler):
            database.commit()
            self._store.committed(tx.facts)
            return
        self._rest.clear()
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        self._database.at_once = True
        self._committer._lost(self._database, batch, error)
        self._database.at_once = False

    def _publish(self, tx: Tx) -> None:
        for _ in range(self._times()):
            if tx.facts:
                self._committer._publish(tx.facts)

    def _wake(self, tx: Tx) -> None:
        for _ in range(self._times()):
            self._store.wakes.wake(sorted(tx.topics))

    def _times(self) -> int:
        if self._store.faults.strikes("lost", self._scheduler):
            return 0
        return 2 if self._store.faults.strikes("doubled", self._scheduler) else 1

    def close(self) -> None:
        self._database.close()


class _Reading:
    """One reader's strand."""

    def __init__(self, store: "SteppedStore", number: int) -> None:
        self.name = f"reader {number}"
        self._inbox = store._readers._inbox
        self._database = store._readers._connect()
        self._read: Item | None = None

    @property
    def ready(self) -> bool:
        return self._read is not None or len(self._inbox) > 0

    def due(self) -> None:
        return None

    def step(self) -> None:
        if self._read is not None:
            settle([self._read])
            self._read = None
        elif (item := self._inbox.take()) is not None:
            _read(self._database, item)
            self._read = item

    def close(self) -> None:
        self._database.close()


class SteppedStore(SqliteStore):
    """See above. `committed_at` has when each event was committed."""

    def __init__(self, path: Path, scheduler: Scheduler, faults: Faults) -> None:
        super().__init__(path, exclusive=False)
        self.faults = faults
        self.committed_at: dict[tuple[str, int], Moment] = {}
        self._scheduler = scheduler
        self.committing = _Committing(self, scheduler)
        self._strands: list[_Committing | _Reading] = [self.committing, *(_Reading(self, n) for n in range(2))]
        for strand in self._strands:
            scheduler.add(strand)

    async def start(self) -> None:
        """Its strands have started with it."""

    async def close(self) -> None:
        """Nothing to wait for; see `end`."""

    def end(self) -> None:
        """Close the connections."""
        for strand in self._strands:
            strand.close()

    @property
    def waiting(self) -> int:
        """How much is queued, for anybody."""
        return self._committer.waiting + self._readers.waiting

    def committed(self, facts: Sequence[Any]) -> None:
        """Note when: the moment after COMMIT."""
        for fact in facts:
            if isinstance(fact, Appended):
                for place in range(len(fact.drafts)):
                    when = Moment(self._scheduler.now, self._scheduler.steps)
                    self.committed_at[(fact.user_id, fact.after + place + 1)] = when
