"""A fleet loses its primary under load. A standby that lagged: every client is told, and reads anew. One that has all: nobody notices."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from fleet.fleet import Fleet
from fleet.load import again, endured, spread, under_load
from fleet.starting_anew import StartingAnew
from quintet.testing.sockets.connecting import Connect
from support import oracle
from support.kept import read
from support.standby import Pair, PairDatabase, pair

pytestmark = [pytest.mark.l3, pytest.mark.hang_guard(240)]

Maker = Callable[..., Fleet]


@pytest.fixture
async def both() -> AsyncIterator[Pair]:
    """A primary and a streaming standby of the test's own."""
    made = await pair()
    yield made
    await asyncio.to_thread(made.end)


async def check_a_lagging_failover(fleet: Fleet, both: Pair, connect: Connect, copy: Path) -> Counter[str]:
    """Its clients are told, read anew, and have all that is left; nothing that the standby had is changed; no tool runs twice."""
    assert isinstance(fleet.database, PairDatabase)
    async with again("lagging") as chance:
        people = await asyncio.to_thread(spread, fleet, connect, chance, 2, StartingAnew)
        async with under_load(people):
            left = time.time()
            await asyncio.to_thread(both.leave_behind)
            had = dict(
                await asyncio.to_thread(both.ask_in, fleet.database, both.standby, "SELECT user_id, seq FROM heads")
            )
            await asyncio.gather(*(person.goes_on() for person in people))
            await asyncio.to_thread(both.lose_primary)
            back = time.time() + 1
        done = fleet.gateways[0].done()
        twice = [act for act, count in Counter(line.split(" ", 1)[-1] for line in done).items() if count > 1]
        assert not twice, f"a tool ran twice: {twice}"
        lost = {line.rsplit(" ", 1)[-1] for line in done if left <= float(line.split(" ", 1)[0]) <= back}
        known = [line for line in done if line.rsplit(" ", 1)[-1] not in lost]
        kept = read(await asyncio.to_thread(fleet.gateways[0].database, copy))
        ended = oracle.check_healed(kept, people, known)
        for person in people:
            assert person.met["resync"], f"{person.name} was told nothing"
            person.unchanged(had[person.user_id])
        return ended


async def test_a_lagging_standby_takes_over(fleet_of: Maker, both: Pair, connect: Connect, tmp_path: Path) -> None:
    """Epochs change: every device of two gateways gets `resync`, reads anew and goes on; what was open is ended, once, also where a living
    worker held it."""
    fleet = fleet_of(await asyncio.to_thread(PairDatabase, both))
    ended = await check_a_lagging_failover(fleet, both, connect, tmp_path / "healed")
    assert set(ended) <= {"agent_completed", "worker_lost"}, f"runs were failed for other reasons: {ended}"
    assert ended["agent_completed"]


async def test_a_standby_that_has_everything_takes_over_unnoticed(
    fleet_of: Maker, both: Pair, connect: Connect, tmp_path: Path
) -> None:
    """Synchronous replication with QUINTET_FAILOVER_KEEPS_EPOCHS=on: every cursor is good, every answer is kept, no run
    is taken away."""
    async with again("unnoticed") as chance:
        database = await asyncio.to_thread(PairDatabase, both)
        await asyncio.to_thread(both.synchronous)
        fleet = fleet_of(database, variables={"QUINTET_FAILOVER_KEEPS_EPOCHS": "on"})

        async def fail_over(*_: object) -> None:
            await asyncio.to_thread(both.lose_primary)

        ended = await endured(fleet, connect, chance, tmp_path / "healed", fail_over)
        # A run that was leased the moment before, and whose thread cannot be read, is told so.
        assert set(ended) <= {"agent_completed", "unavailable"}, f"runs were failed for it: {ended}"
        assert ended["unavailable"] <= 4 < ended["agent_completed"]
