"""The database is slow, held by somebody else, or gone: submits are refused with a code, sockets stay, agents wait, and nothing is lost."""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx
import pytest

from faults.climate import until, weathered
from quintet.testing.accounts.account import Account, register
from quintet.testing.sockets.connecting import Connect
from support.effects import effect
from support.faithful import faithful, heal, living
from support.server import Factory, Server

pytestmark = [pytest.mark.l3, pytest.mark.hang_guard(150)]


async def _submit(account: Account, client_id: str) -> httpx.Response:
    async with account.http as http:
        made = await http.post("/v1/threads", json={"title": "one"})
        if made.status_code != 201:
            return made
        body = {"client_id": client_id, "text": "hello", "agent": "echo"}
        return await http.post(f"/v1/threads/{made.json()['id']}/messages", json=body)


async def test_commits_of_two_seconds_delay_and_lose_nothing(
    server_factory: Factory, connect: Connect, tmp_path: Path
) -> None:
    """Under load: everything is answered, later; the database is called ready; no socket is closed, no run failed."""
    server, climate = weathered(server_factory)
    people = faithful(server, connect, 2, random.Random)
    for person in people:
        person.most_steps = 5  # each takes the commits of both: four seconds and more
    async with living(people) as lives:
        await asyncio.gather(*(person.goes_on() for person in people))
        before = len(connect.open)
        climate.set(slow=2.0)
        await asyncio.gather(*(person.goes_on(90) for person in people))  # a run with tools is a dozen commits
        assert server.status("/readyz") == 200
        climate.clear()
        assert len(connect.open) == before, "somebody had to connect again"
        ended = await heal(server, people, lives, tmp_path / "healed")
    assert set(ended) == {"agent_completed"}, f"runs were failed for slow commits: {ended}"
    assert climate.met()["slow"] > 1


async def test_a_database_that_is_gone_for_a_while_costs_waiting_and_no_run(
    server_factory: Factory, connect: Connect, tmp_path: Path
) -> None:
    """Submits are 503 with a wait and /readyz names the database; open sockets stay open; when it is back the runs go on where they
    were, and none was failed for it."""
    server, climate = weathered(server_factory)
    people = faithful(server, connect, 3, random.Random)
    alice = register(server)
    async with living(people) as lives:
        await asyncio.gather(*(person.goes_on() for person in people))
        watcher = await connect.device(server, alice)
        for person in people:
            person.fair = False
        climate.set(gone=True)
        await climate.until_met("gone", 20)
        refused = await _submit(alice, "while it is gone")
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable"), refused.text
        assert int(refused.headers["retry-after"]) > 0
        assert server.status("/readyz") == 503
        assert server.status("/healthz") == 200
        await asyncio.sleep(2)  # how long it is gone
        climate.clear()
        assert (await _submit(alice, "again")).status_code == 202
        assert watcher.close_code is None
        assert (await watcher.find("an ending", lambda seen: seen.final)).type == "agent_completed"
        for _ in range(2):
            await asyncio.gather(*(person.goes_on() for person in people))
        ended = await heal(server, people, lives, tmp_path / "healed")
    # A run that was leased the moment before, and whose thread cannot be read, is told so: one of each user at the most.
    assert set(ended) <= {"agent_completed", "unavailable"}, f"runs were failed though the database came back: {ended}"
    assert ended["unavailable"] <= len(people) < ended["agent_completed"]


async def test_a_run_whose_time_passes_while_the_database_is_gone_says_so(
    server_factory: Factory, connect: Connect
) -> None:
    """It ends `unavailable` as soon as that can be written, and the run after it completes: no mass failure afterwards."""
    server, climate = weathered(server_factory, periods={"grace": 0.5}, QUINTET_RUN_SECONDS="3")
    device = await connect.device(server, register(server))
    said = await device.say({"steps": 400, "pause": 0.01}, agent="stepper")
    queued = await device.say("next", agent="echo", thread_id=said.thread_id)
    await device.find("a step", lambda seen: seen.type == "tool_completed")
    climate.set(gone=True)
    await asyncio.sleep(4.5)  # past the run's time
    climate.clear()
    story = await device.run(said.run_id, 20)
    assert story[-1].type == "agent_failed"
    assert story[-1].body["data"]["error"]["code"] == "unavailable"
    assert (await device.run(queued.run_id, 20))[-1].type == "agent_completed"
    device.story.whole()


@asynccontextmanager
async def _held(server: Server) -> AsyncIterator[None]:
    """Another program has begun to write and does not end."""
    with closing(sqlite3.connect(server.data / "quintet.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def test_a_database_that_somebody_holds_is_busy_and_reading_goes_on(
    server_factory: Factory, connect: Connect
) -> None:
    """For longer than a writer waits: submits are 503 `busy`, reads are answered at once, a running run waits and is whole."""
    server, _ = weathered(server_factory)
    alice = register(server)
    device = await connect.device(server, alice)
    said = await device.say({"seconds": 3, "mark": "held"}, agent="slow_tool")
    await effect(server, "begun", "held")
    async with _held(server):
        asked = asyncio.create_task(_submit(alice, "while it is held"))
        await effect(server, "done", "held")
        took = await until(lambda: server.status("/readyz") == 200, 2.0, "a read")
        assert took < 2.0
        assert alice.id in str(await alice.get("/v1/auth/me"))
        refused = await asked
        assert (refused.status_code, refused.json()["code"]) == (503, "busy"), refused.text
    assert (await device.run(said.run_id, 20))[-1].type == "agent_completed"
    device.story.whole()
    assert (await _submit(alice, "afterwards")).status_code == 202
