"""How rows go over: in batches that are bounded in rows and bytes, whatever there is, with what is done told of."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from quintet.store.moving.tables import Row

__all__ = ["Progress", "Steps", "batches"]

_ROWS = 500
_BYTES = 1 << 20  # of one batch; more where one row alone is larger

Progress = Callable[[str, int, int], None]


class Steps:
    """How far a step is, over all tables."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done: dict[str, int] = {}

    def of(self, step: str) -> Callable[[int], None]:
        """To be told of more rows of a step."""

        def more(rows: int) -> None:
            self._done[step] = self._done.get(step, 0) + rows
            self._progress(step, self._done[step], self._total)

        return more


def batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """A few rows at a time."""
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
