"""Shards moved from one cell to another, while nobody serves them.

1. First they are closed in the old cell, in one transaction: its heads take nothing more, whoever asks, and runs and deletions are set aside,
   so that no worker finds them.
2. All is copied into the new cell in one transaction, which commits after both sides were read back and compared. From then on it is there.
3. Only then it is deleted in the old cell, but for the closed heads, and only then the new one holds the shards and may be given them.
4. Each step is done or not done when it is killed. A move that is started again with the same words goes on behind the last one that was done.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg

from quintet.store import schema
from quintet.store.base import Tx
from quintet.store.cells import Holding, MapError, holding_in, ranges
from quintet.store.cells.enrolling import named
from quintet.store.moving.batches import Progress
from quintet.store.moving.end import MoveError, refuse_version
from quintet.store.moving.move import Moved
from quintet.store.moving.parting import clean, close, copied, is_set_aside, settled
from quintet.store.nodes import others_in
from quintet.store.postgres.alone import alone
from quintet.store.reaching import UnreachableError

__all__ = ["Move", "move_shards"]

_ONE_AT_A_TIME = "SELECT pg_try_advisory_xact_lock(20837, 2)"
_HOLD = (
    "INSERT INTO shards (shard, cell) SELECT shard, ? FROM generate_series(?, ?) AS s (shard)"
    " ON CONFLICT (shard) DO UPDATE SET cell = excluded.cell"
)
_CHANGED = "UPDATE cell SET changes = changes + 1"


class Move(NamedTuple):
    """What is to be moved: `shards` from one database to another one, of the installation whose accounts are in `home`.

    `digest` is of the map that every process must have, in which they are nobody's; one is dead that was not heard of for `life_ms`.
    `keep`: as for the servers, see `Dialing`.
    """

    home: str
    source: str
    target: str
    shards: range
    digest: str
    life_ms: int
    keep: bool

    @property
    def bounds(self) -> tuple[int, int]:
        """The first shard and the last."""
        return self.shards[0], self.shards[-1]


class _Ends(NamedTuple):
    """What the three databases know."""

    home: Holding
    source: Holding
    target: Holding


def move_shards(move: Move, *, new_name: Callable[[], str], progress: Progress = lambda *_: None) -> Moved:
    """Move them, or what is left of that; `progress` gets what is done, rows done and rows in all. No rows: they were there already.

    Raises:
        MoveError: it did not begin, or goes on when it is started again.
    """
    began = time.monotonic()
    with _told(), _only_one(move):
        ends = _looked_at(move, new_name)
        rows: dict[str, int] = {}
        if _holders(ends.home, move) != {ends.target.name}:
            _leave(move, ends, progress)
            rows = _carry(move, ends, progress)
            _arrive(move, ends, progress)
    return Moved(rows, time.monotonic() - began)


@contextmanager
def _told() -> Iterator[None]:
    """What stands in the way, in words for the operator."""
    again = "Look at it, then start the move again."
    try:
        yield
    except MapError as error:
        raise MoveError(error.what, error.fix) from error
    except UnreachableError as error:
        why = next(iter(str(error).splitlines()), "").strip()
        raise MoveError(f"A database does not answer ({why})", again) from error
    except psycopg.Error as error:
        why = next(iter(str(error).splitlines()), type(error).__name__)
        raise MoveError(f"PostgreSQL broke off ({why})", again) from error


@contextmanager
def _only_one(move: Move) -> Iterator[None]:
    refuse_version(schema.revision_of(move.home))
    with alone(move.home, keep=move.keep, also="SET LOCAL idle_in_transaction_session_timeout = 0") as (tx, _):
        if not tx.sql(_ONE_AT_A_TIME).fetchone()[0]:
            raise MoveError("Another move is under way", "Wait for its end.")
        yield


def _looked_at(move: Move, new_name: Callable[[], str]) -> _Ends:
    """The three, after all that must hold. Raises `MoveError`, `MapError`."""
    refuse_version(schema.revision_of(move.source))
    with alone(move.home, keep=move.keep) as (tx, _):
        home = _known(tx)
        _refuse_other_maps(tx, move)
    with alone(move.source, keep=move.keep) as (tx, _):
        source, set_aside = _known(tx), is_set_aside(tx)
    schema.migrate(move.target)
    with alone(move.target, keep=move.keep) as (tx, _):
        target = holding_in(tx) or named(tx, home.name, new_name)
    if {source.home, target.home} != {home.name}:
        raise MoveError("The two cells are not of this installation", "Look at QUINTET_DATABASE_URL, --from and --to.")
    if source.name == target.name:
        raise MoveError("--from and --to are the same database", "Name another one.")
    _refuse_unfit(move, _Ends(home, source, target), set_aside)
    return _Ends(home, source, target)


def _known(tx: Tx) -> Holding:
    found = holding_in(tx)
    if found is None:
        raise MoveError("A database is none of this installation's cells", "Run: quintet migrate, with QUINTET_CELLS.")
    return found


def _refuse_other_maps(tx: Tx, move: Move) -> None:
    if others := others_in(tx, move.digest, move.life_ms):
        told = ", ".join(f"{other.role} {other.id} on {other.host}" for other in others)
        raise MoveError(
            f"Not every process has this QUINTET_CELLS, in which the shards are nobody's ({told})",
            "Restart those with it, or stop them. One that was killed is counted until its life is over.",
        )


def _refuse_unfit(move: Move, ends: _Ends, set_aside: bool) -> None:
    """Of what the databases know, is this a move that can begin, or one that began?"""
    coming = f"-{ends.target.name}"
    holders = _holders(ends.home, move)
    begun = {shard for shard, holder in ends.home.holders.items() if holder.startswith("-")}
    if not begun and set_aside:  # killed between the old cell and the accounts' database
        begun = {shard for shard, holder in ends.source.holders.items() if _is_leaving(holder, shard, ends)}
    if begun and begun != set(move.shards):
        raise MoveError(
            f"A move that was begun is not at its end (shards {ranges(sorted(begun))})", "Start it again first."
        )
    if holders == {ends.target.name}:
        return
    if holders not in ({ends.source.name}, {coming}) or _holders(ends.source, move) not in (
        {ends.source.name},
        {coming},
    ):
        raise MoveError(
            "The cell to move from does not hold these shards, or not to go to this one", "See quintet status."
        )


def _is_leaving(holder: str, shard: int, ends: _Ends) -> bool:
    return holder.startswith("-") and ends.home.holders.get(shard) == ends.source.name


def _holders(known: Holding, move: Move) -> set[str | None]:
    return {known.holders.get(shard) for shard in move.shards}


def _leave(move: Move, ends: _Ends, progress: Progress) -> None:
    """Nobody holds them from here on; the old cell first, for it is asked before every new place."""
    coming = f"-{ends.target.name}"
    if _holders(ends.source, move) != {coming}:
        progress("Closing", 0, 1)
        with alone(move.source, keep=move.keep) as (tx, _):
            tx.sql("UPDATE shards SET cell = ? WHERE shard BETWEEN ? AND ?", (coming, *move.bounds))
            tx.sql(_CHANGED)
            close(tx, move.shards)
    progress("Leaving", 0, 1)
    if _holders(ends.home, move) != {coming}:
        with alone(move.home, keep=move.keep) as (tx, _):
            tx.sql("UPDATE shards SET cell = ? WHERE shard BETWEEN ? AND ?", (coming, *move.bounds))
            tx.sql(_CHANGED)


def _carry(move: Move, ends: _Ends, progress: Progress) -> dict[str, int]:
    """Copy and compare, then delete what was copied, as far as that was not done before; the rows that were copied."""
    rows: dict[str, int] = {}
    read_only = "REPEATABLE READ READ ONLY"
    with alone(move.source, keep=move.keep, isolation=read_only) as source:
        if not is_set_aside(source.tx):
            return rows
        with alone(move.target, keep=move.keep) as target:
            rows = copied(source, target, housed=ends.target.name != ends.home.name, progress=progress)
    progress("Deleting", 0, 1)
    with alone(move.source, keep=move.keep) as (tx, _):
        clean(tx)
    return rows


def _arrive(move: Move, ends: _Ends, progress: Progress) -> None:
    """The new cell holds them; the accounts' database says so last."""
    for url, step in ((move.target, "Arriving"), (move.home, "Ending")):
        progress(step, 0, 1)
        with alone(url, keep=move.keep) as (tx, _):
            tx.sql(_HOLD, (ends.target.name, *move.bounds))
            tx.sql(_CHANGED)
            if url == move.target:
                settled(tx)
