"""`quintet serve --workers N`: several processes on one port, of which any may die."""

import asyncio
import contextlib
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from command_line.commands import clean, quintet
from quintet.testing.accounts.account import register_many
from quintet.testing.sockets.connecting import Connect
from support.faithful import faithful, heal, living
from support.postgres import PostgresDatabase
from support.server import Server

pytestmark = pytest.mark.l3

SECONDS = 60.0


class Several(Server):
    """Two processes under one parent, on a PostgreSQL of their own."""

    def __init__(self, home: Path) -> None:
        database = PostgresDatabase()
        environment = {"QUINTET_DATABASE_URL": database.url, "QUINTET_WORKER_LIFE_SECONDS": "3"}
        super().__init__(home, options=("--workers", "2"), environment=environment)
        self.postgres = database

    def both(self, besides: frozenset[int] = frozenset()) -> set[int]:
        """Wait until two are there and listen, none of them of `besides`."""
        deadline = time.monotonic() + SECONDS
        while len(found := children(self.pid) - besides) < 2 or any(self.port not in _ports(pid) for pid in found):
            assert time.monotonic() < deadline, f"{found}\n{self.tail()}"
        return found


def children(pid: int) -> set[int]:
    """The processes that one has started."""
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def _ports(pid: int) -> set[int]:
    """The ports on which a process listens, by the kernel's own account."""
    try:
        links = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:
        return set()
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].partition(":")[2], 16) for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in links}


@pytest.fixture
def several(tmp_path: Path) -> Iterator[Several]:
    """Started, and ended with the test."""
    made = Several(tmp_path / "several")
    try:
        made.start()
        yield made
    finally:
        made.end()


async def test_a_process_that_dies_takes_only_its_own_sockets(
    several: Several, connect: Connect, tmp_path: Path
) -> None:
    """Kill -9 of one of two under load: sockets of the other stay, a new one comes in its place, whoever was cut goes on from the cursor
    and misses nothing; then SIGTERM drains what is there and the exit code is 0."""
    chance = random.Random(0)
    people = faithful(several, connect, 2, lambda: random.Random(chance.random()))
    quiet = register_many(several, 3)
    async with living(people) as lives:
        devices = [await connect.device(several, account, name=f"q{at}") for at in range(4) for account in quiet]
        before = several.both()
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        after = several.both(frozenset({victim}))
        assert len(after & before) == 1
        deadline = time.monotonic() + SECONDS
        while not (cut := [device for device in devices if device.close_code is not None]):
            assert time.monotonic() < deadline, "no socket was at the process that died"
            await asyncio.sleep(0.02)
        assert 0 < len(cut) < len(devices), "the kernel gave all sockets to one process"
        stayed = next(device for device in devices if device.close_code is None)
        await stayed.tell("still here", agent="echo", within=SECONDS)
        ended = await heal(several, people, lives, tmp_path / "healed")
        assert ended["agent_completed"]
        assert all(device.close_code is None for device in devices if device not in cut)
    assert "was ended by signal 9" in several.logged()
    os.kill(min(several.both()), signal.SIGKILL)
    deadline = time.monotonic() + SECONDS
    while several.logged().count("was ended by signal 9") < 2:
        assert time.monotonic() < deadline, several.tail()
        await asyncio.sleep(0.01)
    several.stop()  # also while one is about to be started again


def test_processes_do_not_outlive_their_parent(tmp_path: Path) -> None:
    """The parent is killed -9, alone: both processes notice, drain and end, and the port is free."""
    line = [sys.executable, "-m", "quintet", "serve", "--dev", "--port", "0", "--workers", "2"]
    environment = clean({"QUINTET_DATABASE_URL": PostgresDatabase().url})
    with (tmp_path / "log").open("w") as log:
        parent = subprocess.Popen(line, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
    left: set[int] = set()
    try:
        assert parent.stdout is not None
        port = int(parent.stdout.readline().rpartition(":")[2])
        left = children(parent.pid)
        assert len(left) == 2
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + SECONDS
        while any(port in _ports(pid) or _runs(pid) for pid in left):
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.05)
        assert (tmp_path / "log").read_text().count("the parent process is gone") == 2
        with socket.create_server(("127.0.0.1", port)):
            pass
    finally:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        parent.kill()
        parent.wait()
        if parent.stdout is not None:
            parent.stdout.close()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_stands_in_the_way_is_said_once(tmp_path: Path) -> None:
    """Without PostgreSQL it is wrong usage; a database of another version or away and a port that is taken end it like a single server."""
    database = PostgresDatabase()
    good = {"QUINTET_SECRET_KEY": secrets.token_urlsafe(48), "QUINTET_PUBLIC_URL": "https://chat.example.com"}

    def told(url: str, *words: str) -> tuple[int, int, str]:
        environment = {**good, "QUINTET_DATABASE_URL": url}
        done = quintet("serve", "--workers", "2", *words, folder=tmp_path, environment=environment)
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
        return done.returncode, len(done.stderr.splitlines()), done.stderr

    assert told("sqlite:///x.db")[:2] == (2, 1)
    assert told("postgresql://nobody@127.0.0.1:1/x", "--port", "0")[:2] == (1, 1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, lines, said = told(database.url, "--port", str(taken.getsockname()[1]))
        assert (code, lines) == (1, 1)
        assert "is taken" in said
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    assert told(database.url, "--port", "0")[:2] == (78, 1)
