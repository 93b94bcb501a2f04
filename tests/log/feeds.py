"""A feed as delivery keeps one, and a way for wake-ups to get lost, doubled or late between the store and the log."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from quintet.errors import QuintetError
from quintet.log import Log, Position, Row
from quintet.store import Elsewhere, Store, Tx

__all__ = ["Feed", "Telling"]

T = TypeVar("T")
Listener = Callable[[Sequence[Any]], None]


class Telling:
    """A store whose commits are told to the log `now`, `lost`, `doubled`, `held`, or as those of another process (`elsewhere`);
    everything else is the store's own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: list[tuple[Listener, Sequence[Any]]] = []
        self.how = "now"
        self.counts: dict[str, int] = {}
        self.away = False
        self.refused = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def read(self, fn: Callable[[Tx], T]) -> T:
        """See `Store.read`; refused while it is `away`."""
        if self.away:
            self.refused += 1
            raise QuintetError("unavailable")
        return await self._store.read(fn)

    def on_commit(self, listener: Listener) -> None:
        """See `Store.on_commit`."""
        self._store.on_commit(lambda facts: self._tell(listener, list(facts)))

    def _tell(self, listener: Listener, facts: Sequence[Any]) -> None:
        self.counts[self.how] = self.counts.get(self.how, 0) + 1
        if self.how == "held":
            self._held.append((listener, facts))
        if self.how == "elsewhere":
            listener([Elsewhere(fact.user_id) for fact in facts])
        for _ in range({"now": 1, "doubled": 2}.get(self.how, 0)):
            listener(facts)

    def release(self, *, backwards: bool = False) -> None:
        """Tell now what was held."""
        held, self._held = self._held, []
        for listener, facts in reversed(held) if backwards else held:
            listener(facts)


class Feed:
    """Registers, resolves, reads when woken, and keeps the client's rule: each row is the next one."""

    def __init__(self, log: Log, user_id: str, woken: Callable[[], None] = lambda: None) -> None:
        self.log = log
        self.user_id = user_id
        self.woken = True
        self.rows: list[Row] = []
        self.start = self.last = 0
        self._also = woken
        self.follower = log.follow(user_id, self._wake)

    def _wake(self) -> None:
        self.woken = True
        self._also()

    async def begin(self, asked: str) -> "Feed":
        """Stand at a cursor."""
        position = await self.log.resolve(self.user_id, asked)
        assert isinstance(position, Position)
        self.start = self.last = position.after
        return self

    def apply(self, rows: Sequence[Row]) -> None:
        """Take rows over."""
        for row in rows:
            assert row.first_seq == self.last + 1, f"{row.first_seq} came after {self.last}"
            self.rows.append(row)
            self.last = row.seq

    async def step(self, **bounds: int) -> bool:
        """Read once, if there is a reason to. True while there may be more."""
        if not self.woken:
            return False
        self.woken = False
        rows = (await self.log.read(self.user_id, self.last, **bounds)).rows
        self.apply(rows)
        self.woken = self.woken or bool(rows)
        return self.woken

    async def catch_up(self) -> None:
        """Read until there is no reason to."""
        while await self.step():
            pass
