"""What our own server really sends is never blamed: every kind of run, at once, cut, read again; and a hole made in it is seen."""

import asyncio
from collections.abc import Iterable

import pytest

from quintet.testing.contracts import ContractViolation, Seen, Story, isolated, resumes_exactly, whole
from quintet.testing.sockets.device import Device
from quintet.testing.sockets.reading import Line
from support.world import World

pytestmark = pytest.mark.l3

# Nested, parallel, spoken in many pieces, failing in every way there is; beside them one that is cancelled in its tool.
AGENTS = (
    "researcher",
    "stepper",
    "coordinator",
    "streamer",
    "echo",
    "catcher",
    "raiser",
    "silent",
    "returner",
    "bad_args",
    "sync_agent",
)


def story_of(device: Device, frames: Iterable[Line | Seen] | None = None, name: str = "") -> Story:
    """What a device received, as a story."""
    kept = [frame for frame in device.transcript if not frame.sent] if frames is None else list(frames)
    story = Story(name or device.name, log=None, begun=kept[0].at if kept else None)
    for frame in kept:
        story.add(frame.raw, frame.at, frame.wall)
    return story


async def work(device: Device) -> int:
    """Runs of every kind, in threads of their own and so at once; returns how many."""
    said = [
        await device.say({"text": "é🎻", "steps": 4, "pieces": 12, "pause": 0.01, "mark": "m"}, agent=name)
        for name in AGENTS
    ]
    slow = await device.say({"mark": f"recorded {said[0].run_id}"}, agent="slow_tool")
    await device.find("the slow tool", lambda e: e.run == slow.run_id and e.type == "tool_executing", 30)
    await device.cancel(slow.run_id)
    for one in (*said, slow):
        await device.run(one.run_id, 30)
    return len(said) + 1


async def test_real_runs_are_never_blamed(world: World) -> None:
    """Twelve runs of each of two users, interleaved: every check passes on the whole and on each run; what is taken out is missed."""
    alice, bob = await world.users(2)
    devices = [await world.device(alice, name="alice"), await world.device(bob, name="bob")]
    counts = await asyncio.gather(*(work(device) for device in devices))
    stories = [story_of(device) for device in devices]
    for story, count in zip(stories, counts, strict=True):
        assert len(story.runs) == count == len([seen for seen in story if seen.final])
        whole(story).within(30, "agent_started").within(30).within(30, "tool_executing", "tool_completed").within(
            30, stamped=True
        )
        kinds = {seen.type for seen in story}
        assert {"agent_failed", "agent_cancelled", "text_delta"} <= kinds and any(seen.parent for seen in story)
        for run in story.runs:
            story.run(run).whole()
    isolated(*stories)
    story = stories[0]
    for place in range(2, len(story), 7):
        holed = story_of(
            devices[0], [f for n, f in enumerate(f for f in devices[0].transcript if not f.sent) if n != place]
        )
        if story[place].event:
            with pytest.raises(ContractViolation, match="missing before"):
                holed.no_gap()


async def test_a_real_cut_is_never_blamed(world: World) -> None:
    """Cut between any two events and followed again on another device, or on the same from an older place: one reading."""
    alice = await world.user()
    device = await world.device(alice, name="uncut")
    run = [*await device.tell({"text": "x"}, "coordinator"), *await device.tell({"text": "y"}, "researcher")]
    uncut = story_of(device)
    for place in range(1, len(run), 5):
        before = story_of(device, run[:place], "before")
        other = await world.device(alice, after=run[place - 1]["cursor"], name="after")
        await other.find("the last event", lambda e: e.order == run[-1].order)
        resumes_exactly(before, story_of(other), uncut)
        await other.following(run[max(0, place - 3)]["cursor"])
        await other.find("caught up", lambda b: b["type"] == "caught_up")
        await asyncio.wait_for(other.request("ping"), 5)
        story_of(other).sequence().pairs().no_gap().once().pieces().only_user().schema()
        await other.close()
