"""Processes as the system sees them: who is below whom, and whether they are gone in time."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Seen", "below", "gone"]


@dataclass(frozen=True)
class Seen:
    """A process, known again by when it started."""

    pid: int
    parent: int
    started: str
    command: str

    @classmethod
    def of(cls, pid: int) -> "Seen | None":
        """None where there is none, or only its end is left to be read."""
        try:
            text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return None
        row = text.rpartition(")")[2].split()
        return None if row[0] == "Z" else cls(pid, int(row[1]), row[19], command)

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        now = Seen.of(self.pid)
        return now is not None and now.started == self.started


def below(root: int) -> list[Seen]:
    """All processes under one, itself left out."""
    every = [seen for one in Path("/proc").iterdir() if one.name.isdigit() and (seen := Seen.of(int(one.name)))]
    found: dict[int, Seen] = {}
    while more := [one for one in every if one.pid not in found and (one.parent == root or one.parent in found)]:
        found |= {one.pid: one for one in more}
    return list(found.values())


def gone(processes: Iterable[Seen], within: float) -> None:
    """Waits until none of them runs; AssertionError names those that still do."""
    until = time.monotonic() + within
    while left := [one for one in processes if one.alive]:
        assert time.monotonic() < until, f"still there after {within:g} s: " + "\n".join(map(str, left))
        time.sleep(0.02)
