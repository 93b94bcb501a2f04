"""What may happen to the one database of a fleet under load: stopped, its backends ended, slow, deaf. Nobody's run is lost for it."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from fleet.checks import lateness
from fleet.fleet import Fleet
from fleet.load import ROUNDS, again, endured
from quintet.testing.accounts.account import register
from quintet.testing.services.postgres.server import PostgresServer
from quintet.testing.sockets.connecting import Connect
from support.crowd import costing
from support.faithful import Faithful
from support.postgres import PostgresDatabase
from support.standby import Pair, PairDatabase

pytestmark = [pytest.mark.l3, pytest.mark.hang_guard(300)]

Maker = Callable[..., Fleet]
POLL = 5.0  # seconds that a lost wake-up may cost (docs/promises.md)
FLOOD = {"pieces": 24_000, "pause": 0}  # more than is stored in two seconds, for as long as anybody looks
OURS = "application_name = 'quintet' AND datname = current_database()"
CHECKED_LATE = """
CREATE FUNCTION checked_late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.05); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER checked_late AFTER INSERT OR UPDATE ON commit_marks DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION checked_late()
"""
COMMITTING = (
    "SELECT pg_terminate_backend(pid), wait_event = 'SyncRep' FROM pg_stat_activity"
    f" WHERE {OURS} AND state = 'active' AND query = 'COMMIT' ORDER BY random() LIMIT 1"
)
LISTENING = f"SELECT pid FROM pg_stat_activity WHERE {OURS} AND query LIKE 'LISTEN%' AND state = 'idle'"
DEAFENED = f"SELECT pg_terminate_backend(pid) FROM ({LISTENING}) AS ears"


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
async def test_backends_that_end_in_the_middle_of_a_commit_are_nobodys_concern(
    fleet_of: Maker, both: Pair, connect: Connect, tmp_path: Path
) -> None:
    """Commits last: some before they are stored, for a check that PostgreSQL leaves until then, some after, for the standby is late. Backends
    are ended there, again and again: nothing is stored twice, nothing that was answered is missing, every run completes."""
    async with again("middle_of_a_commit") as chance:
        database = await asyncio.to_thread(PairDatabase, both)
        database.change(CHECKED_LATE)
        await asyncio.to_thread(both.synchronous)
        fleet = fleet_of(database)
        ended_backends: Counter[bool] = Counter()

        async def storm(chance: random.Random, _: list[Faithful]) -> None:
            await asyncio.to_thread(both.show_late, 0.1)
            until = time.monotonic() + 30
            while min(ended_backends[True], ended_backends[False]) < 5 * ROUNDS and time.monotonic() < until:
                found = await asyncio.to_thread(database.rows, COMMITTING)
                ended_backends.update(bool(row[1]) for row in found)
                await asyncio.sleep(chance.uniform(0.05, 0.2))
            await asyncio.to_thread(both.show_late, 0)

        ended = await endured(fleet, connect, chance, tmp_path / "healed", storm)
        assert ended_backends[True], "none was ended after its commit was stored"
        assert ended_backends[False], "none was ended before its commit was stored"
        assert set(ended) == {"agent_completed"}, f"runs were failed for it: {ended}"


@pytest.mark.long
async def test_commits_of_two_seconds_delay_and_lose_nothing(
    fleet_of: Maker, both: Pair, connect: Connect, tmp_path: Path
) -> None:
    """The server holds every commit for two seconds, its standby being late, with the periods that are shipped: everything is answered,
    later, sockets stay, every run completes, and agents that say more than is stored wait, in bounded memory."""
    async with again("two_seconds") as chance:
        database = await asyncio.to_thread(PairDatabase, both)
        await asyncio.to_thread(both.synchronous)
        fleet = fleet_of(database, workers=1, life=12)
        speaker = await connect.device(fleet.gateways[0], register(fleet.gateways[0]))

        async def storm(_: random.Random, people: list[Faithful]) -> None:
            for person in people:
                person.fair = True  # it is slow, and nothing else: nobody may have to connect again
            before = len(connect.open)
            await asyncio.to_thread(both.show_late, 2.0)
            async with costing(
                fleet.workers[0]
            ) as cost:  # from the first word on: who does not wait has said it all in a moment
                floods = [await speaker.say(FLOOD, agent="streamer") for _ in range(5)]
                began = time.monotonic()
                await speaker.say("slow", agent="echo")
                assert time.monotonic() - began > 1.9, "a commit was not held"
                await asyncio.sleep(10)  # nearly the life of a worker
            assert cost.grown < 15, f"agents that had to wait made the worker grow by {cost.grown:.0f} MB"
            assert fleet.gateways[1].status("/readyz") == 200
            for said in floods:
                await speaker.cancel(said.run_id)
            await asyncio.to_thread(both.show_late, 0)
            for said in floods:
                assert (await speaker.run(said.run_id, 30))[-1].type == "agent_cancelled"
            assert len(connect.open) == before, "somebody had to connect again"

        ended = await endured(fleet, connect, chance, tmp_path / "healed", storm, each=1)
        assert set(ended) == {"agent_completed"}, f"runs were failed for slow commits: {ended}"
        speaker.story.whole()


@pytest.mark.parametrize("how", ["cut", "silent"])
async def test_who_does_not_hear_is_late_and_nothing_else(fleet_of: Maker, connect: Connect, how: str) -> None:
    """The connection on which a gateway listens is cut, and each new one too, or stands still without a word: what happens elsewhere is
    at its devices within the slow poll's bound, each event once; afterwards it hears again."""
    database = PostgresDatabase()
    fleet = fleet_of(database, gateways=2, workers=1)
    here, there = fleet.gateways
    alice = register(here)
    one = await connect.device(here, alice, name="here")
    two = await connect.device(there, alice, name="there")
    pids = await _listening(database, 3)
    heard, deafening = asyncio.Event(), None
    if how == "cut":
        await asyncio.to_thread(database.rows, DEAFENED)
        deafening = asyncio.create_task(_deafened(database, heard))
    else:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
    try:
        late = [await lateness(one, two, 0)]
        heard.set()
        late += [await lateness(one, two, other) for other in (1, 2)]
        assert max(late) <= 2 * POLL, f"events came {late} s late: one wake-up for the worker, one for the feed"
        await _listening(database, 3, beside=pids)
    finally:
        heard.set()
        if deafening is not None:
            await deafening
        if how == "silent":
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
    quick = min([await lateness(one, two, other) for other in range(3)])
    assert quick < 1.0, f"nobody hears again: {quick} s"
    assert [e.raw for e in one.events] == [e.raw for e in two.events]
    one.story.whole()
    two.story.whole()


async def _deafened(database: PostgresDatabase, heard: asyncio.Event) -> None:
    """Whoever listens is cut off, until somebody was heard without it."""
    while not heard.is_set():
        await asyncio.to_thread(database.rows, DEAFENED)


async def _listening(database: PostgresDatabase, count: int, beside: Sequence[int] = ()) -> list[int]:
    """The backends on which somebody listens, once there are so many beside others."""
    until = time.monotonic() + 30
    while True:
        found = {row[0] for row in await asyncio.to_thread(database.rows, LISTENING)} - set(beside)
        if len(found) >= count:
            return list(found)
        assert time.monotonic() < until, f"of {count} processes only {len(found)} listen"
        await asyncio.sleep(0.05)
