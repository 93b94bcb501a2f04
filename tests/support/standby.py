"""A standby of a PostgreSQL, made by a base backup, streaming, on this machine; it can be left behind, and it can take over."""

import asyncio
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from quintet.testing.services import ports
from quintet.testing.services.postgres import account, binaries
from quintet.testing.services.postgres.cluster import USER
from quintet.testing.services.postgres.databases import Databases
from quintet.testing.services.postgres.server import PostgresServer
from support.postgres import PostgresDatabase, own_server

__all__ = ["STREAMING", "Pair", "PairDatabase", "pair"]

STREAMING = {"wal_level": "replica", "max_wal_senders": "4", "hot_standby": "on"}
SECONDS = 30.0


class Pair:
    """A primary and its standby."""

    def __init__(self, primary: PostgresServer) -> None:
        self.primary = primary
        self.standby = _standby(primary)
        self._address = ""

    def ask(self, server: PostgresServer, statement: str) -> list[Any]:
        """Rows of one statement outside a transaction."""
        with psycopg.connect(server.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def ask_in(self, database: "PairDatabase", server: PostgresServer, statement: str) -> list[Any]:
        """The same in one of their databases."""
        url = database.here if server is self.primary else database.there
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(statement.encode()).fetchall()

    def synchronous(self) -> None:
        """From now on a commit is answered when the standby has it."""
        self.ask(self.primary, "ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        self.ask(self.primary, "SELECT pg_reload_conf()")
        _wait(
            lambda: self.ask(self.primary, "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"), "synchronous"
        )

    def show_late(self, seconds: float) -> None:
        """After `synchronous`: a commit is answered once the standby shows it, which it does so many seconds later."""
        for server, setting in (
            (self.primary, "synchronous_commit = 'remote_apply'"),
            (self.standby, f"recovery_min_apply_delay = '{seconds * 1000:.0f}ms'"),
        ):
            self.ask(server, f"ALTER SYSTEM SET {setting}")
            self.ask(server, "SELECT pg_reload_conf()")

    def caught_up(self) -> None:
        """Wait until the standby has all that is committed."""
        written = self.ask(self.primary, "SELECT pg_current_wal_insert_lsn()")[0][0]
        _wait(
            lambda: self.ask(self.standby, f"SELECT 1 WHERE pg_last_wal_replay_lsn() >= '{written}'"),
            "the standby to have everything",
        )

    def leave_behind(self) -> None:
        """What is committed from now on does not reach the standby. Pausing its replay would not do: a promotion replays the rest."""
        self.caught_up()
        self._address = str(self.ask(self.standby, "SHOW primary_conninfo")[0][0])
        self.ask(self.standby, "ALTER SYSTEM SET primary_conninfo = ''")
        self.ask(self.standby, "SELECT pg_reload_conf()")
        _wait(lambda: not self.ask(self.standby, "SELECT 1 FROM pg_stat_wal_receiver"), "the stream to end")

    def catch_up(self) -> None:
        """The stream flows again."""
        self.ask(self.standby, "ALTER SYSTEM SET primary_conninfo = '{}'".format(self._address.replace("'", "''")))
        self.ask(self.standby, "SELECT pg_reload_conf()")

    def lose_primary(self) -> None:
        """Kill -9 of the primary, and the standby takes over."""
        self.primary.kill()
        assert self.ask(self.standby, "SELECT pg_promote()") == [(True,)]

    def end(self) -> None:
        """Nothing of them is left."""
        self.standby.end()
        self.primary.end()


class PairDatabase(PostgresDatabase):
    """One database of both; its address names both, and goes to whichever takes writes."""

    def __init__(self, both: Pair) -> None:
        super().__init__(on=both.primary)
        self.both = both
        self.here, self.there = self.url, self.url.replace(f":{both.primary.port}/", f":{both.standby.port}/")
        ends = f"{both.primary.host}:{both.primary.port},{both.standby.host}:{both.standby.port}"
        self.url = (
            self.url.replace(f"{both.primary.host}:{both.primary.port}", ends) + "?target_session_attrs=read-write"
        )

    def copied(self, to: Path) -> Path:
        """See `PostgresDatabase`. Of the one that is there now."""
        named, self.url = self.url, self.here if self.both.primary.alive else self.there
        try:
            return super().copied(to)
        finally:
            self.url = named


async def pair() -> Pair:
    """Both, streaming."""
    return await asyncio.to_thread(lambda: Pair(own_server(STREAMING)))


def _standby(primary: PostgresServer) -> PostgresServer:
    assert isinstance(primary.databases, Databases)
    made = PostgresServer("standby", primary.folder.with_name("standby"), settings=STREAMING)
    password = primary.databases.password
    address = f"host={primary.host} port={primary.port} user={USER} password={password} application_name=standby"
    who = account.ours()
    program = binaries.find(who).folder / "pg_basebackup"
    assert program.exists(), f"this PostgreSQL has no pg_basebackup: {program}"
    if who.uid is not None and who.gid is not None:
        os.chown(made.folder, who.uid, who.gid)
    line = [
        str(program),
        "-D",
        str(made.folder / "cluster"),
        "-d",
        address,
        "-R",
        "-X",
        "stream",
        "-c",
        "fast",
        "--no-sync",
    ]
    groups: list[str | int] | None = None if who.uid is None else []
    subprocess.run(line, check=True, timeout=60, cwd="/", user=who.uid, group=who.gid, extra_groups=groups)
    made.port = ports.free()
    made.databases = Databases(made.host, made.port, USER, password, file_copy=True)
    made.url = primary.url.replace(f":{primary.port}/", f":{made.port}/")
    made.start()
    _wait(lambda: _streams(primary), "the standby to stream")
    return made


def _streams(primary: PostgresServer) -> bool:
    with psycopg.connect(primary.url, autocommit=True) as connection:
        return bool(connection.execute("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'").fetchall())


def _wait(holds: Callable[[], object], what: str) -> None:
    until = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < until, f"waited {SECONDS:g} s in vain for {what}"
        time.sleep(0.02)
