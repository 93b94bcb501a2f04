"""P9 over time: users come and go, and the server at rest holds what it held before. `make soak` takes twenty minutes.

`SOAK_MINUTES` sets how long (0.1), `SOAK_SEED` repeats the choices.
"""

import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from metrics.test_metrics import at, figures
from soak.churn import churn, warm
from soak.growth import Look, grown, judge, look_at, table
from support.server import Factory, Server

MINUTES = float(os.environ.get("SOAK_MINUTES", "0.1"))
SEED = int(os.environ.get("SOAK_SEED", "0")) or random.randrange(1, 1 << 32)
ROUNDS = 4 if MINUTES < 5 else 20
REST = 60.0  # seconds until nobody is there and nothing is open

pytestmark = [pytest.mark.timeout(180 + 120 * MINUTES), pytest.mark.hang_guard(170 + 120 * MINUTES)]


@pytest.mark.l3
async def test_nothing_is_left_behind(server_factory: Factory, tmp_path: Path, figure: Callable[[str], None]) -> None:
    """After each round of lives the server comes to rest; memory, tasks, files and threads at rest do not grow."""
    server = _started(server_factory, tmp_path)
    done: Counter[str] = Counter()
    looks = await _soaked(server, tmp_path, MINUTES * 60 / ROUNDS, done)
    figure(f"seed {SEED}: {dict(done)}\n{table(looks)}")
    judge(looks)
    assert done["accounts"] >= ROUNDS and done["cut"] and done["messages"] > done["accounts"]


@pytest.mark.l3
@pytest.mark.sabotage
async def test_a_leak_is_found(
    server_factory: Factory, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """A server whose sockets each leave a task behind does not pass."""
    record_property("sabotage", "P9   a task is left for each socket")
    server = _started(server_factory, tmp_path, SOAK_LEAK="1")
    looks = await _soaked(server, tmp_path, 0.1, Counter())
    with pytest.raises(AssertionError, match="tasks has grown"):
        judge(looks)


def _started(factory: Factory, folder: Path, **variables: str) -> Server:
    environment = {"SOAK_LOOK": str(folder / "tasks"), **variables}
    return factory(command=("soak/serve.py", "--"), environment=environment)


async def _soaked(server: Server, folder: Path, seconds: float, done: Counter[str]) -> list[Look]:
    await warm(server)
    chance, begun, looks = random.Random(SEED), time.monotonic(), list[Look]()
    for _ in range(ROUNDS):
        await churn(server, seconds, chance, done)
        looks.append(await _at_rest(server, folder, begun, done["sockets"]))
        sys.stderr.write(f"\n{table(looks).splitlines()[-2]}")  # with `-s`: twenty minutes are long
    return looks


async def _at_rest(server: Server, folder: Path, begun: float, sockets: int) -> Look:
    """Wait until nobody is there and nothing is open, then look three times: the least counts."""
    until = time.monotonic() + REST
    while True:
        told = await figures(server.url)
        open_ = {name: at(told, name) for name in ("sockets", "streams", "runs_held", "unauthenticated_sockets")}
        if not any(open_.values()):
            break
        assert time.monotonic() < until, f"the server does not come to rest: {open_}\n{server.tail()}"
        await asyncio.sleep(0.1)
    seen = []
    for _ in range(3):
        await asyncio.sleep(0.5)
        seen.append(
            look_at(
                server.pid,
                server.data,
                folder / "tasks",
                at=time.monotonic() - begun,
                lag=at(told, "loop_lag_worst_seconds") * 1000,
                runs=sum(at(told, "runs_ended_total", state=state) for state in ("completed", "failed", "cancelled")),
                sockets=sockets,
            )
        )
    return min(seen, key=lambda look: (look.tasks, look.files, look.memory))


# --- the judge --------------------------------------------------------------------------------------------------------


def _looks(memory: Callable[[int], float], tasks: Callable[[int], float] = lambda _: 20) -> list[Look]:
    return [Look(60.0 * n, memory(n), tasks(n), 30, 12, 1, 5, n, n) for n in range(20)]


@pytest.mark.l1
def test_the_judge_sees_growth_and_forgives_noise() -> None:
    """A megabyte a minute is growth, however noisy; a warm-up, noise and one odd look are not; a task a minute is growth."""
    chance = random.Random(1)
    judge(_looks(lambda n: 90 + min(n, 4) * 20 + chance.uniform(-4, 4)))
    judge(_looks(lambda n: 400 if n == 11 else 90))
    with pytest.raises(AssertionError, match="memory has grown"):
        judge(_looks(lambda n: 90 + n + chance.uniform(-4, 4)))
    with pytest.raises(AssertionError, match="tasks has grown"):
        judge(_looks(lambda _: 90, tasks=lambda n: 20 + n))
    assert grown(_looks(lambda n: 90 + 2 * n), "memory") == pytest.approx(28)
    with pytest.raises(AssertionError, match="prove nothing"):
        judge(_looks(lambda _: 90)[:3])
