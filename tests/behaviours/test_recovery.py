"""A cut, a reload, a second device: what was missed comes once, in order, with the same bytes."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from quintet.testing.contracts import Seen, whole
from support.checks.order import check_cuts, check_many_writers, check_nothing_is_late, same_bytes
from support.world import World

pytestmark = pytest.mark.l3


async def test_event_delivery_failure_recovery(world: World) -> None:
    """Cut at every frame boundary and inside frames while the run goes on: every missed event once, in order, the ending too."""
    await check_cuts(world, seed=random.randrange(1 << 32))


async def test_a_run_nobody_watches_goes_on(world: World) -> None:
    """The device is gone the moment its message was accepted: the run completes, and all of it is there afterwards."""
    alice = await world.user()
    device = await world.device(alice, name="gone")
    said = await device.say({"steps": 10, "pause": 0.03}, agent="stepper")
    await device.cut()
    later = await world.device(alice, name="later")
    run = whole(await later.run(said.run_id))
    assert run.ending.type == "agent_completed"
    assert len(run.of_type("agent_thinking")) == 10


async def test_parallel_runs_share_one_dense_order(world: World) -> None:
    """Five runs of a user at once: numbers without a hole, and every device sees the same bytes, now and later."""
    await check_many_writers(world)


async def test_an_event_of_this_moment_is_not_late(world: World) -> None:
    """Following at the very moment of a commit loses no wake-up."""
    await check_nothing_is_late(world)


async def test_a_reload_in_the_middle_is_harmless(world: World) -> None:
    """Snapshot and feed fit together at any moment: the text so far, then exactly the rest of it."""
    alice = await world.user()
    witness = await world.device(alice, name="witness")
    said = await witness.say({"pieces": 60, "pause": 0.01}, agent="streamer")
    await witness.find("the tenth piece", lambda e: e.run == said.run_id and e.run_order == 12)
    for place in range(3):
        snapshot = await alice.snapshot()
        page = await world.device(alice, after=None, name=f"reload {place}")
        told = await page.following(snapshot["cursor"])
        assert told["last_seq"] == snapshot["last_seq"]
        assert told["after"] == snapshot["cursor"]
        run = await page.run(said.run_id) if place == 2 else page.events
        opened = [r for r in snapshot["runs"] if r.get("run_id", r.get("id")) == said.run_id]
        assert len(opened) == 1, f"the run is open in the snapshot: {snapshot}"
        whole_text = await _text_of(world, witness.events, said.run_id, run, opened[0])
        assert whole_text
    whole(await witness.run(said.run_id))
    assert not (await alice.snapshot())["runs"], "an ended run is not open"


async def _text_of(
    world: World, seen: Sequence[Seen], run_id: str, rest: Sequence[Seen], opened: dict[str, object]
) -> bool:
    """The snapshot's text so far plus the pieces that follow, joined by offset, have no hole and no overlap."""
    text = str(opened.get("text", ""))
    for piece in _pieces(rest, run_id):
        assert piece["data"]["offset"] == len(text), (
            f"the snapshot's text has {len(text)} characters, then {piece.raw!r}"
        )
        text += piece["data"]["text"]
    reference = "".join(e["data"]["text"] for e in _pieces(seen, run_id))
    return reference.startswith(text) or text.startswith(reference)


def _pieces(seen: Sequence[Seen], run_id: str) -> list[Seen]:
    return [e for e in seen if e.run == run_id and e.type == "text_delta"]


async def test_a_new_follow_ends_the_earlier_one(world: World) -> None:
    """After a new `following` no event of the earlier feed comes, and the numbers start where it says."""
    alice = await world.user()
    device = await world.device(alice)
    run = whole(await device.tell("first", "echo"))
    said = await device.say({"steps": 20, "pause": 0.005}, agent="stepper")
    for place in (0, 3, 1, 5):
        told = await device.following(run[place]["cursor"])
        assert told["last_seq"] == run[place]["seq"]
        assert told["after"] == run[place]["cursor"]
    story = whole(await device.run(said.run_id))
    fresh = await world.device(alice, name="fresh")
    same_bytes([e.raw for e in fresh.events[6:]], [e.raw for e in device.events], "the fresh device", world)
    assert story.ending.type == "agent_completed"


async def test_following_twice_at_once_answers_both(world: World) -> None:
    """Two follows in one packet: two answers, and one dense feed, the later one's."""
    alice = await world.user()
    device = await world.device(alice)
    run = whole(await device.tell("something", "echo"))
    told = await asyncio.gather(device.follow("0"), device.follow(run[1]["cursor"]))
    assert [t["last_seq"] for t in told] == [0, run[1]["seq"]]
    await device.step(
        "the ending once more", lambda: next((e for e in device.events if e.order == run[-1].order), None)
    )
    assert [e["seq"] for e in device.events] == [e["seq"] for e in run[2:]]
