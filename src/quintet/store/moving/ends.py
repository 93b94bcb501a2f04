"""The two databases of a move, and what must hold of each before anything is copied.

1. Nobody serves the source, and nobody begins to while it is read: what was written meanwhile would be missing.
2. The target has no row yet, and nobody else writes there.
3. All of the target is one transaction, or a file that gets its name at the end: a kill leaves nothing that could be taken for whole.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quintet.store.base import Tx
from quintet.store.reaching import UnreachableError
from quintet.store.schema import REVISION, is_postgres, revision_of

__all__ = ["End", "MoveError", "opened_source", "opened_target", "refuse_version"]

_SQLITE = "sqlite:///"


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


@contextmanager
def opened_source(url: str) -> Iterator[End]:
    """The database to move, of one moment, read only. Raises `MoveError`: it is not there, of another version, or served."""
    if is_postgres(url):
        from quintet.store.moving.postgres import source

        refuse_version(_asked(url))
        with source(url) as end:
            yield end
    else:
        from quintet.store.moving.sqlite import source as file

        with file(_path(url)) as end:
            yield end


def refuse_version(found: str | None) -> None:
    """Raises `MoveError`: there is nothing, or not what this version knows."""
    if found is None:
        raise MoveError("There is no database to move", "Look at --from, or at --data.")
    if found != REVISION:
        raise MoveError("The database to move is not of this version", "Migrate it: quintet migrate --database …")


@contextmanager
def opened_target(url: str) -> Iterator[End]:
    """The database to fill; what was written is there once the block has ended well. Raises `MoveError`: it cannot be filled."""
    if is_postgres(url):
        if _asked(url) not in {None, REVISION}:
            raise MoveError("The database to move to is of another version", "Make an empty one.")
        from quintet.store.moving.postgres import target

        with target(url) as end:
            yield end
    else:
        from quintet.store.moving.sqlite import target as file

        with file(_path(url)) as end:
            yield end


def _asked(url: str) -> str | None:
    try:
        return revision_of(url)
    except UnreachableError as error:
        why = next(iter(str(error).splitlines()), "").strip()
        raise MoveError(f"A database does not answer ({why})", "Start PostgreSQL, or correct the address.") from error
    except Exception as error:
        raise MoveError(f"A database cannot be opened ({error})", "Look at its address.") from error


def _path(url: str) -> Path:
    return Path(url.removeprefix(_SQLITE)).resolve()
