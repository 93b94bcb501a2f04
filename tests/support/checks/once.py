"""P3, P4 and P7: a message is one message, a tool runs once, a run ends once, by a cancel too, and what failed is said to have failed."""

import secrets

from quintet.testing.contracts import whole
from support.effects import effect, effects
from support.world import World

__all__ = [
    "check_a_failure_is_told",
    "check_a_tool_runs_once",
    "check_cancel_stops",
    "check_one_ending",
    "check_the_same_client_id_of_two_users",
]


async def check_the_same_client_id_of_two_users(world: World) -> None:
    """Two users name a message alike: two messages, and neither is answered with the other's."""
    alice, bob = await world.users(2)
    hers, his = await world.device(alice, name="hers"), await world.device(bob, name="his")
    name = f"alike-{secrets.token_hex(6)}"
    first, second = (
        await hers.say("the same words", name, agent="echo"),
        await his.say("the same words", name, agent="echo"),
    )
    assert first.run_id != second.run_id, his.shown("one user's message was answered with another's")
    for device, said in ((hers, first), (his, second)):
        whole(await device.run(said.run_id))


async def check_a_tool_runs_once(world: World) -> None:
    """A tool that fails has run once, and has one completed event."""
    device = await world.device(await world.user())
    mark = f"once{secrets.token_hex(6)}"
    run = whole(await device.tell({"mark": mark}, "catcher"))
    assert run.ending.type == "agent_completed"
    left = effects(world.server, mark)
    assert left, "the tool has left nothing, so nothing was seen"
    assert len(left) == 1, f"the tool ran {len(left)} times: {left}"


async def check_cancel_stops(world: World) -> None:
    """A cancelled run ends within its 5 s as `agent_cancelled`, its tool cancelled, and no other tool starts."""
    device = await world.device(await world.user())
    mark = f"stop{secrets.token_hex(6)}"
    said = await device.say({"mark": mark}, agent="slow_tool")
    await effect(world.server, "begun", mark)
    await device.cancel(said.run_id)
    assert whole(await device.run(said.run_id, 6)).ending.type == "agent_cancelled"
    await effect(world.server, "cancelled", mark)
    assert effects(world.server, mark) == ["begun", "cancelled"]
    assert not effects(world.server, f"after {mark}"), "another tool started"


async def check_one_ending(world: World) -> None:
    """A run has one final event, its last."""
    alice = await world.user()
    device = await world.device(alice)
    said = await device.say("hello", agent="echo")
    await device.run(said.run_id)
    after = await world.device(alice, name="later")
    finals = [event for event in after.events if event.run == said.run_id and event.body.get("final")]
    assert len(finals) == 1, after.shown(f"the run has {len(finals)} endings")


async def check_a_failure_is_told(world: World) -> None:
    """An agent that raises has failed: `agent_failed` with a code, never `agent_completed`."""
    device = await world.device(await world.user())
    last = whole(await device.tell("x", "raiser")).ending
    assert last.type == "agent_failed", device.shown(f"a failure was told as {last.type}")
    assert last["data"]["error"]["code"] == "agent_error"
