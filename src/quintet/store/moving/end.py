"""One of the two databases of a move, and what is said where it cannot take place."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from quintet.store.base import Tx
from quintet.store.schema import REVISION

__all__ = ["End", "MoveError", "refuse_version"]


class MoveError(Exception):
    """Nothing was moved. `what` and `fix` are a sentence each."""

    def __init__(self, what: str, fix: str) -> None:
        self.what = what
        self.fix = fix
        super().__init__(what)


@dataclass(frozen=True, slots=True)
class End:
    """One of the two, inside its transaction. `stream` gives the rows that a statement selects, few in memory at a time.

    `holds_nul`: its texts may hold that character.
    """

    tx: Tx
    stream: Callable[[str], Iterable[Sequence[Any]]]
    holds_nul: bool


def refuse_version(found: str | None) -> None:
    """Raises `MoveError`: there is nothing, or not what this version knows."""
    if found is None:
        raise MoveError("There is no database to move", "Look at --from, or at --data.")
    if found != REVISION:
        raise MoveError("The database to move is not of this version", "Migrate it: quintet migrate --database …")
