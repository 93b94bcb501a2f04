"""`quintet status`: who serves, who holds what, what waits, and an exit code that says whether somebody must look."""

import asyncio
import json
import secrets
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from command_line.commands import quintet
from fleet.fleet import Fleet
from fleet.maps import HALF, enrolled, placed
from quintet.server.status import Lag, Lease, Logs, NodeState, Status, status_of
from quintet.settings import Options, load
from quintet.store.nodes import Node, Seen, show
from quintet.testing.accounts.account import register
from quintet.testing.sockets.connecting import Connect
from support.effects import effect
from support.postgres import PostgresDatabase
from support.server import Server


async def told(url: str, **more: str) -> dict[str, Any]:
    """What `--json` prints, without the command: a process costs a second."""
    environment = {"QUINTET_DATABASE_URL": url, "QUINTET_WORKER_LIFE_SECONDS": "3", **more}
    settings = load(environment, None, Options(), lambda _: secrets.token_urlsafe(48), serves=False)
    return (await status_of(settings)).view()


def typed(folder: Path, url: str, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """The command itself."""
    environment = {"QUINTET_DATABASE_URL": url, "QUINTET_WORKER_LIFE_SECONDS": "3"}
    done = quintet("status", *words, folder=folder, environment=environment)
    assert done.returncode == code, done.stderr
    return done


@pytest.mark.l3
async def test_one_server_on_a_file(tmp_path: Path, connect: Connect) -> None:
    """It is up while it serves, with the run that it holds; killed, both are told and the exit code is 1; after a stop it is not in the list."""
    file = f"sqlite:///{tmp_path / 'home' / 'quintet.db'}"
    server = Server(tmp_path / "home", environment={"QUINTET_DATABASE_URL": file})
    try:
        server.start()
        device = await connect.device(server, register(server))
        said = await device.say({"mark": "held"}, agent="slow_parent")
        await effect(server, "begun", "held-a")
        seen = json.loads(typed(tmp_path, file, "--json").stdout)
        assert (seen["healthy"], seen["problems"]) == (True, [])
        assert [(n["role"], n["state"], n["pid"]) for n in seen["nodes"]] == [("all", "up", server.pid)]
        (lease,) = seen["leases"]
        assert (lease["run_id"], lease["attempt"], lease["held"]) == (said.run_id, 1, True)
        assert lease["node_id"] == seen["nodes"][0]["id"]
        assert (seen["heads"]["logs"], seen["lag"]["runs_running"]) == (1, 1)
        shown = typed(tmp_path, file).stdout
        assert seen["nodes"][0]["id"] in shown
        assert said.run_id in shown
        server.kill()
        seen = await told(file)
        assert (seen["nodes"][0]["state"], seen["leases"][0]["held"]) == ("gone", False)
        assert "No server is up that people could reach." in typed(tmp_path, file, code=1).stderr
        server.start()
        assert [n["state"] for n in (await told(file))["nodes"]] == ["up"]
        server.terminate()
        while server.alive and (nodes := (await told(file))["nodes"]):
            assert nodes[0]["state"] in {"up", "draining"}, "between its order to end and its end it is not gone"
        assert server.wait() == 0
        assert (await told(file))["nodes"] == []
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
async def test_a_fleet(fleet: Fleet, connect: Connect, tmp_path: Path) -> None:
    """Each process by its role; one that is told to end drains while it has work; one that was killed is told of within its life, until
    another has come in its place."""
    url = fleet.database.url
    seen = await told(url)
    assert (seen["healthy"], seen["database"]) == (True, "postgresql")
    assert sorted((n["role"], n["state"]) for n in seen["nodes"]) == [("gateway", "up"), ("worker", "up")]
    assert seen["lag"]["notices_queue"] == 0
    device = await connect.device(fleet.gateways[0], register(fleet.gateways[0]))
    await device.say({"mark": "kept", "seconds": 2}, agent="slow_tool")
    await effect(fleet.gateways[0], "begun", "kept")
    fleet.workers[0].terminate()
    async with asyncio.timeout(20):
        while "draining" not in {n["state"] for n in (await told(url))["nodes"]}:
            await asyncio.sleep(0.05)
    assert (await told(url))["problems"] == ["No worker is up, so no agent runs."]
    fleet.workers[0].wait()
    fleet.workers[0].start()
    fleet.workers[0].kill()
    async with asyncio.timeout(20):
        while (await told(url))["healthy"]:
            await asyncio.sleep(0.2)
    said = typed(tmp_path, url, code=1).stderr
    assert "The worker nod_" in said
    assert "has not been heard of" in said
    fleet.workers[0].start()
    seen = await told(url)
    assert sorted((n["role"], n["state"]) for n in seen["nodes"]) == [
        ("gateway", "up"),
        ("worker", "gone"),
        ("worker", "up"),
    ]
    assert seen["problems"] == []


@pytest.mark.l2
async def test_cells_are_looked_at_together() -> None:
    """A process that works in two cells is one; the logs of both are counted, and each is told of; a cell that is away is a problem, and so
    are processes with several maps, and a map that is not what the cells know."""
    one, two = PostgresDatabase(), PostgresDatabase()
    enrolled(one, placed({0: "", HALF: two.url}))
    for database in (one, two):
        store = database.open()
        await store.start()
        node = Node.here("nod_1", "all", "1", f"wrk_{database.url[-3:]}")
        await store.write("", partial(show, node=node))
        await store.close()
    seen = await told(one.url, QUINTET_CELLS=f"0-2047={one.url} 2048-4095={two.url}")
    assert (seen["healthy"], [n["id"] for n in seen["nodes"]], len(seen["heads"]["clusters"])) == (True, ["nod_1"], 2)
    seen = await told(one.url, QUINTET_CELLS=f"0-2047={one.url} 2048-4095=postgresql://nobody@127.0.0.1:1/none")
    assert (seen["cells_away"], len(seen["nodes"])) == (1, 1)
    assert seen["problems"] == ["1 cells do not answer: their users have to wait."]
    assert [cell["answers"] for cell in seen["cells"]] == [True, False]
    one.change("UPDATE nodes SET map = 'another', id = 'nod_2'")
    seen = await told(one.url, QUINTET_CELLS=f"0-2047={two.url} 2048-4095={one.url}")
    wrong, others = seen["problems"][0], seen["problems"][-1]
    assert "gives a cell shards that it does not hold (2048-4095)" in wrong
    assert "Processes have 2 maps of the cells" in others
    assert [(cell["name"], cell["shards"]) for cell in seen["cells"]] == [
        ("accounts", "0-2047"),
        ("cell 1", "2048-4095"),
    ]


@pytest.mark.l3
def test_a_database_that_is_away_is_one_line(tmp_path: Path) -> None:
    """No server of PostgreSQL, no database in it, no file: 1 or 78, one line that says so, nothing on standard output."""
    nobody = "postgresql://nobody@127.0.0.1:1/none"
    other = f"{PostgresDatabase().url}_{secrets.token_hex(3)}"
    for url, code in ((nobody, 1), (other, 1), (f"sqlite:///{tmp_path / 'nowhere'}", 78)):
        done = typed(tmp_path, url, code=code)
        assert (done.stdout, len(done.stderr.splitlines())) == ("", 1), done.stderr


def _status(**changed: Any) -> Status:
    up = Seen(Node("nod_1", "all", "1", "here", 1, "wrk_1"), 1000, 0)
    usual = {"nodes": [NodeState(up, "up")], "leases": [], "lag": Lag(0, 0, 0, None, 0.0), "logs": Logs(0, 0, 0, ())}
    return Status("postgresql", **{**usual, **changed})


@pytest.mark.l1
@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, []),
        ({"nodes": []}, ["No server", "No worker"]),
        (
            {"nodes": [NodeState(Seen(Node("n", "all", "1", "h", 1, "w", draining=True), 1, 1), "draining")]},
            ["No server", "No worker"],
        ),
        ({"nodes": [NodeState(Seen(Node("n", "gateway", "1", "h", 1, None), 1, 1), "up")]}, ["No worker"]),
        ({"nodes": [NodeState(Seen(Node("n", "worker", "1", "h", 1, "w"), 1, 1), "up")]}, ["No server"]),
        (
            {"leases": [Lease("r", "a", "w", 1, 5, held=False), Lease("s", "a", "w", 1, 5, held=True)]},
            ["1 runs are held"],
        ),
        ({"lag": Lag(3, 0, 2, 29_000, 0.1)}, []),
        ({"lag": Lag(3, 0, 2, 31_000, 0.1)}, ["A run has been waiting for a worker for 31 s."]),
        ({"lag": Lag(0, 0, 0, None, 0.6)}, ["PostgreSQL's queue"]),
        ({"cells_away": 1}, ["1 cells do not answer"]),
    ],
)
def test_what_is_worth_a_look(changed: dict[str, Any], told: list[str]) -> None:
    """Nobody to reach, nobody to work, what the dead hold, what waits for long; nothing else is a problem."""
    problems = _status(**changed).problems
    assert len(problems) == len(told)
    assert all(problem.startswith(words) for problem, words in zip(problems, told, strict=True)), problems
    assert _status(**changed).view()["healthy"] == (not told)
