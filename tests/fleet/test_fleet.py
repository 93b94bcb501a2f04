"""Two gateways and two workers on one PostgreSQL: what one process does the others tell, and none is missed when it dies."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from fleet.checks import check_a_sleeper_is_fenced, check_one_order_of_two_gateways, check_told_at_once
from fleet.fleet import Fleet, Node
from fleet.load import ROUNDS, again, endured
from quintet.testing.accounts.account import register
from quintet.testing.contracts import Seen
from quintet.testing.sockets.connecting import Connect
from support.effects import effect, effects
from support.faithful import Faithful

pytestmark = [pytest.mark.l3, pytest.mark.hang_guard(240)]

Maker = Callable[..., Fleet]


def ending(run: Sequence[Seen]) -> Seen:
    """The one final event of a run, its last."""
    assert [seen for seen in run if seen.final] == [run[-1]]
    return run[-1]


async def test_one_fleet_is_one_server(fleet_of: Maker, connect: Connect) -> None:
    """A token of one gateway is good at the other; what is sent at one, run by a worker that serves nobody, arrives at both, the same
    bytes; a cancel at one stops what was sent at the other; a logout at one closes the socket at the other."""
    fleet = fleet_of()
    here, there = fleet.gateways
    alice = register(here)
    one = await connect.device(here, alice, name="here")
    two = await connect.device(there, alice, name="there")
    for turn in range(6):
        device, other = (one, two) if turn % 2 else (two, one)
        said = await device.say({"steps": 3}, agent="stepper")
        await device.run(said.run_id)
        await other.run(said.run_id)
    assert [e.raw for e in one.events] == [e.raw for e in two.events]
    said = await one.say({"mark": "far"}, agent="slow_parent")
    await effect(here, "begun", "far-a")
    began = time.monotonic()
    assert (await two.cancel(said.run_id))["type"] == "result"
    assert ending(await one.run(said.run_id)).type == "agent_cancelled"
    assert time.monotonic() - began < 10
    assert "finished" not in effects(here, "far-a")
    one.story.whole()
    two.story.whole()
    alice.logout()
    assert [(await device.closed(15))[0] for device in (one, two)] == [4501, 4501]


async def test_the_same_message_at_two_nodes_is_one(fleet_of: Maker, connect: Connect) -> None:
    """The same `client_id` fifty times at once, at both gateways: one message, one run, one answer."""
    fleet = fleet_of(workers=1)
    alice = register(fleet.gateways[0])
    devices = [await connect.device(gateway, alice, name=gateway.name) for gateway in fleet.gateways]
    said = await asyncio.gather(*(devices[at % 2].say("once", client_id="the-same", agent="echo") for at in range(50)))
    assert len({(each.run_id, each.answer["message_id"], each.answer["cursor"]) for each in said}) == 1
    for device in devices:
        await device.run(said[0].run_id)
        device.story.whole()
        assert [e.type for e in device.events].count("message_accepted") == 1


async def test_a_dead_workers_run_ends_within_twenty_seconds(fleet_of: Maker, connect: Connect) -> None:
    """With the periods that are shipped: a worker is killed, its run ends `worker_lost` within 20 s, closed inside, and no tool runs
    again; another worker takes what is sent next, at once."""
    fleet = fleet_of(gateways=1, workers=1, life=12)
    gateway, worker = fleet.nodes
    alice = register(gateway)
    device = await connect.device(gateway, alice)
    said = await device.say({"mark": "dies"}, agent="slow_parent")
    await effect(gateway, "begun", "dies-a")
    await effect(gateway, "begun", "dies-b")
    worker.kill()
    killed = time.monotonic()
    worker.start()
    await device.tell("next", agent="echo")
    run = await device.run(said.run_id, 30)
    took = time.monotonic() - killed
    assert took < 20, f"it ended {took:.0f} s after its worker"
    assert ending(run).body["data"]["error"]["code"] == "worker_lost"
    assert [e.body["data"]["error"]["code"] for e in run if e.type == "tool_completed"] == ["worker_lost"] * 2
    assert effects(gateway, "dies-a") == effects(gateway, "dies-b") == ["begun"]
    device.story.whole()


async def test_a_worker_that_sleeps_past_its_life_is_fenced(fleet_of: Maker, connect: Connect, tmp_path: Path) -> None:
    """SIGSTOP: its run is ended by others. When it wakes it can add nothing to it and starts no tool, and takes new work again."""
    await check_a_sleeper_is_fenced(fleet_of(gateways=1, workers=1), connect, tmp_path / "copy")


async def test_one_user_at_two_gateways_has_one_order(fleet_of: Maker, connect: Connect) -> None:
    """Sixteen messages at once, half of them at each: no number twice, none missing, the same for both devices; and all at once."""
    fleet = fleet_of(workers=1)
    await check_one_order_of_two_gateways(fleet, connect)
    await check_told_at_once(fleet, connect)


async def test_any_node_may_die_at_any_time(fleet_of: Maker, connect: Connect, tmp_path: Path) -> None:
    """Kill -9 of one node after another under load, gateways and workers: what was seen or answered is kept, every accepted run ends
    once, no tool runs twice, and every device goes on from its cursor."""
    async with again("any_node") as chance:
        fleet = fleet_of()

        async def storm(chance: random.Random, _: list[Faithful]) -> None:
            for _round in range(ROUNDS):
                await asyncio.sleep(chance.uniform(0.2, 1.2))  # the random moment itself
                node = chance.choice(fleet.nodes)
                node.kill()
                await asyncio.to_thread(node.start)

        ended = await endured(fleet, connect, chance, tmp_path / "healed", storm)
        assert ended["agent_completed"], f"no run completed: {ended}"


@pytest.mark.long
async def test_a_worker_that_falls_asleep_in_a_transaction_harms_nobody_elses_runs(
    fleet_of: Maker, connect: Connect, tmp_path: Path
) -> None:
    """SIGSTOP of one worker under load while it holds users' rows, past its life: its runs are ended by others, nothing of it is told after
    that, and the other worker goes on beating and completes its own."""
    async with again("falls_asleep") as chance:
        fleet = fleet_of(life=8)
        asleep, awake = fleet.workers

        async def storm(chance: random.Random, _: list[Faithful]) -> None:
            since = awake.log_size()
            await _caught_in_a_transaction(fleet, asleep, chance)
            try:
                await asyncio.sleep(11)  # longer than its life and a look at it
            finally:
                asleep.thaw()
            assert "was taken for dead" not in awake.logged(since), "a worker that lives was taken for dead"

        ended = await endured(fleet, connect, chance, tmp_path / "healed", storm)
        assert ended["agent_completed"], f"no run completed: {ended}"


async def _caught_in_a_transaction(fleet: Fleet, node: Node, chance: random.Random) -> None:
    """It stands still, and holds rows: nobody else's transaction lasts so long."""
    held = (
        "SELECT 1 FROM pg_stat_activity s JOIN pg_locks l ON l.pid = s.pid AND l.relation = 'heads'::regclass"
        " WHERE s.state = 'idle in transaction' AND s.state_change < clock_timestamp() - interval '0.15 s'"
    )
    async with asyncio.timeout(30):
        while True:
            await asyncio.sleep(chance.uniform(0.02, 0.2))  # the random moment itself
            node.freeze()
            await asyncio.sleep(0.25)
            if await asyncio.to_thread(fleet.database.rows, held):
                return
            node.thaw()
