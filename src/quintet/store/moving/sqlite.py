"""A file as one end of a move. The source's bytes stay as they are, also where its server was killed; the target is a draft until it is whole."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from quintet.store import schema
from quintet.store.base import Tx
from quintet.store.moving.end import End, MoveError, refuse_version
from quintet.store.publishing import publish
from quintet.store.sqlite import AlreadyServedError, SqliteStore

__all__ = ["source", "target"]

_SIDES = ("", "-wal", "-shm", "-journal")


@contextmanager
def source(path: Path) -> Iterator[End]:
    """See `opened_source`. Any connection that may write would take the log of a killed server into the file."""
    if not path.is_file():
        refuse_version(None)
    try:
        with (
            _locked(path, "moved"),
            closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as raw,
            _end(raw) as end,
        ):
            raw.execute("BEGIN")
            refuse_version(_revision(raw))  # from here on the transaction sees one moment
            yield end
    except sqlite3.Error as error:
        raise MoveError(f"The database to move cannot be read ({error})", "Look at the file and its rights.") from error


def _revision(raw: sqlite3.Connection) -> str | None:
    known = raw.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    row = known and raw.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


@contextmanager
def target(path: Path) -> Iterator[End]:
    """See `opened_target`."""
    with _locked(path, "filled"):
        if os.path.lexists(path):
            raise _exists()
        draft = path.with_name(f".{path.name}.unfinished")
        _remove(draft)  # of a move that was killed: the lock says that nobody is at it
        try:
            schema.migrate(f"sqlite:///{draft}")
            with closing(sqlite3.connect(draft)) as raw, _end(raw) as end:
                raw.execute("PRAGMA foreign_keys = ON")
                raw.execute("BEGIN IMMEDIATE")
                yield end
                raw.execute("COMMIT")
            publish(draft, path)
        except FileExistsError:
            raise _exists() from None
        except (OSError, sqlite3.Error) as error:
            raise MoveError(f"The file could not be written ({error})", "Look at the disk.") from error
        finally:
            _remove(draft)


@contextmanager
def _end(raw: sqlite3.Connection) -> Iterator[End]:
    raw.isolation_level = None  # transactions are driven by hand
    engine = create_engine("sqlite+pysqlite://", creator=lambda: raw, poolclass=StaticPool)
    try:
        with engine.connect() as core:
            yield End(Tx(raw, core), raw.execute, holds_nul=True)
    finally:
        engine.dispose()


@contextmanager
def _locked(path: Path, what: str) -> Iterator[None]:
    """With the lock of the one server."""
    store = SqliteStore(path, exclusive=True)
    try:
        store.lock()
    except AlreadyServedError:
        raise MoveError(f"The database to be {what} is being served", "Stop that server first.") from None
    except OSError as error:
        raise MoveError(f"Its folder cannot be used ({error.strerror})", "Look at its rights.") from error
    try:
        yield
    finally:
        store.unlock()


def _remove(draft: Path) -> None:
    for side in _SIDES:
        draft.with_name(draft.name + side).unlink(missing_ok=True)


def _exists() -> MoveError:
    return MoveError("The file to move to exists already", "Name one that does not.")
