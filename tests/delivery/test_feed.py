"""A feed: from a cursor onward, replay and live in one, and exactly once."""

from collections.abc import Callable

import pytest

from delivery.stage import Stage
from support.raw import RawSocket

pytestmark = pytest.mark.l2

Stages = Callable[..., Stage]


async def events(raw: RawSocket, count: int) -> list[int]:
    """The positions of the next `count` events."""
    return [(await raw.frame()).body["seq"] for _ in range(count)]


async def test_replay_then_caught_up_then_live(stage: Stages) -> None:
    """`following`, the events in order, `caught_up` once, and then what comes."""
    async with stage() as s:
        alice = await s.user()
        await s.emit(alice, 5)
        raw = await s.open(alice)
        await raw.say({"id": "f", "do": "follow", "after": "0"})
        told = (await raw.frame()).body
        assert (told["type"], told["id"], told["last_seq"]) == ("following", "f", 0)
        assert await events(raw, 7) == [1, 2, 3, 4, 5, 6, 7]
        last = raw.frames[-1].body["cursor"]
        assert (await raw.frame()).body == {"type": "caught_up", "cursor": last}
        for count in (1, 3):
            await s.emit(alice, count)
        assert await events(raw, 4) == [8, 9, 10, 11]
        raw.cut()
