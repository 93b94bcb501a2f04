"""Many users at one server: a world whose accounts exist already, and what the server costs while they are busy, seen from outside."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quintet.testing.accounts.account import Account
from quintet.testing.sockets.device import Device
from support.server import Server
from support.world import World

__all__ = ["Cost", "Crowd", "costing", "percentile", "processor_seconds"]


class Crowd(World):
    """Gives out accounts that were made before, for each costs a password hash; otherwise a world as any other."""

    def __init__(self, server: Server, accounts: Sequence[Account]) -> None:
        super().__init__(server)
        self._waiting = list(accounts)

    async def user(self) -> Account:
        """The next user, with a session nobody else of this world has."""
        return self._waiting.pop()

    @property
    def devices(self) -> list[Device]:
        """All that were opened, in order."""
        return [reader for reader in self.connect.open if isinstance(reader, Device)]


@dataclass
class Cost:
    """Resident memory in MB, sampled twenty times a second, and the processor time used meanwhile, in seconds."""

    memory: list[float] = field(default_factory=list)
    seconds: float = 0.0
    processor: float = 0.0

    @property
    def grown(self) -> float:
        """How far memory rose above its first sample."""
        return max(self.memory) - self.memory[0]


@contextlib.asynccontextmanager
async def costing(server: Server) -> AsyncIterator[Cost]:
    """Sample the server's process through /proc: it is not asked, and cannot flatter itself."""
    cost = Cost([_resident(server.pid)])
    begun, used = time.monotonic(), processor_seconds(server.pid)

    async def sample() -> None:
        while True:
            await asyncio.sleep(0.05)
            cost.memory.append(_resident(server.pid))

    sampling = asyncio.create_task(sample())
    try:
        yield cost
    finally:
        sampling.cancel()
        cost.memory.append(_resident(server.pid))
        cost.seconds, cost.processor = time.monotonic() - begun, processor_seconds(server.pid) - used


def processor_seconds(pid: int) -> float:
    """User and system time of a process so far; a hundredth is the finest it tells."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of all does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
