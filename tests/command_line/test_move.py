"""`quintet move`: a whole installation from SQLite to PostgreSQL and back; who was signed in stays so, and no event is lost or there twice."""

import asyncio
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from accounts.filling import fill
from command_line.commands import quintet
from quintet.server.moving import moved
from quintet.settings import StartError
from quintet.store import Tx, open_store
from quintet.store.moving.tables import moved_columns, moved_tables
from quintet.testing.accounts.account import Account
from quintet.testing.services.postgres.databases import Database
from support.databases import SqliteDatabase
from support.effects import effect, effects
from support.postgres import PostgresDatabase, server
from support.server import Server
from support.world import World

WEB = {"X-Quintet-Client": "web"}


def empty() -> Database:
    """A PostgreSQL database without a table."""
    databases = server().databases
    assert databases is not None
    return databases.create(f"moved{secrets.token_hex(4)}")


def move(folder: Path, source: str, target: str, code: int = 0) -> str:
    """What the command said."""
    done = quintet("move", "--from", source, "--to", target, folder=folder)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr


def here(source: str, target: str) -> str:
    """What it came to, without the command: a process costs a second."""
    try:
        return f"Moved {moved(source, target, lambda step, done, total: None).rows['users']} users"
    except StartError as refusal:
        return refusal.line


# --- with people ------------------------------------------------------------------------------------------------------


@pytest.fixture
def house(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """A server on a file, and the same one on PostgreSQL: one secret, one port."""
    secret = {"QUINTET_SECRET_KEY": secrets.token_urlsafe(48)}
    file = f"sqlite:///{tmp_path / 'one' / 'data' / 'quintet.db'}"
    one = Server(tmp_path / "one", environment={**secret, "QUINTET_DATABASE_URL": file})
    two = Server(tmp_path / "two", environment={**secret, "QUINTET_DATABASE_URL": empty().url})
    try:
        yield one, two
    finally:
        one.end()
        two.end()


@pytest.mark.l3
async def test_everybody_goes_on_where_they_were(house: tuple[Server, Server], tmp_path: Path) -> None:
    """Two users with runs, files, a deleted thread and a cancelled run; the server is killed at work and moved. The same tokens and
    cookies are good, the snapshot is the same, an old cursor is told `resync` once, the log has the same events; what was running ends once."""
    one, two = house
    one.start()
    async with World(one) as world:
        alice, bob = await world.users(2)
        cookie = _signed_in(one, alice)
        device = await world.device(alice, name="alice")
        file = await alice.attach("notes.txt", b"\x00\xff notes")
        kept = await device.say("kept", agent="echo", attachments=[file])
        await device.run(kept.run_id)
        gone = await device.say("gone", agent="echo")
        await device.run(gone.run_id)
        assert (await alice.http.delete(f"/v1/threads/{gone.thread_id}")).status_code in {202, 204}
        await (await world.device(bob, name="bob")).tell({"steps": 3}, agent="stepper")
        cut = await device.say({"mark": "cut"}, agent="slow_parent")
        await effect(one, "begun", "cut-a")
        before = {account.id: await account.snapshot() for account in (alice, bob)}
        said_before = await alice.messages(kept.thread_id)
        reader = await world.device(
            alice, name="alice reads anew"
        )  # after the deletion, which made ranges of what it took
        one.kill()
        seen = {e.order: e.body for e in reader.events}
    files = {path: path.read_bytes() for path in one.data.glob("quintet.db*") if path.suffix != ".db-shm"}

    said = move(tmp_path, one.environment["QUINTET_DATABASE_URL"], two.environment["QUINTET_DATABASE_URL"])
    assert "Moved 2 users" in said
    assert {path: path.read_bytes() for path in files} == files, "the source was changed"

    two.port = one.port
    two.start()
    async with World(two) as world:
        device = await world.device(alice, after=None, name="alice again")
        told = await device.follow(str(reader.events[-1].cursor))
        assert (told["type"], told["reason"]) == ("resync", "epoch")
        await device.following("0")
        assert (await device.run(cut.run_id))[-1].body["data"]["error"]["code"] == "worker_lost"
        log = {e.order: e.body for e in device.events}
        assert {seq: _without_epoch(log[seq]) for seq in seen} == {seq: _without_epoch(e) for seq, e in seen.items()}
        assert (await alice.http.get(f"/v1/attachments/{file}/content")).content == b"\x00\xff notes"
        assert (await alice.http.get(f"/v1/threads/{gone.thread_id}/messages")).status_code == 404
        assert effects(one, "cut-a") == ["begun"]
        for account in (alice, bob):
            after = await account.snapshot()
            assert {t["id"] for t in after["threads"]} == {t["id"] for t in before[account.id]["threads"]}
            assert after["cursor"].split(".")[0] != before[account.id]["cursor"].split(".")[0]
            account.renewed()
        assert await alice.messages(kept.thread_id) == said_before
        await (await world.device(bob, name="bob again")).tell("after", agent="echo")
        fresh = _renewed(two, cookie)
        assert fresh.status_code == 200, fresh.text


def _signed_in(at: Server, account: Account) -> str:
    """A browser's cookie."""
    body = {"email": account.email, "password": account.password, "device": "a browser"}
    with httpx.Client(base_url=at.url, trust_env=False, headers={**WEB, "Origin": at.url}) as http:
        answer = http.post("/v1/auth/login", json=body)
        assert answer.status_code == 200, answer.text
        return answer.headers["set-cookie"].partition(";")[0]


def _renewed(at: Server, cookie: str) -> httpx.Response:
    with httpx.Client(base_url=at.url, trust_env=False, headers={**WEB, "Origin": at.url, "Cookie": cookie}) as http:
        return http.post("/v1/auth/refresh", json={})


def _without_epoch(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "cursor": str(event["cursor"]).partition(".")[2]}


# --- with tables ------------------------------------------------------------------------------------------------------


@pytest.fixture
async def filled(tmp_path: Path) -> SqliteDatabase:
    """A database with a row in every table, more than a batch of events, and the awkward values."""
    made = SqliteDatabase(tmp_path)
    store = made.open()
    await store.start()

    def work(tx: Tx) -> None:
        for user in ("ada", "bo"):
            tx.sql(
                "INSERT INTO users (id, email, email_key, email_verified, password_hash, role, created_at) VALUES (?, ?, ?, ?, 'h', 'user', 1)",
                (user, user, user, user == "bo"),
            )
            tx.sql("INSERT INTO heads (user_id, epoch, seq, digest) VALUES (?, 'old', 1201, 'd')", (user,))
            fill(tx, user, user, {"events": 1201, "attachments": 3})
        tx.sql("UPDATE messages SET text = ? WHERE user_id = 'bo'", ("nul \0 here",))
        tx.sql("INSERT INTO audit (id, at, action) VALUES (7, 1, 'x')")
        tx.sql("INSERT INTO invites (digest, role, created_at, expires_at) VALUES (?, 'user', 1, 2)", (b"\0\xff",))
        tx.sql("INSERT INTO service_clients (id, name, digest, scopes, created_at) VALUES ('c', 'ü', ?, '', 1)", (b"",))
        tx.sql(
            "INSERT INTO signing_keys (kid, public_jwk, sealed_private, state, created_at, changed_at) VALUES ('k', '{}', ?, 's', 1, ?)",
            (b"\x80", 1 << 60),
        )

    await store.write("", work)
    await store.close()
    return made


Rows = dict[str, list[tuple[object, ...]]]


def ask(url: str, statement: str) -> list[Any]:
    """Rows of a statement, by the database's own driver; what it changes is committed."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            return connection.execute(statement).fetchall()
    with psycopg.connect(url, autocommit=True) as theirs:
        done = theirs.execute(statement.encode())
        return done.fetchall() if done.description else []


def rows_of(url: str) -> Rows:
    """Everything in the moved tables but epochs."""
    found: Rows = {}
    for table in moved_tables():
        names = ", ".join(column.name for column in moved_columns(table) if column.name != "epoch")
        rows = ask(url, f"SELECT {names} FROM {table.name}")
        found[table.name] = sorted((tuple(_plain(value) for value in row) for row in rows), key=repr)
    return found


def _plain(value: object) -> object:
    return int(value) if isinstance(value, bool) else value


@pytest.mark.l2
def test_every_table_is_moved_there_and_back(filled: SqliteDatabase, tmp_path: Path) -> None:
    """A row of every table of the schema arrives as it was, in batches, and comes back the same; a NUL in a text becomes U+FFFD; ids
    that the database gives go on after the highest; every stream has a new epoch each time."""
    there, back = empty().url, tmp_path / "back" / "quintet.db"
    back.parent.mkdir()
    wanted = rows_of(filled.url)
    assert all(wanted.values()), f"nothing in {[name for name, rows in wanted.items() if not rows]}"
    assert len(wanted["events"]) > 2400
    said = move(tmp_path, f"sqlite:{filled.path}", there)
    assert "Moved 2 users" in said
    wanted["messages"] = [
        tuple(v.replace("\0", "\ufffd") if isinstance(v, str) else v for v in row) for row in wanted["messages"]
    ]
    assert rows_of(there) == wanted
    ask(there, "INSERT INTO audit (at, action) VALUES (1, 'y')")
    assert ask(there, "SELECT max(id) FROM audit")[0][0] > max(int(str(row[0])) for row in wanted["audit"])
    ask(there, "DELETE FROM audit WHERE action = 'y'")
    assert here(there, f"sqlite:///{back}") == "Moved 2 users"
    assert rows_of(f"sqlite:///{back}") == wanted
    assert ask(f"sqlite:///{back}", "PRAGMA integrity_check") == [("ok",)]
    epochs = [*ask(there, "SELECT epoch FROM heads"), *ask(f"sqlite:///{back}", "SELECT epoch FROM heads"), ("old",)]
    assert len(set(epochs)) == 5, "an epoch was kept, or two users share one"
    assert {path.name for path in back.parent.iterdir()} == {"quintet.db", "quintet.db.lock"}


_CHANGED = """CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.seq = 700 THEN NEW.body = ''''; END IF; RETURN NEW; END'"""
_LOST = "CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.seq = 700 THEN RETURN NULL; END IF; RETURN NEW; END'"


@pytest.mark.l2
@pytest.mark.parametrize("harm", [_CHANGED, _LOST], ids=["a value changed", "a row lost"])
def test_what_did_not_arrive_whole_is_not_taken(harm: str, filled: SqliteDatabase, tmp_path: Path) -> None:
    """Both sides are read back: where the target has stored something else, the move says in which table, and nothing of it stays."""
    there = PostgresDatabase()
    ask(there.url, f"{harm}; CREATE TRIGGER change BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION change()")
    assert "events did not arrive whole" in here(filled.url, there.url)
    assert not any(rows_of(there.url).values())


_KILLED = """
import os, signal, sys
from quintet.store.moving import move

def progress(step, done, total):
    if step == sys.argv[3] and done > 1000:
        os.kill(os.getpid(), signal.SIGKILL)

numbers = iter(range(10_000))
move(sys.argv[1], sys.argv[2], new_epoch=lambda: f"e{next(numbers)}", check=lambda source, target: None, progress=progress)
"""


@pytest.mark.l2
@pytest.mark.parametrize("direction", ["to PostgreSQL", "to SQLite"])
@pytest.mark.parametrize("step", ["Copying", "Comparing"])
def test_a_move_that_was_killed_is_started_again(
    step: str, direction: str, filled: SqliteDatabase, tmp_path: Path
) -> None:
    """Kill -9 while it copies or compares leaves nothing in the target; the same command then does all of it."""
    (tmp_path / "there").mkdir()
    file = tmp_path / "there" / "quintet.db"
    target = empty().url if direction == "to PostgreSQL" else f"sqlite:///{file}"
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, filled.url, target, step], check=False, timeout=60, env=os.environ
    )
    assert killed.returncode == -signal.SIGKILL
    assert not file.exists()
    assert here(filled.url, target) == "Moved 2 users"


@pytest.mark.l3
async def test_what_cannot_be_moved_is_left_alone(filled: SqliteDatabase, tmp_path: Path) -> None:
    """A source that is served or not there, a target with a row, with a server, of a name that is taken: one line each, and no change."""
    there = PostgresDatabase()
    assert "--to" in move(tmp_path, filled.url, filled.url, 2)
    assert "--from" in move(tmp_path, "nowhere", there.url, 2)
    assert "no database to move" in here(f"sqlite:///{tmp_path / 'missing.db'}", there.url)
    assert "exists already" in here(there.url, filled.url)
    assert "does not answer" in here(filled.url, "postgresql://nobody@127.0.0.1:1/x")
    for serving, told in ((filled.url, "being served"), (there.url, "in use")):
        store = open_store(serving)
        await store.start()
        try:
            assert told in await asyncio.to_thread(here, filled.url, there.url)
        finally:
            await store.close()
    assert not any(rows_of(there.url).values())
    ask(there.url, "INSERT INTO invites (digest, role, created_at, expires_at) VALUES ('x', 'user', 1, 2)")
    assert "not empty" in here(filled.url, there.url)
    cells = {"QUINTET_DATABASE_URL": there.url, "QUINTET_CELLS": f"0-4095={there.url}"}
    said = quintet("move", folder=tmp_path, environment=cells)
    assert (said.returncode, said.stderr.split()[0]) == (78, "QUINTET_CELLS")
    said = quintet("move", folder=tmp_path, environment={"QUINTET_DATABASE_URL": there.url})
    assert (said.returncode, "no database to move" in said.stderr) == (1, True), "the usual file is the source"


@pytest.mark.l2
def test_only_what_is_about_a_database_itself_stays_behind() -> None:
    """Every table and column of the schema is moved but these; a new one is moved unless somebody has said otherwise."""
    from quintet.store.tables import metadata

    left = metadata.tables.keys() - {table.name for table in moved_tables()}
    assert left == {"agents", "cell", "commit_marks", "lineages", "nodes", "segments", "shards", "workers"}
    kept = {str(column) for table in moved_tables() for column in set(table.c) - set(moved_columns(table))}
    assert kept == {"events.segment", "heads.segment", "heads.segment_after"}
