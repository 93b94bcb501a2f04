"""The databases that the kernel's conformance suite runs on, each real. A new one joins the table and nothing else changes."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from quintet.store import Store, Tx, open_store
from support.postgres import PostgresDatabase

__all__ = ["DATABASES", "Database", "SqliteDatabase", "database_at"]


class Database(Protocol):
    """One empty, migrated database, and what a test does to it from outside."""

    url: str

    def open(self) -> Store:
        """A store on it, not started; the same database each time."""
        ...

    def rows(self, statement: str, params: Sequence[Any] = ()) -> list[Any]:
        """What is committed, seen by another connection."""
        ...

    def change(self, statement: str, params: Sequence[Any] = ()) -> None:
        """Change it behind the store's back."""

    def fill(self, tx: Tx) -> None:
        """Leave no room for anything large; inside a write."""

    def empty(self, tx: Tx) -> None:
        """Give the room back; inside a write."""

    def copied(self, to: Path) -> Path:
        """All that is committed, of one moment, in a SQLite file."""
        ...

    def check(self) -> None:
        """Raise AssertionError when the database is damaged."""


_templates = TemporaryDirectory(prefix="quintet-template-")


@cache
def _sqlite_template() -> Path:
    from quintet.store import schema

    path = Path(_templates.name) / "template.db"
    schema.migrate(f"sqlite:///{path}")
    return path


class SqliteDatabase:
    """A file in the test's own folder, copied from one that was migrated once."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "quintet.db"
        self.url = f"sqlite:///{self.path}"
        shutil.copy(_sqlite_template(), self.path)

    def open(self) -> Store:
        """See `Database`."""
        return open_store(self.url)

    def rows(self, statement: str, params: Sequence[Any] = ()) -> list[Any]:
        """See `Database`."""
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(statement, params).fetchall()

    def change(self, statement: str, params: Sequence[Any] = ()) -> None:
        """See `Database`."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(statement, params)

    def fill(self, tx: Tx) -> None:
        """See `Database`. A few pages stay, enough for what is small."""
        used = tx.sql("PRAGMA page_count").fetchone()[0]
        tx.sql(f"PRAGMA max_page_count = {used + 12}").fetchone()

    def empty(self, tx: Tx) -> None:
        """See `Database`."""
        tx.sql("PRAGMA max_page_count = 1073741823").fetchone()

    def copied(self, to: Path) -> Path:
        """See `Database`."""
        self.rows("VACUUM INTO ?", (str(to),))
        return to

    def check(self) -> None:
        """See `Database`."""
        assert self.rows("PRAGMA quick_check") == [("ok",)]


DATABASES: dict[str, Callable[[Path], Database]] = {"sqlite": SqliteDatabase, "postgres": PostgresDatabase}


def database_at(path: Path) -> str:
    """The URL of a database for a test that needs one of its own; on PostgreSQL where the whole run is to be (`make test-postgres`)."""
    if os.environ.get("QUINTET_TEST_DATABASE") != "postgres":
        return f"sqlite:///{path}"
    if path not in _at:
        _at[path] = PostgresDatabase().url
    return _at[path]


_at: dict[Path, str] = {}
