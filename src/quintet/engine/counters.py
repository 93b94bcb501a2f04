"""What went another way than usual, counted for the metrics."""

import threading
from dataclasses import dataclass, field

__all__ = ["Counters"]


@dataclass(slots=True)
class Counters:
    """Counts since the worker started. Rare by nature, so one lock serves all threads."""

    fenced: int = 0  # appends and endings of a run that was no longer ours
    abandoned: int = 0  # agents that did not end within the grace
    dropped: int = 0  # results of plain functions that came after nobody waited
    refused: int = 0  # emits on an ended invocation or a stopped run
    held: int = 0  # loops that did not turn
    rescued: int = 0  # of these, the ones whose neighbours went on
    unclosed: int = 0  # endings that the store refused for long
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def add(self, name: str) -> None:
        """Count one more of `name`."""
        with self._lock:
            setattr(self, name, getattr(self, name) + 1)
