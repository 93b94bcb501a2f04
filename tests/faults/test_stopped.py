"""The process stands still (SIGSTOP, a closed lid, a frozen machine) and goes on: nobody is failed for it, and time that passed has passed."""

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest

from faults.climate import weathered
from quintet.testing.accounts.account import register
from quintet.testing.sockets.connecting import Connect
from support.effects import effect, effects
from support.faithful import faithful, heal, living
from support.server import Factory, Server

pytestmark = [pytest.mark.l3, pytest.mark.hang_guard(150)]

SHORT = {"heartbeat": 0.5, "silence": 2.0, "held": 1.0, "ping": 0.05}


async def stand_still(server: Server, seconds: float) -> None:
    """The fault itself, not a wait for anything."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        os.kill(server.pid, signal.SIGCONT)


async def test_a_process_that_stood_still_fails_nobodys_run(
    server_factory: Factory, connect: Connect, tmp_path: Path
) -> None:
    """Stopped for longer than a loop may be held and a socket be silent: every run completes, every event comes once."""
    server, _ = weathered(server_factory, periods=SHORT)
    people = faithful(server, connect, 3, random.Random)
    async with living(people) as lives:
        for _ in range(3):
            await asyncio.gather(*(person.goes_on() for person in people))
            for person in people:
                person.fair = False
            await stand_still(server, 3.0)
            await asyncio.gather(*(person.goes_on() for person in people))
        ended = await heal(server, people, lives, tmp_path / "healed")
    assert set(ended) == {"agent_completed"}, f"runs were failed because the process stood still: {ended}"
    assert ended.total() > 6


async def test_a_run_whose_time_passed_meanwhile_ends_once_and_the_next_one_runs(
    server_factory: Factory, connect: Connect
) -> None:
    """Stopped past a run's deadline: that run ends `timeout`, its tool is cancelled, and what was queued behind it is run, not failed."""
    server, _ = weathered(server_factory, QUINTET_RUN_SECONDS="2")
    device = await connect.device(server, register(server))
    late = await device.say({"mark": "late", "seconds": 60}, agent="slow_tool")
    queued = await device.say("next", agent="echo", thread_id=late.thread_id)
    await effect(server, "begun", "late")
    await stand_still(server, 3.0)
    story = await device.run(late.run_id, 20)
    assert (story[-1].type, story[-1].body["data"]["reason"]) == ("agent_cancelled", "timeout")
    assert (await device.run(queued.run_id, 20))[-1].type == "agent_completed"
    assert effects(server, "late") == ["begun", "cancelled"]
    device.story.whole()
