"""The wall clock jumps: order is by number and time that counts is monotonic, so nobody is thrown out and nothing changes its place."""

import asyncio
import json
import random
from pathlib import Path

import pytest

from faults.climate import weathered
from quintet.testing.sockets.connecting import Connect
from support.faithful import faithful, heal, living
from support.kept import read
from support.server import Factory

pytestmark = [pytest.mark.l3, pytest.mark.hang_guard(150)]

HOUR = 3600


@pytest.mark.parametrize(("first", "then"), [(0, HOUR), (HOUR, 0)], ids=["ahead", "back"])
async def test_an_hour_more_or_less_ends_no_run_and_no_socket(
    server_factory: Factory, connect: Connect, tmp_path: Path, first: int, then: int
) -> None:
    """Under load: open sockets stay, running runs complete, the log goes on; a new connection may have to renew its token, no more."""
    server, climate = weathered(server_factory, periods={"heartbeat": 0.2, "silence": 10.0})
    climate.set(clock=first)
    people = faithful(server, connect, 3, random.Random)
    async with living(people) as lives:
        await asyncio.gather(*(person.goes_on() for person in people))
        before = len(connect.open)
        climate.set(clock=then)
        for _ in range(3):
            await asyncio.gather(*(person.goes_on() for person in people))
        assert len(connect.open) == before, "somebody had to connect again"
        left = read(server.database(tmp_path / "left"))
        for person in people:
            await person.renewed()
        ended = await heal(server, people, lives, tmp_path / "healed")
    assert set(ended) == {"agent_completed"}, f"runs were failed because of the clock: {ended}"
    times = [json.loads(row.body)["time"] for rows in left.rows.values() for row in rows]
    hours = {time[11:13] for time in times}
    assert len(hours) > 1, "the clock never jumped"
