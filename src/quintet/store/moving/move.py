"""The move itself: copy, read both sides again, compare, and only then let the target's transaction commit.

1. In batches that are bounded in rows and bytes, whatever the size of the installation.
2. Every stream begins a new epoch: the two databases may give the same numbers from here on, so cursors of the one are worth nothing in the other.
3. What is compared is read back from the tables, never what was sent.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Table

from quintet.store.base import Tx
from quintet.store.cells import holding_in
from quintet.store.moving.batches import Progress, Steps, batches
from quintet.store.moving.end import End, MoveError
from quintet.store.moving.opening import opened_source, opened_target
from quintet.store.moving.sums import Sum
from quintet.store.moving.tables import insertion, moved_columns, moved_tables, plain, selection
from quintet.store.tables import heads

__all__ = ["Moved", "move"]


class Moved(NamedTuple):
    """What was moved: rows by table, and how long it took in seconds."""

    rows: dict[str, int]
    seconds: float


def move(
    source_url: str,
    target_url: str,
    *,
    new_epoch: Callable[[], str],
    check: Callable[[Tx, Tx], None],
    progress: Progress = lambda step, done, total: None,
) -> Moved:
    """Move everything. `check` looks at both sides before the commit; `progress` gets what is done, rows done, and rows in all.

    Raises:
        MoveError: nothing was moved.
    """
    began = time.monotonic()
    with opened_source(source_url) as source, opened_target(target_url) as target:
        _refuse_cells(source)
        rows = {table.name: _count(source, table) for table in moved_tables()}
        steps = Steps(progress, sum(rows.values()))
        for table in moved_tables():
            _copy(source, target, table, new_epoch, steps.of("Copying"))
        for table in moved_tables():
            _compare(source, target, table, steps.of("Comparing"))
        check(source.tx, target.tx)
    return Moved(rows, time.monotonic() - began)


def _refuse_cells(source: End) -> None:
    known = holding_in(source.tx)
    if known is not None and (known.home != known.name or known.other_holders):
        raise MoveError(
            "Conversations of this installation are in cells",
            "Move their shards into the accounts' database first: docs/scale.md.",
        )


def _count(end: End, table: Table) -> int:
    return int(end.tx.sql(f"SELECT count(*) FROM ({selection(table)}) AS t").fetchone()[0])  # noqa: S608 - of the schema


def _copy(source: End, target: End, table: Table, new_epoch: Callable[[], str], more: Callable[[int], None]) -> None:
    made, statement = plain(table, nul=target.holds_nul), insertion(table)
    for batch in batches(map(made, source.stream(selection(table)))):
        if table is heads:
            at = moved_columns(table).index(heads.c.epoch)
            batch = [(*row[:at], new_epoch(), *row[at + 1 :]) for row in batch]  # noqa: PLW2901
        try:
            target.tx.many(statement, batch)
        except Exception as error:
            why = next(iter(str(error).splitlines()), type(error).__name__)
            raise MoveError(f"Rows of {table.name} were refused ({why})", "Nothing was moved.") from error
        more(len(batch))


def _compare(source: End, target: End, table: Table, more: Callable[[int], None]) -> None:
    theirs, ours = (_sum(end, table, target.holds_nul) for end in (source, target))
    if theirs != ours:
        raise MoveError(
            f"{table.name} did not arrive whole: {theirs.rows} rows left, {ours.rows} came, or what is in them differs",
            "Look at the disks of both databases, then start the move again.",
        )
    more(ours.rows)


def _sum(end: End, table: Table, nul: bool) -> Sum:
    made, told = plain(table, nul=nul), Sum()
    renewed = moved_columns(table).index(heads.c.epoch) if table is heads else None
    for row in map(made, end.stream(selection(table))):
        told.add(row if renewed is None else (*row[:renewed], *row[renewed + 1 :]))
    return told
