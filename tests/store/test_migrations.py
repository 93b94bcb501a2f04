"""Migrations: what they make is what the tables say, all or nothing, and a database of another version is refused."""

import os
import re
import secrets
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, pool

from quintet.store import open_store, schema
from quintet.store.tables import metadata
from quintet.testing.services.postgres.databases import Database
from support.postgres import PostgresDatabase, server

pytestmark = pytest.mark.l2


def scripts() -> ScriptDirectory:
    """The migrations that are shipped."""
    config = Config()
    config.set_main_option("script_location", "quintet.store:migrations")
    return ScriptDirectory.from_config(config)


OTHERS = {
    "sqlite": {"uq_events_segment_user_id_seq", "uq_events_segment_one_ending"},
    "postgresql": {"uq_events_user_id_seq", "uq_events_one_ending", "events_0"},
}
"""What is of the other database only, and the first partition: the tables say what is partitioned, not into what."""


def differences(engine: Engine) -> list[object]:
    """What Alembic would change to come to the tables."""
    others = OTHERS[engine.dialect.name]
    options = {
        "compare_type": True,
        "compare_server_default": True,
        "include_object": lambda _, name, *__: name not in others,
    }
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def definitions(path: Path) -> set[tuple[str, str, str]]:
    """Every table and index of a database as its own words; between them a column that was added has other blanks."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master").fetchall()
    return {
        (kind, name, re.sub(r"\s*([(),])\s*", r"\1", " ".join(sql.split())))
        for kind, name, sql in rows
        if "alembic_version" not in name
    }


def test_an_empty_database_migrated_is_what_the_tables_say(tmp_path: Path) -> None:
    """Migrating from nothing gives exactly the tables of this version: names, types, defaults, keys and partial indexes."""
    migrated, made = tmp_path / "migrated.db", tmp_path / "made.db"
    schema.migrate(f"sqlite:///{migrated}")
    engine = create_engine(f"sqlite:///{made}", poolclass=pool.NullPool)
    metadata.create_all(engine)
    assert definitions(migrated) == definitions(made)
    assert any("WHERE final = 1" in sql for _, _, sql in definitions(migrated))
    assert len([name for kind, name, _ in definitions(migrated) if kind == "trigger"]) == 3
    assert differences(create_engine(f"sqlite:///{migrated}", poolclass=pool.NullPool)) == []


def test_a_shipped_migration_does_not_follow_the_tables() -> None:
    """A migration is frozen: it names what it makes and imports nothing of ours, or it would change under databases made by it."""
    for script in scripts().walk_revisions():
        assert "quintet" not in Path(script.path).read_text()


def test_the_revision_is_the_newest_script() -> None:
    """What the store asks for is what the newest migration brings, and there is one newest."""
    assert scripts().get_heads() == [schema.REVISION]


AGAIN = """
import sys
from quintet.store import schema
schema.migrate(sys.argv[1])
print("alembic" in sys.modules)
"""


def test_a_migrated_database_is_left_alone(tmp_path: Path) -> None:
    """Asking again changes nothing, and what migrates is not even loaded: every start in development asks."""
    url = f"sqlite:///{tmp_path / 'q.db'}"
    schema.migrate(url)
    before = (tmp_path / "q.db").read_bytes()
    told = subprocess.run([sys.executable, "-c", AGAIN, url], capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout == "False\n"
    assert (tmp_path / "q.db").read_bytes() == before
    schema.check(f"sqlite:///{tmp_path / 'q.db'}")


@pytest.mark.parametrize("name", ["a b.db", "a?b.db", "a#b.db", "a%20b.db", "ä.db"])
def test_any_file_name_is_that_file(tmp_path: Path, name: str) -> None:
    """What a URL would take for a query or an escape is part of the file's name."""
    schema.migrate(f"sqlite:///{tmp_path / name}")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    schema.check(f"sqlite:///{tmp_path / name}")


@pytest.mark.parametrize("migrate", [False, True])
@pytest.mark.parametrize("found", ["9999", "0000"])
def test_a_database_of_an_unknown_version_is_refused(tmp_path: Path, found: str, migrate: bool) -> None:
    """A newer or unknown revision is refused by name, whether or not migrating is allowed; nothing is changed, no lock is kept."""
    path = tmp_path / "q.db"
    schema.migrate(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (found,))
    before = definitions(path)
    for _ in range(2):
        with pytest.raises(schema.NotMigratedError, match=f"{found}.*{schema.REVISION}") as refused:
            open_store(f"sqlite:///{path}", migrate=migrate)
        assert refused.value.found == found
    assert definitions(path) == before


@pytest.mark.parametrize("there", [False, True])
def test_an_empty_database_is_refused_without_leave_to_migrate(tmp_path: Path, there: bool) -> None:
    """Without migration a missing or empty database is an error that says so, never an empty service."""
    path = tmp_path / "q.db"
    if there:
        path.touch()
    with pytest.raises(schema.NotMigratedError, match="none") as refused:
        open_store(f"sqlite:///{path}")
    assert refused.value.found is None
    assert path.exists() == there


def test_what_is_no_database_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    """A file of something else is an error with the driver's reason; it is not migrated over."""
    path = tmp_path / "q.db"
    path.write_bytes(b"this is somebody's letter, and no database at all\n" * 100)
    before = path.read_bytes()
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        open_store(f"sqlite:///{path}", migrate=True)
    assert path.read_bytes() == before


_KILLED = """
import os, signal, sys
from alembic.operations import Operations
from sqlalchemy import event, Engine

count = 0

@event.listens_for(Engine, "after_cursor_execute")
def after(connection, cursor, statement, parameters, context, many):
    global count
    if statement.lstrip().upper().startswith("CREATE"):
        count += 1
        if count == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)

from quintet.store import schema
schema.migrate(sys.argv[1])
"""


@pytest.mark.l3
@pytest.mark.parametrize("statement", [1, 2, 9])
def test_a_migration_killed_midway_left_nothing(tmp_path: Path, statement: int) -> None:
    """A kill -9 between two statements of a migration takes all of it back, so the next start migrates as if nothing had been."""
    url = f"sqlite:///{tmp_path / 'q.db'}"
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, url, str(statement)], check=False, timeout=60, env=os.environ
    )
    assert killed.returncode == -signal.SIGKILL
    assert schema.revision_of(url) is None
    assert definitions(tmp_path / "q.db") == set()
    schema.migrate(url)
    schema.check(f"sqlite:///{tmp_path / 'q.db'}")


@pytest.mark.parametrize("older", [script.revision for script in scripts().walk_revisions()][1:])
def test_an_older_database_is_brought_forward_with_what_it_holds(tmp_path: Path, older: str) -> None:
    """From every revision that was shipped, migrating keeps what users have and gives the tables of this version. (The
    table of agents is written anew by every worker.)"""
    path, fresh = tmp_path / "older.db", tmp_path / "fresh.db"
    config = Config()
    config.set_main_option("script_location", "quintet.store:migrations")
    config.attributes["url"] = f"sqlite:///{path}"
    command.upgrade(config, older)
    assert schema.revision_of(f"sqlite:///{path}") == older
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO users (id, email, email_key, email_verified, password_hash, role, created_at)"
            " VALUES ('u', 'e', 'e', 0, 'h', 'user', 1)"
        )
        connection.execute("INSERT INTO heads (user_id, epoch, seq, digest) VALUES ('u', 'e', 7, 'abcdef01')")
    schema.migrate(f"sqlite:///{path}")
    schema.migrate(f"sqlite:///{fresh}")
    assert columns(path) == columns(fresh)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT id, email FROM users").fetchall() == [("u", "e")]
        assert connection.execute("SELECT user_id, seq, digest FROM heads").fetchall() == [("u", 7, "abcdef01")]


def columns(path: Path) -> dict[str, list[object]]:
    """Every table's columns and every index's, as the database sees them."""
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT type, name FROM sqlite_master WHERE type IN ('table', 'index')").fetchall()
        return {name: connection.execute(f"PRAGMA {kind}_xinfo('{name}')").fetchall() for kind, name in names}


def test_both_databases_have_the_same_tables() -> None:
    """PostgreSQL migrated from nothing is what the tables say, as SQLite is: columns, types, defaults, keys and partial indexes."""
    migrated, made = PostgresDatabase(), empty()
    engine = create_engine(made.dsn("postgresql+psycopg"), poolclass=pool.NullPool)
    metadata.create_all(engine)
    assert catalogue(migrated.url) == catalogue(made.url)
    assert any("WHERE (final = 1)" in str(row) for row in catalogue(made.url))
    assert "CREATE TRIGGER audit_not_emptied" in str(catalogue(made.url))
    assert differences(create_engine(migrated.url.replace("://", "+psycopg://"), poolclass=pool.NullPool)) == []


@pytest.mark.parametrize("older", [script.revision for script in scripts().walk_revisions()][1:])
def test_an_older_postgres_is_brought_forward_with_what_it_holds(older: str) -> None:
    """From every revision that was shipped, a log stays as it was; what a node of before still writes then is a part of it."""
    old, fresh = empty().url, PostgresDatabase()
    config = Config()
    config.set_main_option("script_location", "quintet.store:migrations")
    config.attributes["url"] = old
    command.upgrade(config, older)
    with psycopg.connect(old) as connection:
        connection.execute(
            "INSERT INTO users (id, email, email_key, email_verified, password_hash, role, created_at)"
            " VALUES ('u', 'e', 'e', false, 'h', 'user', 1)"
        )
        connection.execute("INSERT INTO heads (user_id, epoch, seq, digest) VALUES ('u', 'e', 2, 'abcdef01')")
        for seq in (1, 2):
            connection.execute(_AS_BEFORE, (seq,))
    schema.migrate(old)
    assert catalogue(old) == catalogue(fresh.url)
    with psycopg.connect(old) as connection:
        connection.execute(_AS_BEFORE, (3,))
        assert connection.execute("SELECT seq, segment FROM events ORDER BY seq").fetchall() == [(1, 0), (2, 0), (3, 0)]
        assert connection.execute("SELECT seq, segment, segment_after FROM heads").fetchall() == [(2, 0, 0)]


_AS_BEFORE: LiteralString = "INSERT INTO events (user_id, seq, type, digest, final, body) VALUES ('u', %s, 'agent_thinking', 'abcdef01', 0, '{}')"


def test_nodes_that_start_together_migrate_once() -> None:
    """Several migrations of one empty PostgreSQL at the same time: one does it, the others wait and find it done."""
    url = empty().url
    with ThreadPoolExecutor(3) as at_once:
        processes = [
            at_once.submit(subprocess.run, [sys.executable, "-c", _MIGRATE, url], check=True) for _ in range(3)
        ]
        assert [process.result(60).returncode for process in processes] == [0] * 3
    assert schema.revision_of(url) == schema.REVISION


_MIGRATE = "import sys; from quintet.store import schema; schema.migrate(sys.argv[1])"


def empty() -> Database:
    """An empty PostgreSQL database."""
    databases = server().databases
    assert databases is not None
    return databases.create(f"empty{secrets.token_hex(4)}")


def catalogue(url: str) -> list[object]:
    """Columns, constraints and indexes as PostgreSQL tells them."""
    with psycopg.connect(url) as connection:
        return [connection.execute(query).fetchall() for query in _CATALOGUE]


_CATALOGUE: tuple[LiteralString, ...] = (
    "SELECT table_name, column_name, data_type, character_maximum_length, column_default, is_nullable"
    " FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version' ORDER BY 1, 2",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace AND contype <> 'n' AND conname NOT LIKE 'alembic%' ORDER BY 1, 2",
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE 'alembic%' ORDER BY 1",
    "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
    "SELECT prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
)
