"""One seed: a server, users behind a proxy, and some faults after each other, drawn by the seed. Then the oracle.

1. What happens is drawn from the seed alone; when it happens to whom is the machine's own chance.
2. A fault lasts for a moment and is taken away; only deaths and restarts leave nothing to take away.
3. What was really met is counted, by the client, the proxy and the server itself, each for its part.
"""

import asyncio
import os
import random
import shutil
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from faults.acts import ACTS
from faults.arming import COMMAND, arm, dies_at
from faults.climate import Climate
from faults.points import POINTS
from quintet.testing.faults import Faults, Proxy
from quintet.testing.loops import LoopThread
from quintet.testing.sockets.connecting import Connect
from support import oracle
from support.faithful import Faithful, faithful, heal, living
from support.kept import read
from support.server import Server

__all__ = ["FAULTS", "play"]

ENVIRONMENT = {"QUINTET_RESERVED_BYTES": str(1 << 20), "QUINTET_REGISTRATIONS_PER_MINUTE": "10000"}
RARE_POINTS = {"in_recovery", "in_portion"}  # passed at a start, or by a deletion
MANY = {"before_flush", "in_append", "before_telling"}  # passed by each event


@dataclass
class Scene:
    """What the faults act upon."""

    server: Server
    climate: Climate
    proxy: Proxy
    chance: random.Random
    folder: Path
    people: list[Faithful] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    point: str = ""

    async def moment(self, least: float, most: float) -> None:
        """How long something lasts."""
        await asyncio.sleep(self.chance.uniform(least, most))

    async def buried(self) -> None:
        """It is down: judge what it has left, start it again."""
        self.proxy.reset()
        await asyncio.gather(*(person.alone() for person in self.people))
        left = read(self.server.database(self.folder / f"left {self.met.total()}"))
        oracle.check_left(left, self.people, self.server.done())
        await asyncio.to_thread(self.server.start)


async def death(scene: Scene) -> None:
    """Kill -9 at a named point, for which the server was armed when it started."""
    await dies_at(scene.server, scene.point)
    scene.met["deaths at a point"] += 1
    await scene.buried()


async def killed(scene: Scene) -> None:
    """Kill -9 at any moment."""
    await scene.moment(0.05, 0.6)
    scene.server.kill()
    scene.met["deaths at any moment"] += 1
    await scene.buried()


async def restart(scene: Scene) -> None:
    """SIGTERM, and another start."""
    await asyncio.to_thread(scene.server.stop)
    scene.met["restarts"] += 1
    await scene.buried()


async def stopped(scene: Scene) -> None:
    """The process stands still."""
    os.kill(scene.server.pid, signal.SIGSTOP)
    try:
        await scene.moment(0.2, 1.0)
    finally:
        os.kill(scene.server.pid, signal.SIGCONT)
    scene.met["stood still"] += 1


async def network(scene: Scene) -> None:
    """Three things that a network does."""
    for name in scene.chance.sample(sorted(ACTS), 3):
        ACTS[name](scene.proxy, scene.chance)
        await scene.moment(0.1, 0.5)
        scene.proxy.clear()
    scene.proxy.reset()


async def slow(scene: Scene) -> None:
    """Slow commits."""
    await _while(scene, "slow", slow=scene.chance.uniform(0.02, 0.3))


async def gone(scene: Scene) -> None:
    """No database."""
    await _while(scene, "gone", gone=True)


async def full(scene: Scene) -> None:
    """A full disk."""
    await _while(scene, "full", full=scene.chance.choice([1, 8]))


async def wakes(scene: Scene) -> None:
    """Wake-ups lost, doubled, late."""
    how = scene.chance.choice(["lost", "doubled", "late"])
    await _while(scene, f"wakes {how}", wakes=how)


async def clock(scene: Scene) -> None:
    """An hour more or less, and back; devices that come back then must renew their tokens."""
    scene.climate.set(clock=scene.chance.choice([-3600, 3600]))
    await scene.moment(0.1, 0.4)
    scene.proxy.reset()
    await scene.moment(0.1, 0.4)
    scene.climate.clear()
    scene.met["clock jumps"] += 2


async def taken(scene: Scene) -> None:
    """A run is taken over by another worker and ended there."""
    await _while(scene, "taken", taken=scene.chance.randint(1, 2))


FAULTS: dict[str, Callable[[Scene], Awaitable[None]]] = {
    fault.__name__: fault for fault in (death, killed, restart, stopped, network, slow, gone, full, wakes, clock, taken)
}


async def _while(scene: Scene, word: str, **conditions: object) -> None:
    scene.climate.set(**conditions)
    await scene.climate.until_met(word)
    await scene.moment(0.2, 0.8)
    scene.climate.clear()


def drawn(seed: int) -> tuple[random.Random, list[str], str]:
    """What a seed stands for: its chance, its faults, and the point of a death."""
    chance = random.Random(seed)
    acts = chance.sample(sorted(FAULTS), 3)
    point = chance.choice(sorted(POINTS.keys() - RARE_POINTS))
    where = f"{point}:{chance.randint(8, 32) if point in MANY else chance.randint(1, 4)}"
    if "death" in acts:  # armed at the start, so it comes first
        acts.sort(key=lambda name: name != "death")
    return chance, acts, where if "death" in acts else ""


async def play(seed: int, folder: Path) -> Counter[str]:
    """Play a seed to its end. Raises AssertionError with what was broken; returns what was met."""
    chance, acts, point = drawn(seed)
    server = Server(folder / "server", command=COMMAND, environment=dict(ENVIRONMENT))
    climate = Climate(server)
    if point:
        arm(server, point)
    loops = LoopThread("a seed's sockets"), LoopThread("a seed's proxy")
    connect, faults = Connect(loops[0]), Faults(loops[1])
    try:
        await asyncio.to_thread(server.start)
        scene = Scene(server, climate, faults(server), chance, folder, point=point)
        met = await _play(scene, connect, acts)
        await asyncio.to_thread(connect.finish)
    except BaseException as fault:
        fault.add_note(f"seed {seed}: {', '.join(acts)} {point}")
        raise
    finally:
        for end in (server.end, faults.close, loops[0].close, loops[1].close):
            await asyncio.to_thread(end)
    shutil.rmtree(folder)
    return met


async def _play(scene: Scene, connect: Connect, acts: list[str]) -> Counter[str]:
    scene.people = await asyncio.to_thread(
        faithful, scene.server, connect, 2, lambda: random.Random(scene.chance.random()), scene.proxy
    )
    for person in scene.people:
        person.fair = False
    async with living(scene.people) as lives:
        for act in acts:
            await FAULTS[act](scene)
            assert not lives.done(), "a client has given up"
        scene.proxy.reset()
        for person in scene.people:
            await person.goes_on()
        ended = await heal(scene.server, scene.people, lives, scene.folder / "healed")
    allowed = {"agent_completed", "worker_lost"}
    if "gone" in acts or "full" in acts:  # the thread of a run that was just leased could not be read
        allowed.add("unavailable")
    strange = ended.keys() - allowed
    assert not strange, f"runs ended in a way that none of these faults explains: {ended}"
    counts = scene.proxy.counts
    figures = {
        "resets": counts.resets,
        "cuts": counts.cuts,
        "half-closes": counts.half_closes,
        "stalls": counts.stalled,
    }
    return sum((person.met for person in scene.people), scene.met + ended + scene.climate.met() + Counter(figures))
