"""What a server holds while nobody is there, time after time, and whether that grows. Seen from outside, through /proc.

1. A server is looked at only at rest: no socket, no open run. What differs then was left behind.
2. The first quarter does not count: caches fill, pools are made.
3. Growth is the median slope over all pairs of looks, so that one odd look does not matter, times the time they span.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

__all__ = ["ALLOWED", "Look", "grown", "judge", "look_at", "table"]


@dataclass(frozen=True)
class Look:
    """One look: seconds since the beginning, resident memory in MB, and counts."""

    at: float
    memory: float
    tasks: float
    files: float
    threads: float
    database: float  # MB on disk
    lag: float  # ms, the worst that the sockets' loop was late within the last minute
    runs: float  # that have ended so far
    sockets: float  # that were opened so far


# How much each may grow over the whole time: what noise is, on a machine with other work.
ALLOWED = {"memory": 12.0, "tasks": 2.0, "files": 2.0, "threads": 2.0}
_WARM = 4  # the first of so many parts does not count


def look_at(pid: int, data: Path, tasks: Path, **told: float) -> Look:
    """A look at the process `pid`; `told` has what only its figures know."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return Look(
        memory=int(fields["VmRSS"].split()[0]) / 1024,
        threads=int(fields["Threads"]),
        files=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        tasks=int(tasks.read_text()),
        database=sum(file.stat().st_size for file in data.iterdir() if file.is_file()) / 1e6,
        **told,
    )


def grown(looks: Sequence[Look], what: str) -> float:
    """How much `what` has grown since the server was warm, by its median slope."""
    warm = looks[len(looks) // _WARM :]
    slopes = [(getattr(b, what) - getattr(a, what)) / (b.at - a.at) for a, b in combinations(warm, 2) if b.at > a.at]
    return statistics.median(slopes) * (warm[-1].at - warm[0].at) if slopes else 0.0


def judge(looks: Sequence[Look]) -> None:
    """Raises AssertionError where something grows beyond noise."""
    assert len(looks) >= 4, f"{len(looks)} looks prove nothing"
    for what, allowed in ALLOWED.items():
        found = grown(looks, what)
        assert found <= allowed, f"{what} has grown by {found:.1f}, more than {allowed:g}\n{table(looks)}"


def table(looks: Sequence[Look]) -> str:
    """All looks, and how much each column has grown."""
    names = ("at", "memory", "tasks", "files", "threads", "database", "lag", "runs", "sockets")
    units = ("s", "MB", "", "", "", "MB", "ms", "", "")
    lines = [" ".join(f"{name:>9}" for name in names), " ".join(f"{unit:>9}" for unit in units)]
    lines += [" ".join(f"{getattr(look, name):9.1f}" for name in names) for look in looks]
    lines.append("grown    " + " ".join(f"{grown(looks, name):9.1f}" for name in names[1:6]))
    return "\n".join(lines)
