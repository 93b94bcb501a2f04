"""Valkey or Redis as who carries the wake-ups between processes: while it is away things come later, and nothing else changes."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import pytest

from fleet.fleet import Fleet
from quintet import __version__
from quintet.doctor.served import look
from quintet.log import Log
from quintet.store import Elsewhere, open_store
from quintet.testing.accounts.account import register
from quintet.testing.faults.proxy import Faults
from quintet.testing.services.command import CommandService
from quintet.testing.sockets.connecting import Connect
from support.kernel import Kernel, eventually, within
from support.postgres import PostgresDatabase


@asynccontextmanager
async def opened(database: PostgresDatabase, wakes_url: str) -> AsyncIterator[Kernel]:
    """A process's store and log; its slow poll is so slow that only a wake-up can be what is seen."""
    store = open_store(database.url, wakes_url=wakes_url)
    await within(store.start())
    log = Log(store, poll_seconds=30)
    await log.start()
    try:
        await eventually(lambda: store.in_touch)
        yield Kernel(store, log)
    finally:
        await log.close()
        await within(store.close())


async def _told(here: Kernel, there: Kernel, run: Any, heard: list[Any]) -> None:
    """What is committed here wakes the other."""
    heard.clear()
    await here.append(run, here.thought(run))
    await eventually(lambda: Elsewhere(run.user_id) in heard)


@pytest.mark.l2
async def test_it_carries_what_the_database_would(valkey: CommandService, faults: Faults) -> None:
    """Users and topics reach the other process and are not told back, and the database is not asked to carry them. A connection that
    is cut, one that swallows everything and a Valkey that is killed are noticed, commits go on, and afterwards it carries again."""
    database, between = PostgresDatabase(), faults(valkey)
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(opened(database, between.url)) for _ in range(2)]
        heard: dict[str, list[Any]] = {"here": [], "there": []}
        for name, kernel in (("here", here), ("there", there)):
            kernel.store.on_commit(lambda facts, name=name: heard[name].extend(facts))  # type: ignore[misc]
        woken: list[str] = []
        there.store.wakes.listen("work", lambda: woken.append("work"))
        run = await here.running(await here.user())
        await eventually(lambda: Elsewhere(run.user_id) in heard["there"] and woken)
        assert not database.rows(
            "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
        )
        for harm, repair in (
            (between.reset, lambda: None),
            (between.stall, between.clear),
            (valkey.kill, valkey.start),
        ):
            await asyncio.to_thread(harm)
            await within(here.append(run, here.thought(run)))
            await eventually(lambda: not there.store.in_touch, 12)
            await asyncio.to_thread(repair)
            await eventually(lambda: there.store.in_touch, 12)
            await _told(here, there, run, heard["there"])
        assert not any(isinstance(fact, Elsewhere) for fact in heard["here"])


@pytest.mark.l3
@pytest.mark.hang_guard(200)
async def test_a_fleet_without_its_valkey_is_slower_and_nothing_else(
    fleet_of: Callable[..., Fleet], valkey: CommandService, connect: Connect
) -> None:
    """Killed, it costs a few seconds: messages are run and arrive whole at another gateway, `/readyz` stays 200 and names it, `quintet
    doctor` says so. Back again, it carries."""
    fleet = fleet_of(gateways=2, workers=1, variables={"QUINTET_WAKES_URL": valkey.url})
    here, there = fleet.gateways
    alice = register(here)
    one, two = [await connect.device(gateway, alice, name=gateway.name) for gateway in (here, there)]

    async def tell() -> float:
        began = time.monotonic()
        said = await one.say({"steps": 2}, agent="stepper")
        await one.run(said.run_id, 20)
        await two.run(said.run_id, 20)
        return time.monotonic() - began

    quick = min([await tell() for _ in range(3)])
    assert quick < 1
    await asyncio.to_thread(valkey.kill)
    assert await tell() < 12
    assert here.status("/readyz") == 200
    assert here.ready()["checks"] == {"server": "ok", "database": "ok", "wakes": "failing"}
    seen = await asyncio.to_thread(partial(look, here.url, version=__version__))
    assert [one.statement for one in seen.sights if one.rule == "R18"] == [
        "The server is ready, and does without: wakes."
    ]
    await asyncio.to_thread(valkey.start)
    until = time.monotonic() + 20
    while deaf := [node.name for node in fleet.nodes if node.ready()["checks"]["wakes"] != "ok"]:  # type: ignore[index]
        assert time.monotonic() < until, f"not in touch again: {deaf}"
        await asyncio.sleep(0.1)
    assert await tell() < 1
    for device in (one, two):
        device.story.whole()
