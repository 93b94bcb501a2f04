"""A fleet loses its primary under load. A standby that lagged: every client is told, and reads anew. One that has all: nobody notices."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from fleet.checks import check_a_lagging_failover, check_clients_are_told
from fleet.fleet import Fleet
from fleet.load import again, endured
from quintet.testing.sockets.connecting import Connect
from support.standby import Pair, PairDatabase

pytestmark = [pytest.mark.l3, pytest.mark.hang_guard(240)]

Maker = Callable[..., Fleet]


async def test_a_lagging_standby_takes_over(fleet_of: Maker, both: Pair, connect: Connect, tmp_path: Path) -> None:
    """Epochs change: every device of two gateways gets `resync`, reads anew and goes on; what was open is ended, once, also where a living
    worker held it."""
    fleet = fleet_of(await asyncio.to_thread(PairDatabase, both))
    ended = await check_a_lagging_failover(fleet, both, connect, tmp_path / "healed")
    assert set(ended) <= {"agent_completed", "worker_lost"}, f"runs were failed for other reasons: {ended}"
    assert ended["agent_completed"]


async def test_whoever_has_seen_what_is_lost_is_told(fleet_of: Maker, both: Pair, connect: Connect) -> None:
    """At both gateways, with nothing else going on: the epoch is new, the cursor of what is lost gets `resync`."""
    fleet = fleet_of(await asyncio.to_thread(PairDatabase, both), workers=1)
    await check_clients_are_told(fleet, both, connect)


@pytest.mark.long
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
