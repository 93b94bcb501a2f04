"""A relay that holds connections open and passes nothing: no wait of ours is without an end, and all goes on when it passes again."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from quintet.engine.pulse import Pulse
from quintet.errors import QuintetError
from quintet.sources import Sources
from quintet.store import Store, open_store
from quintet.store.postgres import patient
from quintet.testing.faults import Faults, Proxy
from support.kernel import within
from support.postgres import PostgresDatabase

pytestmark = [pytest.mark.l2, pytest.mark.hang_guard(60)]


@pytest.fixture
def database() -> PostgresDatabase:
    """An empty, migrated database."""
    return PostgresDatabase()


@pytest.fixture
def relay(database: PostgresDatabase, faults: Faults) -> Proxy:
    """Between the store and the database."""
    return faults(database.server)


@pytest.fixture
async def store(database: PostgresDatabase, relay: Proxy, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """A started store behind the relay, with a patience of two seconds."""
    monkeypatch.setattr(patient, "_PATIENT", 2.0)
    made = open_store(database.url.replace(f":{database.server.port}/", f":{relay.port}/"))
    await within(made.start())
    yield made
    relay.clear()
    await within(made.close(), 60)


async def test_a_silent_database_is_given_up_and_found_again(store: Store, relay: Proxy) -> None:
    """Reads and writes are refused with `unavailable` once their patience is at an end, and are answered when the relay passes again."""
    await within(store.write("u", lambda tx: None))
    relay.stall()
    began = time.monotonic()
    asked = [asyncio.ensure_future(it) for it in (store.write("u", lambda tx: 1), store.read(lambda tx: 1))]
    for answer in await within(asyncio.gather(*asked, return_exceptions=True), 30):
        assert isinstance(answer, QuintetError)
        assert answer.code == "unavailable"
    assert time.monotonic() - began < 20
    relay.clear()
    async with asyncio.timeout(20):
        while True:
            try:
                assert await store.write("u", lambda tx: 2) == 2
                assert await store.read(lambda tx: 3) == 3
                break
            except QuintetError:
                await asyncio.sleep(0.1)


async def test_a_worker_that_hears_nothing_takes_itself_for_dead_in_time(store: Store, relay: Proxy) -> None:
    """Its beat hangs without an answer or a refusal: its runs are stopped when its life is over, not when somebody gives the connection up."""
    cut: list[float] = []
    pulse = Pulse(store, Sources(), "wrk_1", 1.0, lambda tx: None, lambda: cut.append(time.monotonic()))
    await pulse.begin()
    relay.stall()
    began = time.monotonic()
    await within(pulse.look(), 10)
    assert len(cut) == 1
    assert cut[0] - began < 1.5


async def test_a_beat_waits_for_nobodys_rows(database: PostgresDatabase) -> None:
    """Somebody sleeps with the rows of users: beats are answered at once, on whichever lane those users are written."""
    store = database.open()
    await within(store.start())
    users = [f"u{number}" for number in range(8)]
    held = asyncio.Event()

    def hold() -> None:
        import psycopg

        with psycopg.connect(database.url) as other:
            for user in users:
                other.execute("SELECT pg_advisory_xact_lock(20837, hashtext(%s))", (user,))
            loop.call_soon_threadsafe(held.set)
            time.sleep(3)

    loop = asyncio.get_running_loop()
    holding = loop.run_in_executor(None, hold)
    await within(held.wait())
    waiting = [asyncio.ensure_future(store.write(user, lambda tx: None)) for user in users]
    await asyncio.sleep(0.1)
    for worker in ("wrk_a", "wrk_b", "wrk_c"):
        await within(store.write(worker, lambda tx: None), 1.5)
    assert not any(each.done() for each in waiting)
    await within(asyncio.gather(holding, *waiting))
    await within(store.close())
