"""What a store counts for the metrics."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Figures", "Histogram"]


class Histogram:
    """How often a measure was at most each of `bounds`; the last count is of what was more. Written by one thread, read by any."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def merge(self, other: "Histogram") -> None:
        """Count what another with the same bounds has counted."""
        self.counts = [sum(pair) for pair in zip(self.counts, other.counts, strict=True)]
        self.total += other.total


class Figures(NamedTuple):
    """How long commits took, in seconds; how many writes and reads wait; whether the disk has no room for anything new."""

    commits: Histogram
    waiting_writes: int
    waiting_reads: int
    scarce: bool = False

    @classmethod
    def together(cls, several: "Sequence[Figures]") -> "Figures":
        """Those of several stores of one kind, added up."""
        commits = Histogram(several[0].commits.bounds)
        for one in several:
            commits.merge(one.commits)
        writes, reads = (sum(column) for column in zip(*(one[1:3] for one in several), strict=True))
        return cls(commits, writes, reads, any(one.scarce for one in several))
