"""Everything a network does to connections, under load and through one proxy: each client resumes exactly, and the dead are let go."""

import asyncio
import os
import random
from pathlib import Path

import pytest

from faults.acts import ACTS
from faults.climate import measure, until, weathered
from quintet.testing.accounts.account import register
from quintet.testing.faults import Faults
from quintet.testing.sockets.connecting import Connect
from support.faithful import faithful, heal, living
from support.server import Factory

SEED = int(os.environ.get("FAULT_SEED", "0")) or random.randrange(1, 1 << 32)
SHORT = {"heartbeat": 0.5, "silence": 3.0}  # twenty times shorter than they are
BOUND = 60.0 / 20

pytestmark = [pytest.mark.l3, pytest.mark.hang_guard(180)]


async def test_whatever_a_network_does_every_client_resumes_exactly(
    server_factory: Factory, connect: Connect, faults: Faults, tmp_path: Path
) -> None:
    """Four users through latency, starvation, stalls, resets, half-closes, refusals, cuts at bytes and inside frames, twice each in any
    order: no event lost, doubled or changed, no message twice, and no run failed for it."""
    chance = random.Random(SEED)
    server, _ = weathered(server_factory, periods=SHORT)
    proxy = faults(server)
    people = faithful(server, connect, 4, lambda: random.Random(chance.random()), proxy)
    try:
        async with living(people) as lives:
            await asyncio.gather(*(person.goes_on() for person in people))
            for person in people:
                person.fair = False
            for name in chance.sample(sorted(ACTS) * 2, 2 * len(ACTS)):
                ACTS[name](proxy, chance)
                await asyncio.sleep(chance.uniform(0.3, 1.0))  # how long it lasts
                proxy.clear()
            proxy.reset()
            await asyncio.gather(*(person.goes_on() for person in people))
            ended = await heal(server, people, lives, tmp_path / "healed")
    except BaseException as fault:
        fault.add_note(f"again: FAULT_SEED={SEED} .venv/bin/python -m pytest tests/faults/test_network.py")
        raise
    assert set(ended) == {"agent_completed"}, f"runs were failed for the network: {ended}"
    met = proxy.counts
    assert min(met.delayed, met.slowed, met.stalled, met.resets, met.half_closes) > 0, f"not all was met: {met}"
    assert met.cuts > 0, f"no connection was cut: {met}"
    assert all(person.resumed > 3 for person in people)
    assert sum(person.met["resumed inside a run"] for person in people), "no resume fell into a run"


@pytest.mark.parametrize("how", ["silent", "idle"])
async def test_a_dead_connection_is_let_go_within_its_minute(
    server_factory: Factory, connect: Connect, faults: Faults, how: str
) -> None:
    """The other side has gone without a word, whether something is being sent to it or nothing: the socket is freed at 60 s (here 3), the
    close is counted, and the user's next device has everything."""
    server, _ = weathered(server_factory, periods=SHORT)
    proxy = faults(server)
    alice = register(server)
    lost = await connect.device(proxy, alice)
    await lost.tell("one", agent="echo")
    proxy.stall()
    if how == "silent":
        other = await connect.device(server, alice, after="$")
        await other.tell({"steps": 50, "pause": 0.005}, agent="stepper")
        await other.close()
    took = await until(lambda: measure(server, "quintet_sockets") == 0, 30, "the dead socket to be freed")
    assert took <= BOUND + 2.0, f"it took {took:.1f} s"  # the 2 s are for looking, on a loaded machine
    assert measure(server, "quintet_connections_closed_total") >= 1
    again = await connect.device(server, alice)
    again.story.whole()
    kept = {seen.order: seen.raw for seen in again.events}
    assert all(kept[seen.order] == seen.raw for seen in lost.events)
