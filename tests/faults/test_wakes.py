"""Wake-ups carry no data: lost, doubled, late and in another order, they cost time within a bound and nothing else."""

import asyncio
import random
from pathlib import Path

import pytest

from faults.climate import weathered
from quintet.testing.accounts.account import register
from quintet.testing.sockets.connecting import Connect
from support.faithful import faithful, heal, living
from support.server import Factory

pytestmark = [pytest.mark.l3, pytest.mark.hang_guard(150)]

BOUND = 5.0  # seconds that a lost wake-up may cost (docs/promises.md)


async def test_wake_ups_that_are_all_lost_cost_five_seconds_at_most(server_factory: Factory, connect: Connect) -> None:
    """Of a worker that is to begin, of a feed that is to read: each event of a run is at its device within 5 s of its own time."""
    server, climate = weathered(server_factory)
    device = await connect.device(server, register(server))
    await device.tell("everything is well", agent="echo")
    climate.set(wakes="lost")
    for number in range(3):
        said = await device.say({"steps": 3, "pause": 0.01, "mark": str(number)}, agent="stepper")
        story = await device.run(said.run_id, 30)
        waited = story[0].at - said.sent_at
        assert waited <= BOUND, f"its acceptance was {waited:.1f} s late"
        begun = story[1].at - said.sent_at
        assert begun <= 2 * BOUND, (
            f"its agent's start was {begun:.1f} s late: one wake-up for the worker, one for the feed"
        )
    assert climate.met()["wakes lost"] > 6
    device.story.whole()


@pytest.mark.parametrize("how", ["lost", "doubled", "late"])
async def test_wake_ups_gone_wrong_under_load_lose_and_double_nothing(
    server_factory: Factory, connect: Connect, tmp_path: Path, how: str
) -> None:
    """Every client has every event once, in order, also while some of its wake-ups come twice, later than the next, or never."""
    server, climate = weathered(server_factory)
    people = faithful(server, connect, 3, random.Random)
    async with living(people) as lives:
        await asyncio.gather(*(person.goes_on() for person in people))
        climate.set(wakes=how)
        await climate.until_met(f"wakes {how}", 40)
        await asyncio.gather(*(person.goes_on() for person in people))
        ended = await heal(server, people, lives, tmp_path / "healed")
    assert set(ended) == {"agent_completed"}
