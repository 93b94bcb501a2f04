"""The two databases of a move, and what must hold of each before anything is copied.

1. Nobody serves the source, and nobody begins to while it is read: what was written meanwhile would be missing.
2. The target has no row yet, and nobody else writes there.
3. All of the target is one transaction, or a file that gets its name at the end: a kill leaves nothing that could be taken for whole.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quintet.store.moving.end import End, MoveError, refuse_version
from quintet.store.reaching import UnreachableError
from quintet.store.schema import REVISION, is_postgres, revision_of

__all__ = ["opened_source", "opened_target"]

_SQLITE = "sqlite:///"


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
