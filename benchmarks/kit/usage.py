"""What a process uses, read from outside: CPU by its clock, memory from /proc."""

import contextlib
import os
import time
from pathlib import Path
from typing import NamedTuple

__all__ = ["Cpu", "cpu_of", "memory_of"]

_TICK = 1_000_000 / os.sysconf("SC_CLK_TCK")


class Cpu(NamedTuple):
    """Microseconds of CPU, user and system together, and how much of it was the system's (in ticks of 10 ms)."""

    total: float
    system: float

    def since(self, before: "Cpu") -> "Cpu":
        """What was used in between."""
        return Cpu(self.total - before.total, self.system - before.system)


def cpu_of(pid: int) -> Cpu:
    """All threads of the process, also those that have ended, and all of its children, also those it has outlived."""
    ended = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[13:15]
    total, system = (int(ended[0]) + int(ended[1])) * _TICK, int(ended[1]) * _TICK
    for one in (pid, *_children(pid)):
        # The number of a process's CPU clock, as clock_getcpuclockid(3) makes it; /proc knows ticks only.
        with contextlib.suppress(OSError):  # it has ended in between
            used = time.clock_gettime_ns(((~one) << 3) | 2) / 1000
            system += int(Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[12]) * _TICK
            total += used
    return Cpu(total, system)


def memory_of(pid: int) -> dict[str, int]:
    """Bytes of the process and its children: `pss` counts shared pages by share."""
    found = {"pss": 0, "rss": 0}
    for one in (pid, *_children(pid)):
        for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name.lower() in found:
                found[name.lower()] += int(rest.split()[0]) * 1024
    return found


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            direct = [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
        for child in direct:
            found += [child, *_children(child)]
    return found
