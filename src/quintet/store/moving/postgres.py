"""A PostgreSQL database as one end of a move: one transaction, with locks that keep every other writer out until it ends."""

import contextlib
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg
from psycopg import RawCursor

from quintet.store import schema
from quintet.store.moving.end import End, MoveError
from quintet.store.moving.tables import moved_tables
from quintet.store.postgres.alone import LONG
from quintet.store.postgres.dialing import Dialing, Raw
from quintet.store.postgres.transaction import PostgresTx
from quintet.store.reaching import UnreachableError

__all__ = ["source", "streamed", "target"]

_PATIENCE = 2.0  # seconds for connections that are just ending, such as those of a move that was killed
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'quintet'"
    " AND pid <> pg_backend_pid()"
)


@contextmanager
def source(url: str) -> Iterator[End]:
    """See `opened_source`."""
    with _transaction(url, "ISOLATION LEVEL REPEATABLE READ", "SHARE", "moved") as end:
        yield end


@contextmanager
def target(url: str) -> Iterator[End]:
    """See `opened_target`."""
    schema.migrate(url)
    with _transaction(url, "ISOLATION LEVEL READ COMMITTED", "SHARE ROW EXCLUSIVE", "filled") as end:
        _refuse_what_is_there(end)
        yield end
        for table in moved_tables():
            if table.autoincrement_column is not None:
                counted = f"pg_get_serial_sequence('{table.name}', '{table.autoincrement_column.name}')"
                highest = f"SELECT max({table.autoincrement_column.name}) FROM {table.name}"  # noqa: S608 - of the schema
                end.tx.sql(f"SELECT setval({counted}, ({highest}))")


def _refuse_what_is_there(end: End) -> None:
    for table in moved_tables():
        if end.tx.sql(f"SELECT 1 FROM {table.name} LIMIT 1").fetchone():  # noqa: S608 - of the schema
            raise MoveError("The database to move to is not empty", "Make an empty one, and let no server start on it.")


@contextmanager
def _transaction(url: str, isolation: str, lock: str, what: str) -> Iterator[End]:
    try:
        raw, core = Dialing(url).dial()
    except UnreachableError as error:
        raise MoveError(f"A database does not answer ({error})", "Start PostgreSQL, or correct the address.") from error
    try:
        _refuse_others(raw, what)
        raw.execute(f"BEGIN {isolation}".encode())
        raw.execute(LONG.encode())
        try:
            raw.execute(f"LOCK TABLE {', '.join(table.name for table in moved_tables())} IN {lock} MODE".encode())
        except psycopg.errors.LockNotAvailable:
            raise _served(what) from None
        yield End(PostgresTx(raw, core), partial(streamed, raw), holds_nul=False)
        raw.execute(b"COMMIT")
    except psycopg.OperationalError as error:
        raise MoveError(f"PostgreSQL broke off ({error})", "Look at its log, then start the move again.") from error
    finally:
        with contextlib.suppress(Exception):  # also of a connection that is gone
            core.close()
        raw.close()  # takes back what was not committed


def _refuse_others(raw: Raw, what: str) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        row = raw.execute(_OTHERS.encode()).fetchone()
        if row is None or not row[0]:
            return
        if time.monotonic() > until:
            raise _served(what)
        time.sleep(0.1)


def _served(what: str) -> MoveError:
    return MoveError(f"The database to be {what} is in use by another process of Quintet", "Stop all of them first.")


def streamed(raw: Raw, statement: str) -> Iterable[tuple[Any, ...]]:
    return RawCursor(raw).stream(statement.encode(), binary=True)
