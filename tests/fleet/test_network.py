"""The network between a node and the database is cut both ways: workers stop by themselves, sockets stay, and all catches up."""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from fleet.fleet import Fleet, Node
from fleet.load import ROUNDS, again, endured
from fleet.networks import NETWORKS, Way, namespace
from quintet.testing.accounts.account import register
from quintet.testing.faults import Faults
from quintet.testing.sockets.connecting import Connect
from support.effects import effect, effects
from support.faithful import Faithful
from support.postgres import PostgresDatabase

pytestmark = [pytest.mark.l3, pytest.mark.hang_guard(240)]

Maker = Callable[..., Fleet]
LIFE = 3


@pytest.mark.parametrize("network", NETWORKS)
async def test_a_worker_that_is_cut_off_stops_its_runs_itself(
    fleet_of: Maker, connect: Connect, faults: Faults, tmp_path: Path, network: str
) -> None:
    """Nothing passes and nothing is refused: within its life its tools are cancelled, though it can tell nobody; others end the run; when
    the network is back it takes new work, and nothing of the old run is added."""
    with ExitStack() as stack:
        if network == "relay":
            database = PostgresDatabase()
            relay = faults(database.server)
            fleet = fleet_of(database, gateways=1, workers=1, life=LIFE, through=[database.server.port, relay.port])
            await _cut_off(fleet, connect, relay)
        else:
            way, server = stack.enter_context(namespace())
            database = PostgresDatabase(on=server)
            fleet = fleet_of(database, gateways=1, workers=0, life=LIFE)
            stack.callback(fleet.end)
            there = fleet.environment | {"QUINTET_DATABASE_URL": database.url.replace("@127.0.0.1:", f"@{way.ours}:")}
            worker = Node(tmp_path / "far", "worker", database, there, ("fleet/elsewhere.py", way.name, "--"))
            worker.near = False
            fleet.nodes.append(worker)
            await asyncio.to_thread(worker.start)
            await _cut_off(fleet, connect, way)


async def _cut_off(fleet: Fleet, connect: Connect, way: Way) -> None:
    gateway, _ = fleet.nodes
    alice = await asyncio.to_thread(register, gateway)
    device = await connect.device(gateway, alice)
    said = await device.say({"mark": "cut"}, agent="slow_parent")
    await effect(gateway, "begun", "cut-a")
    await effect(gateway, "begun", "cut-b")
    way.stall()
    cut = time.time()
    stopped = [await effect(gateway, "cancelled", mark, 15) for mark in ("cut-a", "cut-b")]
    assert max(stopped) - cut < LIFE + 2, f"it went on for {max(stopped) - cut:.1f} s"
    run = await device.run(said.run_id, 20)
    assert time.time() - cut < 20
    assert run[-1].body["data"]["error"]["code"] == "worker_lost"
    way.clear()
    queued = await device.say("next", agent="echo")
    await device.run(queued.run_id, 40)
    assert effects(gateway, "cut-a") == ["begun", "cancelled"]
    device.story.whole()


@pytest.mark.long
async def test_a_gateway_that_is_cut_off_keeps_its_sockets(fleet_of: Maker, connect: Connect, faults: Faults) -> None:
    """What happens elsewhere meanwhile comes when the network is back, on the same socket, each event once."""
    database = PostgresDatabase()
    relay = faults(database.server)
    port = database.server.port
    fleet = fleet_of(database, gateways=2, workers=1, life=LIFE, through=[port, relay.port, port])
    here, there = fleet.gateways
    alice = await asyncio.to_thread(register, here)
    one = await connect.device(here, alice, name="here")
    two = await connect.device(there, alice, name="cut off")
    said = await one.say({"steps": 3}, agent="stepper")
    await two.run(said.run_id)
    relay.stall()
    for _ in range(3):
        await one.tell({"steps": 5}, agent="stepper", within=20)
    await asyncio.sleep(7)  # longer than a probe of the connection that listens
    assert two.close_code is None
    assert not [seen for seen in two.events if seen.run not in {said.run_id}]
    relay.clear()
    last = await one.say("last", agent="echo")
    await two.run(last.run_id, 60)
    await one.run(last.run_id)
    assert two.close_code is None
    assert [e.raw for e in one.events] == [e.raw for e in two.events]
    two.story.whole()


@pytest.mark.long
async def test_nodes_cut_off_under_load_lose_nothing(
    fleet_of: Maker, connect: Connect, faults: Faults, tmp_path: Path
) -> None:
    """One node after another, for less and for more than a worker's life, some of the connections reset afterwards: the oracle holds."""
    async with again("nodes_cut_off") as chance:
        database = PostgresDatabase()
        relays = [faults(database.server) for _ in range(4)]
        fleet = fleet_of(database, life=LIFE, through=[relay.port for relay in relays])

        async def storm(chance: random.Random, _: list[Faithful]) -> None:
            for relay in chance.sample(relays, len(relays))[:ROUNDS]:
                relay.stall()
                await asyncio.sleep(chance.uniform(1, 2 * LIFE))  # how long it lasts
                if chance.random() < 0.5:
                    relay.reset()
                relay.clear()
                await asyncio.sleep(chance.uniform(0.1, 1))

        ended = await endured(fleet, connect, chance, tmp_path / "healed", storm)
        assert ended["agent_completed"], f"no run completed: {ended}"
        assert set(ended) <= {"agent_completed", "worker_lost", "unavailable"}, f"runs ended otherwise: {ended}"
