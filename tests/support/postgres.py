"""A PostgreSQL for the tests of the store: started by the kit when the first test asks, one a version, gone with the process."""

import atexit
import os
import shutil
from collections.abc import Sequence
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import NullPool, create_engine, insert, make_url, select

from quintet.store import Store, Tx, open_store, schema
from quintet.store.tables import metadata
from quintet.testing.services.postgres import account, binaries, folders
from quintet.testing.services.postgres.databases import Databases
from quintet.testing.services.postgres.server import TEMPLATE, PostgresServer

__all__ = ["PostgresDatabase", "own_server", "server"]

_numbers = count(1)
_REFUSE = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN IF length(NEW::text) > 20000 THEN RAISE EXCEPTION USING ERRCODE = ''disk_full'', MESSAGE = ''no room''; END IF;
RETURN NEW; END'
"""
_GROWING = ("agents", "events")


def own_server(settings: dict[str, str] | None = None, *, flags: Sequence[str] = ()) -> PostgresServer:
    """A server for one test that stops, kills or fills it; its databases' template is migrated.

    Clusters of the same `flags` of initdb are copies of one, and PostgreSQL takes them for the same system.
    """
    folder = folders.run_folder(account.ours())
    made = PostgresServer(
        "postgres",
        folder / "postgres",
        settings=settings,
        flags=flags,
        migrate=lambda server: schema.migrate(server.url),
    )

    def end() -> None:
        made.end()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    made.start()
    return made


@cache
def _server(programs: str | None) -> PostgresServer:
    if programs is not None:
        os.environ[binaries.VARIABLE] = programs
    return own_server()


def server() -> PostgresServer:
    """The server of this process, of the version that QUINTET_TEST_POSTGRES names or the machine has."""
    return _server(os.environ.get(binaries.VARIABLE))


class PostgresDatabase:
    """A clone of a database that was migrated once."""

    def __init__(self, _: object = None, on: PostgresServer | None = None) -> None:
        on = on or server()
        assert isinstance(on.databases, Databases)
        self.server = on
        self.url = on.databases.clone(TEMPLATE, f"t{next(_numbers)}").url

    def open(self) -> Store:
        """See `Database`."""
        return open_store(self.url)

    def _run(self, statement: str, params: Sequence[Any]) -> "psycopg.Cursor[Any]":
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(statement.replace("?", "%s").encode(), params or None)

    def rows(self, statement: str, params: Sequence[Any] = ()) -> list[Any]:
        """See `Database`."""
        return self._run(statement, params).fetchall()

    def change(self, statement: str, params: Sequence[Any] = ()) -> None:
        """See `Database`."""
        self._run(statement, params)

    def fill(self, tx: Tx) -> None:
        """See `Database`. The refusal is the server's own, for whatever is large."""
        tx.sql(_REFUSE)
        for table in _GROWING:
            tx.sql(f"CREATE TRIGGER full_disk BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION full_disk()")

    def empty(self, tx: Tx) -> None:
        """See `Database`."""
        tx.sql("DROP FUNCTION full_disk CASCADE")

    def copied(self, to: Path) -> Path:
        """All that is committed, of one moment, in a SQLite file."""
        url = make_url(self.url).set(drivername="postgresql+psycopg")
        theirs = create_engine(url, poolclass=NullPool, isolation_level="REPEATABLE READ")
        ours = create_engine(f"sqlite:///{to}", poolclass=NullPool)
        metadata.create_all(ours)
        with theirs.connect() as source, ours.begin() as target:
            for table in metadata.sorted_tables:
                if rows := source.execute(select(table)).mappings().all():
                    target.execute(insert(table), [dict(row) for row in rows])
        return to

    def check(self) -> None:
        """See `Database`. Every index has what its table has."""
        self.change("CREATE EXTENSION IF NOT EXISTS amcheck")
        self.rows(
            "SELECT bt_index_check(oid, true) FROM pg_class WHERE relkind = 'i' AND relnamespace = 'public'::regnamespace"
        )
