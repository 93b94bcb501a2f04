"""What a store is: transactions as plain functions, run in an owner thread.

1. A transaction is a plain function of a `Tx`. It may run more than once and has no other effect.
2. Functions that were queued together commit together, a savepoint each; one that raises takes back only itself.
3. What a transaction publishes or wakes is handed out after its commit, and only then.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Future
from functools import cache
from itertools import chain
from typing import Any, NamedTuple, Protocol, TypeVar

from sqlalchemy import Connection

from quintet.errors import QuintetError
from quintet.store.figures import Figures
from quintet.store.wakes import Wakes

__all__ = ["FULL_SECONDS", "Elsewhere", "GatherFn", "Renewed", "Revision", "Store", "Tx"]

FULL_SECONDS = 10  # after which somebody refused for want of room may ask again

_AT_ONCE = 32  # rows in a statement

T = TypeVar("T")

# Applies many payloads in one transaction; answers each with None or the exception that refuses it.
GatherFn = Callable[["Tx", Sequence[Any]], Sequence[BaseException | None]]


class Revision(NamedTuple):
    """A fact published by a revocation: the user's `auth_rev` is now this."""

    user_id: str
    auth_rev: int


class Elsewhere(NamedTuple):
    """A fact told by another process: something of this user was committed there."""

    user_id: str


class Renewed(NamedTuple):
    """A fact: every stream has begun a new epoch, what is known of them here is worth nothing; those of one `cell`, where it names one."""

    cell: "Store | None" = None


class Tx:
    """One transaction. `core` is for SQLAlchemy Core, `sql` for the few hot statements written by hand."""

    __slots__ = ("_raw", "core", "facts", "scarce", "scrubs", "topics")

    shared = False  # with transactions beside it, which hold rows

    def __init__(self, raw: Any, core: Connection) -> None:
        self._raw = raw
        self.core = core
        self.facts: list[Any] = []
        self.topics: set[str] = set()
        self.scrubs = False
        self.scarce = False  # the disk has no room but what is kept for endings and deletions

    def sql(self, statement: str, params: Sequence[Any] = ()) -> Any:
        """Run one statement with `?` placeholders at the driver; returns its cursor."""
        return self._raw.execute(statement, params)

    def many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for many rows."""
        listed = rows if isinstance(rows, list) else list(rows)
        whole = len(listed) - len(listed) % _AT_ONCE if statement.startswith("INSERT") else 0
        for start in range(
            0, whole, _AT_ONCE
        ):  # SQLite's driver hands the interpreter's lock over at each row of its own
            self._raw.execute(_widened(statement), list(chain.from_iterable(listed[start : start + _AT_ONCE])))
        if whole < len(listed):
            self._raw.executemany(statement, listed[whole:] if whole else listed)

    def publish(self, fact: Any) -> None:
        """Hand `fact` to the store's listener after the commit."""
        self.facts.append(fact)

    def wake(self, topic: str) -> None:
        """Wake the listeners of `topic` after the commit."""
        self.topics.add(topic)

    def grow(self) -> None:
        """Say that what follows only adds. Raises QuintetError `storage_full` while room is kept for endings and deletions."""
        if self.scarce:
            raise QuintetError("storage_full", retry_after=FULL_SECONDS)

    def scrub(self) -> None:
        """After the commit, leave nothing of what was deleted in the database's files, as soon as readers allow it."""
        self.scrubs = True

    def revoke(self, user_id: str) -> int:
        """Raise the user's `auth_rev`, so that every feed of theirs asks again whether its session stands. Returns the new one."""
        row = self.sql(
            "UPDATE heads SET auth_rev = auth_rev + 1 WHERE user_id = ? RETURNING auth_rev", (user_id,)
        ).fetchone()
        if row is None:
            return 0
        self.publish(Revision(user_id, row[0]))
        return int(row[0])


@cache
def _widened(insert: str) -> str:
    """The insert of one row as one of many."""
    front, values, row = insert.partition(" VALUES ")
    return f"{front}{values}{', '.join([row] * _AT_ONCE)}"


class Store(Protocol):
    """Where facts are kept. `key` names what a write is about (the user), so that writes of one key keep their order.

    Writes and reads raise `QuintetError` `busy` (too much is waiting), `storage_full` or `unavailable`; whatever the function
    raises itself reaches its caller, and nothing of that function is stored.
    """

    wakes: Wakes
    shared: bool  # by several processes, so that a lock proves none of them dead

    @property
    def in_touch(self) -> bool:
        """Whether wake-ups pass between the processes that share it; without that they come by the slow poll."""
        ...

    @property
    def cells(self) -> "Sequence[Store]":
        """Every store with users' conversations: itself, or several of which some may be away."""
        ...

    def apart(self, user_id: str) -> "Store | None":
        """The store of what this user says, runs and hears, where it is not that of the accounts; one that refuses while it is away."""

    def of(self, user_id: str) -> "Store":
        """The store of what this user says, runs and hears."""
        ...

    async def tend(self, taken: "Callable[[Store], Awaitable[None]]") -> None:
        """Call `taken` for each cell that is there, and later for each that comes."""

    async def start(self) -> None:
        """Open the database and start the threads that own its connections."""

    async def close(self) -> None:
        """Commit what is queued, then stop."""

    async def write(self, key: str, fn: Callable[[Tx], T]) -> T:
        """Run `fn` in a transaction that is durable when this returns."""
        ...

    async def read(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` on one consistent state of the database."""
        ...

    async def gather(self, key: str, apply: GatherFn, payload: Any) -> None:
        """Queue `payload`; everything queued for the same `apply` goes through it in one call. Raises what `apply` answers."""

    def submit(self, key: str, fn: Callable[[Tx], T]) -> "Future[T]":
        """`write` for plain threads."""
        ...

    def submit_read(self, fn: Callable[[Tx], T]) -> "Future[T]":
        """`read` for plain threads."""
        ...

    def submit_gather(self, key: str, apply: GatherFn, payload: Any) -> "Future[None]":
        """`gather` for plain threads."""
        ...

    def figures(self) -> Figures:
        """Figures for the metrics, as of now."""
        ...

    def on_commit(self, listener: Callable[[Sequence[Any]], None]) -> None:
        """Call `listener` in the committing thread with the facts of each commit, in commit order."""
