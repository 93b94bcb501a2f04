"""P9: two hundred sign-ins at once, and the largest delay that anybody else has of it, seen from inside and from outside."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from metrics.test_metrics import at, figures
from quintet.testing.sockets.device import Device
from quintet.testing.sockets.raw import RawSocket
from quintet.testing.wire.frames import TEXT
from support.crowd import percentile
from support.runs import delays_of
from support.server import TESTS, Factory, Server
from support.world import World

pytestmark = [pytest.mark.l3, pytest.mark.timeout(150), pytest.mark.hang_guard(140)]

FLOOD = 200
BOUND = 0.1  # seconds
SOCKETS = 8  # that ping in turn: each as often as its rate allows, all together every few milliseconds
EACH = 0.12  # seconds between two pings of one
ATTEMPTS = 3


class Delays(NamedTuple):
    """The largest in seconds: of the sockets' loop by its own figure, of pings, of 95 % of another's events; and of a process that does nothing."""

    loop: float
    ping: float
    events: float
    machine: float

    @property
    def ours(self) -> float:
        """What is the server's doing: without what the machine withholds from anybody at that moment."""
        return max(self.loop, self.ping, self.events) - self.machine

    def __str__(self) -> str:
        return ", ".join(f"{name} {value * 1000:.0f} ms" for name, value in self._asdict().items())


@pytest.fixture
def machine() -> Iterator[Callable[[], float]]:
    """How late the machine has let a process be that does nothing, since the last asking, in seconds."""
    line = [sys.executable, str(TESTS / "crowds" / "lateness.py")]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        told, said = process.stdin, process.stdout
        assert told is not None and said is not None

        def ask() -> float:
            told.write("\n")
            told.flush()
            return float(said.readline())

        yield ask
        told.close()


async def _flood(server: Server, email: str, password: str) -> dict[str, Any]:
    """From a process of its own, so that this one is not late by it."""
    body = json.dumps({"email": email, "password": password})
    given = json.dumps({"port": server.port, "count": FLOOD, "body": body})
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(TESTS / "crowds" / "knocking.py"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(process.communicate(f"{given}\n".encode()), 60)
    assert process.returncode == 0, "not every sign-in was answered within 30 s"
    told: dict[str, Any] = json.loads(said)
    return told


async def _ping(raw: RawSocket, wait: float, waits: list[float]) -> None:
    await asyncio.sleep(wait)
    while True:
        begun = time.perf_counter()
        await raw.put(TEXT, b'{"id":"p","do":"ping"}')
        await raw.until("pong")
        waits.append(time.perf_counter() - begun)
        await asyncio.sleep(EACH)


async def _listen(device: Device, late: list[float]) -> None:
    while True:
        said = await device.say({"steps": 20, "pause": 0.02, "stamp": True}, agent="stepper")
        late += delays_of(await device.run(said.run_id, 60))


async def _delays(server: Server, machine: Callable[[], float]) -> Delays:
    async with World(server) as world:
        flooded, other = await world.users(2)
        sockets = [await world.raw(other) for _ in range(SOCKETS)]
        device = await world.device(other)
        waits, late = list[float](), list[float]()
        work = [_ping(raw, EACH * place / SOCKETS, waits) for place, raw in enumerate(sockets)]
        tasks = [asyncio.create_task(one) for one in (*work, _listen(device, late))]
        try:
            machine()
            told = await _flood(server, flooded.email, flooded.password)
            withheld = machine()
            while not late:
                await asyncio.sleep(0.1)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended
    statuses = told["statuses"]
    assert set(statuses) == {"200", "503"} and statuses["200"] >= 2, (
        f"{statuses}: nothing was bounded, or nobody let in"
    )
    assert told["without_a_time"] == 0
    assert len(waits) > 100 and len(late) >= 20, "too few looks prove nothing"
    inside = at(await figures(server.url), "loop_lag_worst_seconds")
    return Delays(inside, max(waits), percentile(late, 0.95), withheld)


async def test_two_hundred_sign_ins_hold_the_loop_for_less_than_a_tenth_of_a_second(
    server_factory: Factory, machine: Callable[[], float], figure: Callable[[str], None]
) -> None:
    """200 or 503 with a time to come back; and meanwhile the largest lag of the sockets' loop by its own figure, the slowest of hundreds of pings
    on eight sockets, and 95 % of the events of somebody's running agent are each within 100 ms.

    The bound is the server's; beyond it only what the machine withheld in the same moment from a process that does nothing. Three
    attempts, each with a new server, whose figures remember a minute: one that holds its loop does so in each.
    """
    measured: list[Delays] = []
    for _ in range(ATTEMPTS):
        server = server_factory()
        measured.append(await _delays(server, machine))
        await asyncio.to_thread(server.stop)
        if measured[-1].ours < BOUND:
            break
    told = "; ".join(map(str, measured))
    figure(f"largest during {FLOOD} sign-ins: {told}")
    assert min(one.ours for one in measured) < BOUND, told
