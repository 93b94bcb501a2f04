"""More than one primary: accounts in the first database, and what a user says, runs and hears in a cell of its own, chosen by the user's id.

1. A user's shard is a hash of the id and never changes. Which cell has a shard is said by one map, the same in every process.
2. A cell is a store like any other and knows nothing of the others. No transaction crosses two of them.
3. A cell that is away is away for its users alone. One that was away at the start is taken in when it comes.
4. The map is compared with what the databases know (`holding`): a start with another one is refused. A shard that goes to another cell later is
   nobody's here from then on, whatever the map says; nobody is served from where their conversation was.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from quintet.errors import QuintetError
from quintet.periodic import Periodic
from quintet.store.asking import Asking
from quintet.store.base import Renewed, Store, Tx
from quintet.store.cells.holding import Holding, MapError, holding_in, unfit
from quintet.store.cells.shards import SHARDS, ranges, shard_of
from quintet.store.committer import Committer
from quintet.store.figures import Figures, Histogram
from quintet.store.reaching import UnreachableError
from quintet.store.readers import Readers
from quintet.store.schema import NotMigratedError

__all__ = ["Absent", "CellStore", "has_all", "of_all"]

_AGAIN = 2.0  # seconds between two tries to reach a cell that was away at the start
_WAIT = 5  # seconds after which somebody refused may ask again

T = TypeVar("T")
Listener = Callable[[Sequence[Any]], None]
Taken = Callable[[Store], Awaitable[None]]

log = logging.getLogger(__name__)


class Absent(Asking):
    """A cell that is not there: everything asked of it is refused with `unavailable`."""

    shared = True

    def _writer(self, key: str) -> Committer:
        raise QuintetError("unavailable", retry_after=_WAIT)

    @property
    def _readers(self) -> Readers:  # type: ignore[override]
        raise QuintetError("unavailable", retry_after=_WAIT)

    @property
    def in_touch(self) -> bool:
        """See `Store.in_touch`."""
        return False

    async def start(self) -> None:
        """Nothing to start."""

    async def close(self) -> None:
        """Nothing to close."""

    def figures(self) -> Figures:
        """See `Store.figures`."""
        return Figures(Histogram(()), 0, 0)


class CellStore:
    """The accounts' store, and beside it the cells. What is asked of it itself is asked of the accounts' store."""

    shared = True

    def __init__(
        self,
        home: Store,
        cells: Mapping[str, Callable[[], Store]],
        places: Sequence[str | None],
        *,
        checks: bool = True,
    ) -> None:
        """`cells` opens each by its name; `places` names the cell of each shard, "" the accounts' store, None nobody: it is being moved.

        Without `checks` the map is believed as it is, for whoever looks at databases and changes nothing.
        """
        if len(places) != SHARDS:
            raise ValueError(f"every one of {SHARDS} shards has a place")
        self._home = home
        self._open = cells
        self._places = list(places)
        self._checks = checks
        self._names: dict[str, str] = {}  # of the databases that are there, as they call themselves
        self._changes = 0
        self._nobody: Store = Absent()
        self._there: dict[str, Store] = dict.fromkeys(cells, self._nobody)
        self._listeners: list[Listener] = []
        self._taken: Taken | None = None
        self._reaching = Periodic("reaching for cells", self._reach, _AGAIN, at_once=False)
        self.wakes = home.wakes
        self.write, self.read, self.gather = home.write, home.read, home.gather
        self.submit, self.submit_read, self.submit_gather = home.submit, home.submit_read, home.submit_gather

    # --- whose is where -----------------------------------------------------------------------------------------------

    def apart(self, user_id: str) -> Store | None:
        """See `Store.apart`."""
        place = self._places[shard_of(user_id)]
        return None if place == "" else self._nobody if place is None else self._there[place]

    def of(self, user_id: str) -> Store:
        """See `Store.of`."""
        return self.apart(user_id) or self

    @property
    def cells(self) -> Sequence[Store]:
        """See `Store.cells`."""
        return (self._home, *self._there.values())

    # --- what is a store's --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the accounts' store, and every cell that can be reached.

        Raises:
            quintet.store.reaching.UnreachableError: the accounts' store cannot be.
            MapError: the map is not what a database knows. The store is to be closed.
        """
        await self._home.start()
        if self._checks:
            self._admit("", known := await self._known(), known)
            self._changes = known.changes
        for name in self._there:
            await self._take(name)
        self._reaching.start()

    async def _known(self) -> Holding:
        """What the accounts' database knows. Raises `MapError`: nothing; QuintetError: it cannot be asked."""
        known = await self._home.read(holding_in)
        if known is None or not known.holders:
            raise MapError("Nobody has written down which cell holds what", "Run: quintet migrate")
        return known

    def _admit(self, place: str, known: Holding, found: Holding | None) -> None:
        if problem := unfit(self._places, place, known, found):
            raise problem
        assert found is not None
        self._names[place] = found.name

    async def _reach(self) -> None:
        with contextlib.suppress(QuintetError):
            await self._look_for_moves()
        for name, found in self._there.items():
            if found is self._nobody:
                try:
                    await self._take(name)
                except MapError as error:
                    log.error("a cell is not taken in, its users have to wait: %s. %s", error.what, error.fix)

    async def _look_for_moves(self) -> None:
        """Withdraw what this process serves of shards that have gone to another cell since it began."""
        if not self._checks:
            return
        row = await self._home.read(lambda tx: tx.sql("SELECT changes FROM cell").fetchone())
        if row is None or row[0] == self._changes:
            return
        known = await self._known()
        gone = [
            shard
            for shard, place in enumerate(self._places)
            if place in self._names and known.holders.get(shard) != self._names[place]
        ]
        for shard in gone:
            self._places[shard] = None
        self._changes = known.changes
        if gone:
            log.warning("shards are being moved and served here no more, QUINTET_CELLS is an old one: %s", ranges(gone))

    async def _take(self, name: str) -> None:
        try:
            cell = await asyncio.get_running_loop().run_in_executor(None, self._open[name])
            for listener in self._listeners:
                cell.on_commit(partial(_told, cell, listener))
            await cell.start()
            await self._ask(name, cell)
        except (UnreachableError, NotMigratedError) as error:
            log.warning("a cell is away, its users have to wait: %s", error)
            return
        self._there[name] = cell
        await self._begin(name)

    async def _ask(self, name: str, cell: Store) -> None:
        """Whether it holds what the map gives it. Raises `MapError`; `UnreachableError`: it went when it was asked."""
        if not self._checks:
            return
        try:
            self._admit(name, await self._known(), await cell.read(holding_in))
        except MapError:
            await cell.close()
            raise
        except QuintetError as error:
            await cell.close()
            raise UnreachableError(error.message) from error

    async def _begin(self, name: str) -> None:
        """Have it tended. One that goes at this very moment is tried again like one that was never there."""
        cell = self._there[name]
        if self._taken is None or cell is self._nobody:
            return
        try:
            await self._taken(cell)
        except QuintetError:
            log.warning("a cell went when work on it was to begin")
            self._there[name] = self._nobody
            await cell.close()

    async def tend(self, taken: Taken) -> None:
        """See `Store.tend`."""
        self._taken = taken
        await taken(self._home)
        for name in self._there:
            await self._begin(name)

    async def close(self) -> None:
        """See `Store.close`."""
        await self._reaching.close()
        for cell in self.cells:
            await cell.close()

    def figures(self) -> Figures:
        """See `Store.figures`."""
        return Figures.together([cell.figures() for cell in self.cells if cell is not self._nobody])

    @property
    def in_touch(self) -> bool:
        """See `Store.in_touch`."""
        return all(cell.in_touch for cell in self.cells if cell is not self._nobody)

    def on_commit(self, listener: Listener) -> None:
        """See `Store.on_commit`."""
        self._listeners.append(listener)
        for cell in self.cells:
            if cell is not self._nobody:
                cell.on_commit(partial(_told, cell, listener))


async def of_all(store: Store, fn: Callable[[Tx], T]) -> list[T]:
    """What `fn` reads in every cell that is there, the accounts' store first. Raises QuintetError: that one cannot."""
    home, *others = store.cells
    found = [await home.read(fn)]
    for cell in others:
        with contextlib.suppress(QuintetError):
            found.append(await cell.read(fn))
    return found


async def has_all(store: Store) -> None:
    """That everybody's conversations are here, asked where there is no map. Raises `MapError`: they are in cells; QuintetError the store's."""
    known = await store.read(holding_in)
    if known is not None and known.other_holders:
        raise MapError(
            "Conversations of this installation are in cells", "Set QUINTET_CELLS as its other processes do."
        )


def _told(cell: Store, listener: Listener, facts: Sequence[Any]) -> None:
    """What is said of all its streams is said of this cell's alone."""
    if any(isinstance(fact, Renewed) for fact in facts):
        facts = [Renewed(cell) if isinstance(fact, Renewed) else fact for fact in facts]
    listener(facts)
