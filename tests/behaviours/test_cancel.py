"""P7, stop stops: from the commit of a cancel no tool of the run starts, and the run has one ending."""

import asyncio
import random
import time
from collections.abc import Callable

import pytest

from quintet.testing.contracts import Seen, whole
from support.effects import effect, effects
from support.runs import agents
from support.world import World

pytestmark = pytest.mark.l3


async def test_cancel_during_a_tool(world: World) -> None:
    """The tool is cancelled, no other starts, one `agent_cancelled` `user`, the state says so, a later message runs at once."""
    alice = await world.user()
    device = await world.device(alice)
    said = await device.say({"mark": f"stop-{alice.id}"}, agent="slow_tool")
    await effect(world.server, "begun", f"stop-{alice.id}")
    told = await device.cancel(said.run_id)
    assert told["run_id"] == said.run_id
    assert told["state"] in {"running", "cancelled"}
    run = whole(await device.run(said.run_id, 5))
    assert [e.type for e in run][-3:] == ["tool_executing", "tool_completed", "agent_cancelled"]
    assert run[-2]["data"]["status"] == "cancelled"
    assert run.ending["data"]["reason"] == "user"
    await effect(world.server, "cancelled", f"stop-{alice.id}")
    assert effects(world.server, f"stop-{alice.id}") == ["begun", "cancelled"]
    assert (await alice.get(f"/v1/runs/{said.run_id}"))["state"] == "cancelled"
    again = await device.cancel(said.run_id)
    assert (again["type"], again["state"]) == ("result", "cancelled"), "a cancel is idempotent"
    begun = time.monotonic()
    whole(await device.tell("go on", "echo", thread_id=said.thread_id))
    assert time.monotonic() - begun < 2
    assert not effects(world.server, f"after stop-{alice.id}"), "no other tool started"


async def test_cancel_reaches_nested_agents(world: World) -> None:
    """Two tools at once in a child: both cancelled, then the child, then the root."""
    alice = await world.user()
    device = await world.device(alice)
    said = await device.say({"mark": alice.id}, agent="slow_parent")
    await effect(world.server, "begun", f"{alice.id}-a")
    await effect(world.server, "begun", f"{alice.id}-b")
    await device.cancel(said.run_id)
    run = whole(await device.run(said.run_id, 5))
    assert [b["data"]["status"] for _, b in run.calls] == ["cancelled", "cancelled"]
    assert [e["agent"]["name"] for e in run.of_type("agent_cancelled")] == ["slow_child", "slow_parent"]
    for part in ("a", "b"):
        await effect(world.server, "cancelled", f"{alice.id}-{part}")


async def test_cancel_of_a_queued_run(world: World) -> None:
    """A run that never started has two events, its acceptance and its ending, with the root's name under a fresh id."""
    alice = await world.user()
    device = await world.device(alice)
    first = await device.say({"mark": f"q-{alice.id}"}, agent="slow_tool")
    await effect(world.server, "begun", f"q-{alice.id}")
    queued = await device.say("later", agent="echo", thread_id=first.thread_id)
    assert (await alice.get(f"/v1/runs/{queued.run_id}"))["state"] == "queued"
    assert (await device.cancel(queued.run_id))["state"] == "cancelled"
    run = whole(await device.run(queued.run_id, 5))
    assert [e.type for e in run] == ["message_accepted", "agent_cancelled"]
    assert run.ending["agent"]["name"] == "echo"
    third = await device.say("go on", agent="echo", thread_id=first.thread_id)
    await device.cancel(first.run_id)
    whole(await device.run(first.run_id, 5))
    assert whole(await device.run(third.run_id, 5)).ending.type == "agent_completed"


async def test_cancel_over_http(world: World) -> None:
    """POST answers 202 and is the same cancel."""
    alice = await world.user()
    device = await world.device(alice)
    said = await device.say({"mark": f"http-{alice.id}"}, agent="slow_tool")
    await effect(world.server, "begun", f"http-{alice.id}")
    await alice.cancel(said.run_id)
    assert whole(await device.run(said.run_id, 5)).ending["data"]["reason"] == "user"
    assert (await alice.cancel(said.run_id))["state"] == "cancelled", "a cancel is idempotent"


async def test_a_tool_that_refuses_is_abandoned(world: World) -> None:
    """Work that does not stop has 5 s; then the run is closed, and nobody waits for it any more."""
    alice = await world.user()
    device = await world.device(alice)
    mark = f"stubborn-{alice.id}"
    said = await device.say({"stubborn": True, "seconds": 12, "mark": mark}, agent="slow_tool")
    await effect(world.server, "begun", mark)
    begun = time.monotonic()
    await device.cancel(said.run_id)
    run = whole(await device.run(said.run_id, 9))
    assert time.monotonic() - begun < 8
    assert run.ending.type == "agent_cancelled"
    assert run.calls[-1][1]["data"]["status"] == "cancelled"


async def test_cancel_at_random_moments(world: World) -> None:
    """Twenty runs cancelled at random moments: one ending each, and no `tool_executing` after the commit of the cancel."""
    seed = random.randrange(1 << 32)
    moments = random.Random(seed)
    alice = await world.user()
    device = await world.device(alice)
    reached = set()
    for place in range(20):
        agent = moments.choice(["stepper", "coordinator", "researcher"])
        said = await device.say({"steps": 100, "pause": 0.005, "mark": alice.id}, agent=agent)
        wanted = moments.choice([1, 2, 3, 5, 8, 13])
        await device.find("the moment", _reached(said.run_id, wanted))
        await asyncio.sleep(moments.random() * 0.02)
        told = await device.cancel(said.run_id) if place % 2 else await alice.cancel(said.run_id)
        committed = (await alice.snapshot())["last_seq"]
        run = whole(await device.run(said.run_id, 7))
        reached.add(run.ending.type)
        late = [e["seq"] for e in run.of_type("tool_executing") if e["seq"] > committed]
        assert not late, device.shown(f"tools {late} started after the cancel was answered (seed {seed})")
        final = {"agent_completed": "completed", "agent_cancelled": "cancelled"}[run.ending.type]
        assert told["state"] in {"running", final}, device.shown(f"the cancel said {told['state']} (seed {seed})")
        assert (await alice.get(f"/v1/runs/{said.run_id}"))["state"] == final
    assert "agent_cancelled" in reached
    begun = time.monotonic()
    whole(await device.tell("still there", "echo"))
    assert time.monotonic() - begun < 2


def _reached(run_id: str, place: int) -> Callable[[Seen], bool]:
    return lambda e: e.run == run_id and ((e.run_order or 0) >= place or e.body.get("final") is True)


async def test_cancel_against_completion(world: World) -> None:
    """A cancel that races with the end: one ending, and the state agrees with it."""
    alice = await world.user()
    device = await world.device(alice)
    for place in range(10):
        said = await device.say(f"race {place}", agent="returner")
        if place % 2:
            await device.find("its start", _reached(said.run_id, 2))
        await device.cancel(said.run_id)
        run = whole(await device.run(said.run_id, 7))
        state = (await alice.get(f"/v1/runs/{said.run_id}"))["state"]
        assert state == {"agent_completed": "completed", "agent_cancelled": "cancelled"}[run.ending.type]


async def test_a_closing_socket_cancels_nothing(world: World) -> None:
    """A disconnect never cancels a run; another device of the user does."""
    alice = await world.user()
    device = await world.device(alice)
    said = await device.say({"mark": f"left-{alice.id}"}, agent="slow_tool")
    await effect(world.server, "begun", f"left-{alice.id}")
    await device.close()
    other = await world.device(await world.again(alice), name="other")
    assert (await alice.get(f"/v1/runs/{said.run_id}"))["state"] == "running"
    await other.cancel(said.run_id)
    run = whole(await other.run(said.run_id, 5))
    assert agents(run, "slow_tool")[-1].type == "agent_cancelled"
