"""`quintet status`: who serves, who holds what, what waits, and an exit code that says whether somebody must look."""

import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command_line.commands import quintet
from fleet.fleet import Fleet
from quintet.server.status import Lag, Lease, Logs, NodeState, Status
from quintet.store.nodes import Node, Seen
from quintet.testing.accounts.account import register
from quintet.testing.sockets.connecting import Connect
from support.effects import effect
from support.postgres import PostgresDatabase
from support.server import Server


def told(folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """Its exit code and its JSON."""
    done = quintet("status", "--json", *words, folder=folder)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.l3
async def test_one_server_on_a_file(tmp_path: Path, connect: Connect) -> None:
    """It is up while it serves, with the run that it holds; killed, both are told and the exit code is 1; after a stop it is not in the list."""
    file = f"sqlite:///{tmp_path / 'home' / 'quintet.db'}"
    server = Server(tmp_path / "home", environment={"QUINTET_DATABASE_URL": file})
    words = ("--database", file)
    try:
        server.start()
        alice = register(server)
        device = await connect.device(server, alice)
        said = await device.say({"mark": "held"}, agent="slow_parent")
        await effect(server, "begun", "held-a")
        code, seen = told(tmp_path, *words)
        assert (code, seen["healthy"], seen["problems"]) == (0, True, [])
        assert [(n["role"], n["state"], n["pid"]) for n in seen["nodes"]] == [("all", "up", server.pid)]
        assert [(lease["run_id"], lease["attempt"], lease["held"]) for lease in seen["leases"]] == [
            (said.run_id, 1, True)
        ]
        assert seen["leases"][0]["node_id"] == seen["nodes"][0]["id"]
        assert (seen["heads"]["logs"], seen["lag"]["runs_running"]) == (1, 1)
        shown = quintet("status", *words, folder=tmp_path)
        assert shown.returncode == 0
        assert seen["nodes"][0]["id"] in shown.stdout
        assert said.run_id in shown.stdout
        server.kill()
        code, seen = told(tmp_path, *words)
        assert (code, seen["nodes"][0]["state"], seen["leases"][0]["held"]) == (1, "gone", False)
        assert "No server is up that people could reach." in quintet("status", *words, folder=tmp_path).stderr
        server.start()
        assert [n["state"] for n in told(tmp_path, *words)[1]["nodes"]] == ["up"]
        server.stop()
        assert told(tmp_path, *words)[1]["nodes"] == []
    finally:
        server.end()


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A gateway and a worker."""
    made = Fleet(tmp_path, PostgresDatabase(), gateways=1, workers=1, life=3)
    try:
        made.start()
        yield made
    finally:
        made.end()


@pytest.mark.l3
def test_a_fleet(fleet: Fleet, tmp_path: Path) -> None:
    """Each process by its role; one that was killed is told of within its life, until another has come in its place."""
    words = ("--database", fleet.database.url)
    environment = {"QUINTET_WORKER_LIFE_SECONDS": "3"}
    code, seen = told(tmp_path, *words)
    assert (code, seen["database"], sorted(n["role"] for n in seen["nodes"])) == (
        0,
        "postgresql",
        ["gateway", "worker"],
    )
    assert seen["lag"]["notices_queue"] == 0
    fleet.workers[0].kill()
    deadline = time.monotonic() + 20
    while (done := quintet("status", *words, folder=tmp_path, environment=environment)).returncode == 0:
        assert time.monotonic() < deadline, done.stdout
    assert "worker" in done.stderr
    assert "not been heard of" in done.stderr
    fleet.workers[0].start()
    done = quintet("status", "--json", *words, folder=tmp_path, environment=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted((n["role"], n["state"]) for n in json.loads(done.stdout)["nodes"]) == [
        ("gateway", "up"), ("worker", "gone"), ("worker", "up"),
    ]  # fmt: skip


@pytest.mark.l3
def test_a_database_that_is_away_is_one_line(tmp_path: Path) -> None:
    """No server of PostgreSQL, no database in it, no file: 1 or 78, one line that says so, nothing on standard output."""
    nobody = "postgresql://nobody@127.0.0.1:1/none"
    other = f"{PostgresDatabase().url}_{secrets.token_hex(3)}"
    for words, code in ((("--database", nobody), 1), (("--database", other), 1), (("--data", "nowhere"), 78)):
        done = quintet("status", *words, folder=tmp_path)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (code, "", 1), done.stderr


def _status(**changed: Any) -> Status:
    up = Seen(Node("nod_1", "all", "1", "here", 1, "wrk_1"), 1000, 0)
    usual = {"nodes": [NodeState(up, "up")], "leases": [], "lag": Lag(0, 0, 0, None, 0.0), "logs": Logs(0, 0, 0, None)}
    return Status("postgresql", **{**usual, **changed})


@pytest.mark.l1
@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, []),
        ({"nodes": []}, ["No server", "No worker"]),
        ({"nodes": [NodeState(Seen(Node("n", "gateway", "1", "h", 1, None), 1, 1), "up")]}, ["No worker"]),
        ({"nodes": [NodeState(Seen(Node("n", "worker", "1", "h", 1, "w"), 1, 1), "up")]}, ["No server"]),
        (
            {"leases": [Lease("r", "a", "w", 1, 5, held=False), Lease("s", "a", "w", 1, 5, held=True)]},
            ["1 runs are held"],
        ),
        ({"lag": Lag(3, 0, 2, 29_000, 0.1)}, []),
        ({"lag": Lag(3, 0, 2, 31_000, 0.1)}, ["A run has been waiting for a worker for 31 s."]),
        ({"lag": Lag(0, 0, 0, None, 0.6)}, ["PostgreSQL's queue"]),
    ],
)
def test_what_is_worth_a_look(changed: dict[str, Any], told: list[str]) -> None:
    """Nobody to reach, nobody to work, what the dead hold, what waits for long; nothing else is a problem."""
    problems = _status(**changed).problems
    assert len(problems) == len(told)
    assert all(problem.startswith(words) for problem, words in zip(problems, told, strict=True)), problems
    assert _status(**changed).view()["healthy"] == (not told)
