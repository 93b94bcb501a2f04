"""The move itself: copy, read both sides again, compare, and only then let the target's transaction commit.

1. In batches that are bounded in rows and bytes, whatever the size of the installation.
2. Every stream begins a new epoch: the two databases may give the same numbers from here on, so cursors of the one are worth nothing in the other.
3. What is compared is read back from the tables, never what was sent.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Table

from quintet.store.base import Tx
from quintet.store.moving.end import End, MoveError
from quintet.store.moving.opening import opened_source, opened_target
from quintet.store.moving.sums import Sum
from quintet.store.moving.tables import Row, insertion, moved_tables, plain, selection
from quintet.store.tables import heads

__all__ = ["Moved", "move"]

_ROWS = 500
_BYTES = 1 << 20  # of one batch; more where one row alone is larger

Progress = Callable[[str, int, int], None]


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
        rows = {table.name: _count(source, table) for table in moved_tables()}
        steps = _Steps(progress, sum(rows.values()))
        for table in moved_tables():
            _copy(source, target, table, new_epoch, steps.of("Copying"))
        for table in moved_tables():
            _compare(source, target, table, steps.of("Comparing"))
        check(source.tx, target.tx)
    return Moved(rows, time.monotonic() - began)


class _Steps:
    """How far a step is, over all tables."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done: dict[str, int] = {}

    def of(self, step: str) -> Callable[[int], None]:
        def more(rows: int) -> None:
            self._done[step] = self._done.get(step, 0) + rows
            self._progress(step, self._done[step], self._total)

        return more


def _count(end: End, table: Table) -> int:
    return int(end.tx.sql(f"SELECT count(*) FROM {table.name}").fetchone()[0])  # noqa: S608 - of the schema


def _copy(source: End, target: End, table: Table, new_epoch: Callable[[], str], more: Callable[[int], None]) -> None:
    made, statement = plain(table, nul=target.holds_nul), insertion(table)
    for batch in _batches(map(made, source.stream(selection(table)))):
        if table is heads:
            at = list(table.c).index(heads.c.epoch)
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
    renewed = list(table.c).index(heads.c.epoch) if table is heads else None
    for row in map(made, end.stream(selection(table))):
        told.add(row if renewed is None else (*row[:renewed], *row[renewed + 1 :]))
    return told


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += _size(row)
        if len(batch) >= _ROWS or size >= _BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _size(row: Sequence[Any]) -> int:
    return sum(len(value) for value in row if isinstance(value, str | bytes))
