"""What a network does to the connections of a proxy, each with its own chance."""

import random
from collections.abc import Callable

from quintet.testing.faults import Proxy

__all__ = ["ACTS"]


def _refuse(proxy: Proxy) -> None:
    proxy.refuse()
    proxy.reset()


ACTS: dict[str, Callable[[Proxy, random.Random], object]] = {
    "latency": lambda proxy, chance: proxy.latency(chance.uniform(0.01, 0.2), jitter=0.1),
    "slow": lambda proxy, chance: proxy.slow(chance.uniform(1_000, 20_000)),
    "stall": lambda proxy, chance: proxy.stall(chance.choice(["up", "down", "both"])),
    "cut": lambda proxy, chance: proxy.cut(
        chance.randrange(1, 4_000), how=chance.choice(["reset", "close", "silence"]), way=chance.choice(["up", "down"])
    ),
    "cut inside a frame": lambda proxy, chance: proxy.cut_inside_frame(
        chance.randrange(1, 6), how=chance.choice(["reset", "close", "silence"]), way=chance.choice(["up", "down"])
    ),
    "reset": lambda proxy, chance: proxy.reset(),
    "half-close": lambda proxy, chance: proxy.half_close(chance.choice(["up", "down"])),
    "refuse": lambda proxy, chance: _refuse(proxy),
}
