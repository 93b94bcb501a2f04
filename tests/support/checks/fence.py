"""P4 and P5: one ending, nothing after it, whatever an agent does that was given up or has returned."""

import asyncio

from quintet.testing.contracts import whole
from support.effects import effect
from support.server import Server
from support.world import World

__all__ = ["check_given_up_agent_is_fenced", "check_nothing_after_the_end"]


async def check_given_up_agent_is_fenced(server: Server) -> None:
    """An agent that held its loop until its run was closed comes back and finds that it can write no more."""
    async with World(server) as world:
        alice = await world.user()
        device = await world.device(alice)
        said = await device.say({"seconds": 7, "mark": "fence", "stubborn": True}, agent="blocker")
        run = whole(await device.run(said.run_id, 12))
        assert run.ending.type != "agent_completed"
        await effect(server, "unblocked", "fence", 20)
        follower = await device.tell("after the ghost", "echo")
        whole(follower)
        await asyncio.wait_for(device.request("ping"), 5)
        after = [e for e in device.events if e.run == said.run_id][len(run) :]
        assert not after, device.shown(f"{len(after)} events follow the ending of a run that was closed")
        assert not any("beyond" in line for line in server.done()), "a tool ran for a run that had ended"


async def check_nothing_after_the_end(world: World) -> None:
    """A background task of an agent that has returned adds nothing to its ended run."""
    alice = await world.user()
    device = await world.device(alice)
    said = await device.say("haunt", agent="after_end")
    run = whole(await device.run(said.run_id))
    await effect(world.server, "haunted", said.run_id)
    whole(await device.tell("later", "echo"))
    snapshot = await alice.snapshot()
    story = [e for e in device.events if e.run == said.run_id]
    assert len(story) == len(run), device.shown("events follow the ending")
    assert snapshot["last_seq"] == device.events[-1]["seq"], device.shown("the log holds what was not delivered")
