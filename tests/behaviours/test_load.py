"""Fifty users at once, each with an account, a socket and agents of their own; figures are shown, speed is not judged."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial

import pytest

from metrics.test_metrics import Figures, at, figures
from quintet.testing.accounts.account import Account, register_many
from quintet.testing.contracts import Seen, Story
from quintet.testing.sockets.device import Device
from support.checks.isolation import WORKLOADS, check_isolation
from support.crowd import Crowd, costing, percentile
from support.runs import delays_of
from support.server import Server, running

pytestmark = pytest.mark.l3

USERS = 50
STEPS = 20
CUTS = 2
MOST_GROWTH_MB = 64.0  # of the whole server under fifty users: a little over a megabyte each, everything included


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of the crowd's own, so that its memory is the crowd's."""
    with running(Server(tmp_path_factory.mktemp("busy"))) as server:
        yield server


@pytest.fixture(scope="module")
def accounts(busy: Server) -> list[Account]:
    """Fifty people who really signed up."""
    return register_many(busy, USERS)


@pytest.fixture
async def crowd(busy: Server, accounts: list[Account]) -> AsyncIterator[Crowd]:
    """They and their devices."""
    async with Crowd(busy, accounts) as made:
        yield made


async def test_websocket_performance_under_concurrent_load(crowd: Crowd, figure: Callable[[str], None]) -> None:
    """Fifty users behind a barrier, on sockets and agents of their own: every stream is complete, and no sender is shared."""
    async with costing(crowd.server) as cost:
        await check_isolation(crowd, USERS, workloads=WORKLOADS, rounds=1)
    devices = crowd.devices
    assert len(devices) == USERS == len({device.ready["user_id"] for device in devices})
    assert len({device.ready["connection_id"] for device in devices}) == USERS
    for kind in ("run_id", "thread_id", "trace_id"):
        told = [{event[kind] for event in device.events} for device in devices]
        assert sum(map(len, told)) == len(set().union(*told)), f"two users share a {kind}"
    invocations = [event["agent"]["id"] for device in devices for event in device.story.of_type("agent_started")]
    assert len(invocations) == len(set(invocations)) >= USERS, "an agent served two users"
    events = sum(len(device.events) for device in devices)
    figure(f"{USERS} users at once: {events} events in {cost.seconds:.1f} s, {cost.processor:.2f} s of CPU")


async def test_websocket_event_performance_under_load(crowd: Crowd, figure: Callable[[str], None]) -> None:
    """Every event of fifty accounts is delivered, or replayed to the ten whose connection drops: 100 %, within bounded memory."""
    barrier = asyncio.Barrier(USERS)
    before = await figures(crowd.server.url)
    async with costing(crowd.server) as cost:
        people = [_live(crowd, barrier, cuts=CUTS if place % 5 == 0 else 0) for place in range(USERS)]
        stories = await asyncio.gather(*people)
    delays = [delay for live, _ in stories for delay in delays_of(live)]
    events = sum(len(live) + len(again) for live, again in stories)
    told = {f"p{round(share * 100)}": f"{percentile(delays, share) * 1000:.1f}" for share in (0.5, 0.95, 0.99, 1)}
    figure(
        f"emit to arrival, ms, of {len(delays)} thoughts: {told}; {events} events in {cost.seconds:.1f} s, "
        f"{cost.processor / events * 1e6:.0f} µs of CPU each, replayed {sum(len(again) for _, again in stories)}; "
        f"memory {cost.memory[0]:.0f} MB, at most {max(cost.memory):.0f} MB"
    )
    await _figures_are_true(crowd, before, events)
    assert min(delays) > -0.01, "an event arrived before it was emitted"
    assert cost.grown < MOST_GROWTH_MB, f"memory has grown by {cost.grown:.0f} MB: {cost.memory}"


async def _figures_are_true(crowd: Crowd, before: Figures, events: int) -> None:
    """The server counts what happened: deliveries, endings, no socket of those that were cut, nothing closed by itself."""
    deadline = time.monotonic() + 5
    while at(after := await figures(crowd.server.url), "sockets") != USERS:
        assert time.monotonic() < deadline, f"{at(after, 'sockets')} sockets are counted, {USERS} are open"
    assert at(after, "events_delivered_total") - at(before, "events_delivered_total") >= events
    ended = [at(found, "runs_ended_total", state="completed") for found in (before, after)]
    assert (ended[1] - ended[0], at(after, "runs_open", state="running")) == (USERS, 0)
    assert not [name for name in after if name[0] == "quintet_connections_closed_total"], "nobody was sent away"


async def _live(crowd: Crowd, barrier: asyncio.Barrier, cuts: int) -> tuple[list[Seen], list[Seen]]:
    """One user with one run. The connection drops `cuts` times in it; what arrived live, and what came again from the log."""
    account = await crowd.user()
    device = await crowd.device(account, after=None, name=account.email)
    cursor, before = device.ready["head"], (await device.following("$"))["last_seq"]
    await barrier.wait()
    said = await device.say({"steps": STEPS, "pause": 0.05, "stamp": True}, agent="stepper")
    live: list[Seen] = []
    replayed: list[Seen] = []
    for place in range(1, cuts + 1):
        if any(event.body.get("final") for event in live + replayed):
            break  # a machine that stood still: all had come before it was cut
        await device.find("the next cut", partial(_past, place * STEPS), 60)
        cursor = _keep(device, live, replayed, cursor)
        await device.cut()
        device = await crowd.device(account, after=None, name=f"{account.email} after cut {place}")
        await device.following(cursor)
    if not any(event.body.get("final") for event in live + replayed):
        await device.run(said.run_id, 60)
    _keep(device, live, replayed, cursor)
    story = Story.of(sorted(live + replayed, key=lambda event: event["seq"]), account.email).whole()
    last = (await account.snapshot())["last_seq"]
    assert [event["seq"] for event in story] == list(range(before + 1, last + 1)), device.shown("not 100 % arrived")
    return live, replayed


def _past(run_seq: int, event: Seen) -> bool:
    return (event.run_order or 0) > run_seq


def _keep(device: Device, live: list[Seen], replayed: list[Seen], cursor: str) -> str:
    """Sort what a connection brought into what came before `caught_up` and what came live; returns where to go on."""
    caught_up = next(seen.at for seen in device.story if seen.type == "caught_up")
    for event in device.events:
        (live if event.at > caught_up else replayed).append(event)
    return str(device.events[-1]["cursor"]) if device.events else cursor  # all had come before it was cut
