"""An agent that blocks its loop, spins, or speaks from beyond delays nobody, and is ended with a code."""

import asyncio
import time

import pytest

from quintet.testing.contracts import ENDINGS, whole
from support.checks.fence import check_given_up_agent_is_fenced
from support.server import Factory
from support.world import World

pytestmark = pytest.mark.l3


@pytest.mark.parametrize("agent", ["blocker", "looper"])
async def test_a_stuck_agent_delays_nobody(server_factory: Factory, agent: str) -> None:
    """While one agent holds its loop another user's runs take less than 2 s each, and the agent is ended within about 10 s."""
    server = server_factory()
    async with World(server) as world:
        alice, bob = await world.users(2)
        stuck, free = await world.device(alice, name="stuck"), await world.device(bob, name="free")
        said = await stuck.say("go", agent=agent)
        thought = await stuck.find("its thought", lambda e: e.type == "agent_thinking")
        slowest = 0.0
        while not (over := [e for e in stuck.events if e.run == said.run_id and e.body.get("final")]):
            begun = time.monotonic()
            assert begun - thought.at < 12, stuck.shown(f"{agent} was not ended within 12 s")
            run = whole(await free.tell("and me?", "echo"))
            assert run.ending.type == "agent_completed", free.shown("a neighbour's run failed")
            slowest = max(slowest, time.monotonic() - begun)
            await asyncio.sleep(0.2)
        assert slowest < 2, free.shown(f"a neighbour waited {slowest:.1f} s")
        run = whole(await stuck.run(said.run_id))
        assert over[0].type in ENDINGS - {"agent_completed"}
        run.schema()
        if over[0].type == "agent_failed":
            assert over[0]["data"]["error"]["code"]
        assert agent in server.logged(), "the log names the agent that held its loop"
        begun = time.monotonic()
        whole(await stuck.tell("and now?", "echo"))
        assert time.monotonic() - begun < 2, stuck.shown("the user of the stuck agent waits")


async def test_an_agent_that_was_given_up_is_fenced(server_factory: Factory) -> None:
    """It comes back after its run was closed: nothing it says is stored, and no tool of it runs."""
    await check_given_up_agent_is_fenced(server_factory())


async def test_a_flooding_agent_delays_nobody(server_factory: Factory) -> None:
    """Ten megabytes of text are stopped at the limit while a neighbour's runs stay fast."""
    server = server_factory()
    async with World(server) as world:
        alice, bob = await world.users(2)
        loud, quiet = await world.device(alice, name="loud"), await world.device(bob, name="quiet")
        said = await loud.say({"pieces": 5000, "size": 2000}, agent="flooder")
        slowest = 0.0
        for _ in range(10):
            begun = time.monotonic()
            whole(await quiet.tell("and me?", "echo"))
            slowest = max(slowest, time.monotonic() - begun)
        assert slowest < 2, quiet.shown(f"a neighbour waited {slowest:.1f} s")
        run = whole(await loud.run(said.run_id, 60))
        assert run.ending["data"]["error"]["code"] == "output_limit"
        assert sum(len(e.raw) for e in run.of_type("text_delta")) < 4_000_000
