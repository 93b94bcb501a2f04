"""kill -9 in a loop at random moments, under load: P1 to P4 hold each time.

`CRASH_ROUNDS` sets how often (10), `CRASH_SEED` repeats a run.
"""

import asyncio
import os
import random
from pathlib import Path

import pytest

from quintet.testing.contracts import whole
from quintet.testing.sockets.connecting import Connect
from support import oracle
from support.checks.durability import check_killed_at_receipt
from support.effects import effect, effects
from support.faithful import faithful, heal, living
from support.kept import read
from support.server import Factory, Server
from support.world import World

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "10"))
SEED = int(os.environ.get("CRASH_SEED", "0")) or random.randrange(1, 1 << 32)
USERS = 3

pytestmark = [pytest.mark.l3, pytest.mark.hang_guard(60 + 12 * ROUNDS)]


async def test_kill_9_in_a_loop_loses_nothing(server_factory: Factory, connect: Connect, tmp_path: Path) -> None:
    """Each time: the database is sound, all that was seen or answered is kept, every accepted run ends once, no tool runs twice."""
    chance = random.Random(SEED)
    try:
        await _loop(server_factory(), connect, chance, tmp_path)
    except BaseException as fault:
        fault.add_note(
            f"again: CRASH_SEED={SEED} CRASH_ROUNDS={ROUNDS} .venv/bin/python -m pytest tests/crash/test_kill.py"
        )
        raise


async def _loop(server: Server, connect: Connect, chance: random.Random, copies: Path) -> None:
    people = faithful(server, connect, USERS, lambda: random.Random(chance.random()))
    async with living(people) as lives:
        for place in range(ROUNDS):
            await asyncio.sleep(chance.uniform(0.05, 0.9))  # the random moment itself, not a wait for anything
            server.kill()
            await asyncio.gather(*(person.alone() for person in people))
            oracle.check_left(read(server.database(copies / f"round {place}")), people, server.done())
            await asyncio.to_thread(server.start)
            for person in people:
                await person.audit()
            assert not lives.done(), "a client has given up"
        ended = await heal(server, people, lives, copies / "healed")
        assert all(person.resumed > ROUNDS for person in people), "a device that never resumed proves nothing"
        assert ended["worker_lost"], f"no run was hit, so nothing was proven: {ended}"
        assert ended["agent_completed"], f"no run completed: {ended}"


async def test_an_event_that_arrived_survives_the_kill_at_its_arrival(server_factory: Factory) -> None:
    """The server dies the moment the client holds the event: after the restart it is there, the same bytes."""
    await check_killed_at_receipt(server_factory())


async def test_the_work_of_a_dead_server_ends_at_the_next_start(server_factory: Factory) -> None:
    """A running run ends `worker_lost`, retryable, what was open in it closed; a queued one runs; no tool runs again."""
    server = server_factory()
    async with World(server) as world:
        alice = await world.user()
        device = await world.device(alice)
        running = await device.say({"mark": "dies"}, agent="slow_parent")
        queued = await device.say("still here", agent="echo", thread_id=running.thread_id)
        await effect(server, "begun", "dies-a")
        await effect(server, "begun", "dies-b")
        await device.step("two tools", lambda: [e for e in device.events if e.type == "tool_executing"][1:] or None)
        seen = [e.raw for e in device.events]
        await asyncio.to_thread(server.restart)
        later = await world.device(alice, name="later")
        run = whole(await later.run(running.run_id, 20))
        assert [e.raw for e in later.events][: len(seen)] == seen
        error = run.ending["data"]["error"]
        assert (error["code"], error["retryable"]) == ("worker_lost", True)
        kinds = [(e.type, e["data"].get("status"), e["data"].get("error", {}).get("code")) for e in run[-4:]]
        assert kinds[0] == kinds[1] == ("tool_completed", "error", "worker_lost")
        assert [(kind, code) for kind, _, code in kinds[2:]] == [("agent_failed", "worker_lost")] * 2
        assert whole(await later.run(queued.run_id)).ending.type == "agent_completed"
        assert effects(server, "dies-a") == effects(server, "dies-b") == ["begun"], "no tool ran again"


async def test_a_copy_of_the_database_put_back_is_noticed(server_factory: Factory, tmp_path: Path) -> None:
    """A client ahead of the restored log resyncs, at once and also when the log has grown past its number again."""
    server = server_factory()
    async with World(server) as world:
        alice = await world.user()
        device = await world.device(alice)
        whole(await device.tell("before the copy", "echo"))
        await asyncio.to_thread(server.stop)
        copy = server.database(tmp_path / "copy")
        server.start()
        ahead = await world.device(alice, name="ahead")
        run = whole(await ahead.tell("after the copy", "echo"))
        await asyncio.to_thread(server.stop)
        _put_back(server, copy)
        server.start()
        behind = await world.device(alice, name="behind")
        told = await behind.follow(run[-1]["cursor"])
        assert (told["type"], told["reason"]) == ("resync", "future")
        await behind.following("0")
        whole(await behind.tell("another story", "echo"))
        told = await behind.follow(run[-1]["cursor"])
        assert (told["type"], told["reason"]) == ("resync", "epoch"), behind.shown(
            f"a restored log was not noticed: {told}"
        )


def _put_back(server: Server, copy: Path) -> None:
    for file in server.data.iterdir():
        if file.name.startswith(copy.name):
            file.unlink()
    for file in copy.parent.iterdir():
        (server.data / file.name).write_bytes(file.read_bytes())
