"""What a store counts for the metrics."""

from bisect import bisect_left
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


class Figures(NamedTuple):
    """How long commits took, in seconds; how many writes and reads wait; whether the disk has no room for anything new."""

    commits: Histogram
    waiting_writes: int
    waiting_reads: int
    scarce: bool = False
