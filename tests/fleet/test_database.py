"""What may happen to the one database of a fleet under load: stopped, its backends ended, slow, deaf. Nobody's run is lost for it."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from fleet.checks import lateness
from fleet.fleet import Fleet
from fleet.load import ROUNDS, again, endured
from quintet.testing.accounts.account import register
from quintet.testing.faults import Faults
from quintet.testing.services.postgres.server import PostgresServer
from quintet.testing.sockets.connecting import Connect
from support.faithful import Faithful
from support.postgres import PostgresDatabase, own_server

pytestmark = [pytest.mark.l3, pytest.mark.hang_guard(300)]

Maker = Callable[..., Fleet]
POLL = 5.0  # seconds that a lost wake-up may cost (docs/promises.md)
OURS = "application_name = 'quintet' AND datname = current_database()"
LISTENING = f"SELECT pid FROM pg_stat_activity WHERE {OURS} AND query LIKE 'LISTEN%' AND state = 'idle'"


@pytest.fixture
def own() -> Iterator[PostgresServer]:
    """A PostgreSQL that the test may stop."""
    made = own_server()
    yield made
    made.end()


def stop_at_once(server: PostgresServer) -> None:
    """PostgreSQL's immediate shutdown, and another start with its recovery."""
    server.process.signal(signal.SIGQUIT)
    server.process.wait(30)
    server.start()


async def test_a_database_that_is_stopped_again_and_again_loses_nothing(
    fleet_of: Maker, connect: Connect, own: PostgresServer, tmp_path: Path
) -> None:
    """Immediate stops and kills of the server under load: all that was answered or seen is kept, each run ends once, and no worker is
    taken for dead for it."""
    async with again("stopped_again") as chance:
        fleet = fleet_of(PostgresDatabase(on=own), life=4)

        async def storm(chance: random.Random, _: list[Faithful]) -> None:
            for _round in range(ROUNDS):
                await asyncio.sleep(chance.uniform(0.3, 1.5))  # the random moment itself
                await asyncio.to_thread(chance.choice([stop_at_once, PostgresServer.restart]), own)

        ended = await endured(fleet, connect, chance, tmp_path / "healed", storm)
        assert ended["agent_completed"], f"no run completed: {ended}"
        assert "worker_lost" not in ended, f"runs of living workers were taken away: {ended}"


@pytest.mark.long
async def test_backends_that_end_in_the_middle_are_nobodys_concern(
    fleet_of: Maker, connect: Connect, tmp_path: Path
) -> None:
    """`pg_terminate_backend` of whoever is in a transaction just then, again and again: every run completes."""
    async with again("backends") as chance:
        database = PostgresDatabase()
        fleet = fleet_of(database)
        ended_backends: list[int] = []

        async def storm(_: random.Random, __: list[Faithful]) -> None:
            busy = (
                f"SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OURS} AND xact_start IS NOT NULL"
            )
            until = time.monotonic() + 20
            while len(ended_backends) < 10 * ROUNDS and time.monotonic() < until:
                ended_backends.extend(row[0] for row in await asyncio.to_thread(database.rows, busy))
                await asyncio.sleep(0.03)

        ended = await endured(fleet, connect, chance, tmp_path / "healed", storm)
        assert len(ended_backends) >= 10
        assert set(ended) == {"agent_completed"}, f"runs were failed for it: {ended}"


@pytest.mark.long
async def test_commits_of_two_seconds_delay_and_lose_nothing(
    fleet_of: Maker, connect: Connect, faults: Faults, tmp_path: Path
) -> None:
    """A network on which a transaction takes two seconds, with the periods that are shipped: every run completes, and no worker is
    taken for dead."""
    async with again("two_seconds") as chance:
        database = PostgresDatabase()
        relay = faults(database.server)
        far = database.url.replace(f":{database.server.port}/", f":{relay.port}/")
        fleet = fleet_of(database, gateways=1, workers=2, life=12, variables={"QUINTET_DATABASE_URL": far})

        async def storm(_: random.Random, people: list[Faithful]) -> None:
            for person in people:
                person.fair = True  # it is slow, and nothing else: nobody may have to connect again
            relay.latency(0.2)
            await asyncio.sleep(9)  # several transactions, and nearly the life of a worker
            relay.clear()

        ended = await endured(fleet, connect, chance, tmp_path / "healed", storm)
        assert set(ended) == {"agent_completed"}, f"runs were failed for slow commits: {ended}"


@pytest.mark.parametrize("how", ["cut", "silent"])
async def test_who_does_not_hear_is_late_and_nothing_else(fleet_of: Maker, connect: Connect, how: str) -> None:
    """The connection on which a gateway listens is cut, or stands still without a word: what happens elsewhere is at its devices within
    the slow poll's bound, each event once; afterwards it hears again."""
    database = PostgresDatabase()
    fleet = fleet_of(database, gateways=2, workers=1)
    here, there = fleet.gateways
    alice = register(here)
    one = await connect.device(here, alice, name="here")
    two = await connect.device(there, alice, name="there")
    pids = await _listening(database, 3)
    if how == "cut":
        await asyncio.to_thread(database.rows, f"SELECT pg_terminate_backend(pid) FROM ({LISTENING}) AS ears")
    else:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
    try:
        late = [await lateness(one, two, other) for other in range(3)]
        assert max(late) <= 2 * POLL, f"events came {late} s late: one wake-up for the worker, one for the feed"
        await _listening(database, 3, beside=pids)
    finally:
        if how == "silent":
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
    quick = min([await lateness(one, two, other) for other in range(3)])
    assert quick < 1.0, f"nobody hears again: {quick} s"
    assert [e.raw for e in one.events] == [e.raw for e in two.events]
    one.story.whole()
    two.story.whole()


async def _listening(database: PostgresDatabase, count: int, beside: Sequence[int] = ()) -> list[int]:
    """The backends on which somebody listens, once there are so many beside others."""
    async with asyncio.timeout(30):
        while True:
            found = {row[0] for row in await asyncio.to_thread(database.rows, LISTENING)} - set(beside)
            if len(found) >= count:
                return list(found)
            await asyncio.sleep(0.05)
