"""Checks of a fleet's promises: run green by the ordinary tests, and red with a defect planted in every process."""

import asyncio
import time
from collections import Counter
from pathlib import Path

from fleet.fleet import Fleet
from fleet.load import again, spread, under_load
from fleet.starting_anew import StartingAnew
from quintet.testing.accounts.account import register
from quintet.testing.sockets.connecting import Connect
from quintet.testing.sockets.device import Device
from support import oracle
from support.kept import read
from support.standby import Pair, PairDatabase

__all__ = [
    "check_a_lagging_failover",
    "check_a_sleeper_is_fenced",
    "check_clients_are_told",
    "check_one_order_of_two_gateways",
    "check_told_at_once",
    "lateness",
]

AT_ONCE = 2.0  # seconds; half of what the slow poll takes at the most


async def lateness(one: Device, two: Device, other: int) -> float:
    """Seconds from a send at one gateway until its run's ending is at a device of the other."""
    sender, reader = (one, two) if other % 2 else (two, one)
    began = time.monotonic()
    said = await sender.say("hello", agent="echo")
    await reader.run(said.run_id, 30)
    took = time.monotonic() - began
    await sender.run(said.run_id, 30)
    return took


async def check_told_at_once(fleet: Fleet, connect: Connect) -> None:
    """What is committed by one process is at the devices of another long before the slow poll."""
    here, there = fleet.gateways
    alice = await asyncio.to_thread(register, here)
    one = await connect.device(here, alice, name="here")
    two = await connect.device(there, alice, name="there")
    await lateness(one, two, 0)
    for other in range(5):
        late = await lateness(one, two, other)
        assert late < AT_ONCE, f"what another process did was told late: {late:.1f} s"


async def check_a_sleeper_is_fenced(fleet: Fleet, connect: Connect, copy: Path) -> None:
    """SIGSTOP of a worker past its life: its run is ended by others. When it wakes it can add nothing to it, and takes new work again."""
    gateway, worker = fleet.nodes
    alice = await asyncio.to_thread(register, gateway)
    device = await connect.device(gateway, alice)
    said = await device.say({"steps": 400, "pause": 0.05, "mark": "sleeps"}, agent="stepper")
    await device.step("some steps", lambda: [e for e in device.events if e.run == said.run_id][5:] or None)
    worker.freeze()
    try:
        run = await device.run(said.run_id, 20)
        assert [seen for seen in run if seen.final] == [run[-1]]
        assert run[-1].body["data"]["error"]["code"] == "worker_lost"
    finally:
        worker.thaw()
    next_one = await device.say("next", agent="echo")
    await device.step(
        "the next run", lambda: [e for e in device.events if e.run == next_one.run_id and e.final] or None, 20
    )
    rows = read(await asyncio.to_thread(gateway.database, copy)).find(alice.id, run_id=said.run_id)
    after = len(rows) - 1 - [row.final for row in rows].index(True)
    assert not after, f"{after} events follow the ending of a run that was taken away"
    device.story.whole()


async def check_one_order_of_two_gateways(fleet: Fleet, connect: Connect) -> None:
    """One user writes at both gateways at once: no number twice, none missing, both devices have the same."""
    alice = await asyncio.to_thread(register, fleet.gateways[0])
    devices = [await connect.device(gateway, alice, name=gateway.name, strict=False) for gateway in fleet.gateways]
    asked = [
        device.request("send", client_id=f"{at}", text="hello", agent="echo")
        for at in range(16)
        for device in [devices[at % 2]]
    ]
    told = await asyncio.gather(*asked)
    look = "SELECT seq, type, run_id FROM events WHERE user_id = ?"
    rows = await asyncio.to_thread(fleet.database.rows, look, (alice.id,))
    numbers = Counter(seq for seq, *_ in rows)
    twice = [seq for seq, count in numbers.items() if count > 1]
    assert not twice, f"two gateways gave the same numbers: {sorted(twice)[:10]}"
    assert {each["type"] for each in told} == {"result"}, f"not all were answered: {told}"
    assert sorted(numbers) == list(range(1, len(numbers) + 1)), "numbers are missing"
    for device in devices:
        for _, kind, run_id in rows:
            if kind == "message_accepted":
                await device.run(run_id, 30)
    count = len(rows)
    assert [e.raw for e in devices[0].events][:count] == [e.raw for e in devices[1].events][:count]


async def check_clients_are_told(fleet: Fleet, both: Pair, connect: Connect) -> None:
    """The primary is lost with commits that clients have seen: each of them is let go, its cursor gets `resync`, and what it then reads is
    the log. Who stayed would wait for numbers that are given again."""
    here, there = fleet.gateways
    alice = await asyncio.to_thread(register, here)
    devices = [await connect.device(gateway, alice, name=gateway.name) for gateway in (here, there)]
    await lateness(devices[0], devices[1], 0)
    await asyncio.to_thread(both.leave_behind)
    await lateness(devices[0], devices[1], 1)
    await asyncio.to_thread(both.lose_primary)
    for device in devices:
        assert (await device.closed(10))[0] == 4000
    for device, gateway in zip(devices, (here, there), strict=True):
        back = await connect.device(gateway, alice, after=None)
        told = await back.follow(str(device.events[-1].cursor))
        assert (told["type"], told["reason"]) == ("resync", "epoch")
        await back.follow("0")
        await back.tell("hello again", agent="echo")
        back.story.whole()


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
