"""SIGTERM under load and another start, again and again: what runs is drained or clearly ended, what waits is kept, nothing is lost."""

import asyncio
import os
import random
from collections import Counter
from pathlib import Path

import pytest

from quintet.testing.accounts.account import register
from quintet.testing.sockets.connecting import Connect
from support import oracle
from support.effects import effect, effects
from support.faithful import faithful, heal, living
from support.kept import read
from support.server import Factory

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "1"))

pytestmark = [pytest.mark.l3, pytest.mark.hang_guard(120 + 30 * ROUNDS)]


async def test_restarts_under_load_lose_nothing_and_end_nothing(
    server_factory: Factory, connect: Connect, tmp_path: Path
) -> None:
    """Each time exit code 0; running runs complete before it, queued ones after it; every client comes back with its cursor."""
    server = server_factory()
    people = faithful(server, connect, 4, random.Random)
    async with living(people) as lives:
        for place in range(2 + 2 * ROUNDS):
            await asyncio.gather(*(person.goes_on() for person in people))
            for person in people:
                person.fair = False
            await asyncio.to_thread(server.stop)
            await asyncio.gather(*(person.alone() for person in people))
            left = read(server.database(tmp_path / f"round {place}"))
            oracle.check_left(left, people, server.done())
            states = Counter(run.state for runs in left.runs.values() for run in runs.values())
            assert not states["running"], f"a server that ended well has left runs running: {states}"
            await asyncio.to_thread(server.start)
        ended = await heal(server, people, lives, tmp_path / "healed")
    assert set(ended) == {"agent_completed"}, f"restarts have ended runs: {ended}"
    assert all(person.resumed >= 4 for person in people)


async def test_a_restart_that_cannot_wait_ends_the_run_clearly_and_keeps_the_queued(
    server_factory: Factory, connect: Connect
) -> None:
    """A run longer than the drain is `agent_cancelled` `shutdown`, its tool told; the one queued behind it runs after the start."""
    server = server_factory(environment={"QUINTET_DRAIN_SECONDS": "1"})
    alice = register(server)
    device = await connect.device(server, alice)
    long = await device.say({"mark": "long", "seconds": 60}, agent="slow_tool")
    queued = await device.say("next", agent="echo", thread_id=long.thread_id)
    await effect(server, "begun", "long")
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)
    again = await connect.device(server, alice)
    story = await again.run(long.run_id)
    assert (story[-1].type, story[-1].body["data"]["reason"]) == ("agent_cancelled", "shutdown")
    assert effects(server, "long") == ["begun", "cancelled"]
    assert (await again.run(queued.run_id))[-1].type == "agent_completed"
    again.story.whole()
