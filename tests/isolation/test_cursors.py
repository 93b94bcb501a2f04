"""Positions: any string is a cursor, and what is not a position of this user's log is answered by `resync`, never by data."""

import pytest

from quintet.testing.contracts import whole
from quintet.testing.sockets.device import Device
from support.world import World

pytestmark = pytest.mark.l3


async def _resync(device: Device, cursor: str, reason: str) -> str:
    told = await device.follow(cursor)
    assert (told["type"], told.get("reason")) == ("resync", reason), device.shown(
        f"follow({cursor!r}) was answered by {told}"
    )
    return str(told["first"])


async def test_the_beginning_and_now(world: World) -> None:
    """`0` is the beginning of what is kept, `$` is now; the answer names a real cursor and its number."""
    alice = await world.user()
    empty = await world.device(alice, after=None, name="empty")
    told = await empty.following("0")
    assert (told["last_seq"], told["after"]) == (0, empty.ready["head"])
    assert told["after"] not in {"0", "$"}
    run = whole(await empty.tell("hello", "echo"))
    caught = await empty.following("$")
    assert (caught["last_seq"], caught["after"]) == (run[-1]["seq"], run[-1]["cursor"])
    assert empty.events == []
    await empty.following("0")
    assert [e.raw for e in empty.events] == [e.raw for e in run]
    up = [seen["cursor"] for seen in empty.story if seen.type == "caught_up"]
    assert up[-1] == run[-1]["cursor"]


async def test_a_foreign_cursor_gets_resync(world: World) -> None:
    """Another user's cursor, a made-up digest, the own log's first cursor of another: reason `epoch`, and nothing follows."""
    alice, bob = await world.users(2)
    hers, his = await world.device(alice, name="hers"), await world.device(bob, name="his")
    mine, foreign = whole(await hers.tell("hers", "echo")), whole(await his.tell("his", "echo"))
    thief = await world.device(bob, after=None, name="thief")
    for event in mine:
        await _resync(thief, event["cursor"], "epoch")
    first = await _resync(thief, hers.ready["head"], "epoch")
    assert (await thief.request("ping"))["type"] == "pong"
    assert thief.events == [], "nothing comes after resync until the next follow"
    await thief.following(first)
    assert [e.raw for e in thief.events] == [e.raw for e in foreign], (
        "`first` is the position before the first event kept"
    )


async def test_garbage_is_malformed(world: World) -> None:
    """No string is a bad message: what is no cursor of ours is answered by resync."""
    alice = await world.user()
    device = await world.device(alice, name="garbage")
    run = whole(await device.tell("hello", "echo"))
    garbage = ["", " ", "00", "-1", "1", "$$", "null", "a.b.c", "../../etc/passwd", "x" * 30_000, "é🎻", "0 ", "%30"]
    for cursor in garbage:
        await _resync(device, cursor, "malformed")
    assert (await device.following("0"))["last_seq"] == 0
    assert [e.raw for e in device.events] == [e.raw for e in run]


async def test_a_changed_cursor_is_recognised(world: World) -> None:
    """A cursor with any character changed is never taken for a position in the log of which it was none."""
    alice = await world.user()
    device = await world.device(alice, name="changed")
    run = whole(await device.tell("hello", "echo"))
    genuine = {e["cursor"] for e in run} | {device.ready["head"]}
    told = set()
    for place in range(0, len(run[2]["cursor"]), 3):
        changed = _other(run[2]["cursor"], place)
        if changed not in genuine:
            answer = await device.follow(changed)
            assert answer["type"] == "resync", device.shown(f"{changed!r} was followed")
            told.add(answer["reason"])
    assert told <= {"epoch", "future", "malformed"}


def _other(cursor: str, place: int) -> str:
    letter = "1" if cursor[place] == "0" else "0"
    return cursor[:place] + letter + cursor[place + 1 :]


async def test_every_cursor_ever_given_resumes_exactly(world: World) -> None:
    """Each event's cursor, the head, the send's and the snapshot's: following from it starts with the next event."""
    alice = await world.user()
    device = await world.device(alice, name="resume")
    said = await device.say("hello", agent="echo")
    run = whole(await device.run(said.run_id))
    reader = await world.device(alice, after=None, name="reader")
    for place, event in enumerate(run):
        await reader.following(event["cursor"])
        assert [e.raw for e in reader.events] == [e.raw for e in run[place + 1 :]]
    assert (await reader.following(said.answer["cursor"]))["last_seq"] == run[0]["seq"]
    snapshot = await alice.snapshot()
    assert (await reader.following(snapshot["cursor"]))["last_seq"] == snapshot["last_seq"] == run[-1]["seq"]
