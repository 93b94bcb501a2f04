"""How late an event loop is: the time between when a look was due and when it happened.

Looks are close together, so that whoever holds the loop for longer than between two of them is seen, whenever that is.
"""

from collections import deque

from quintet.periodic import Periodic
from quintet.sources import Sources

__all__ = ["LoopLag"]

_PERIOD = 0.05
_KEPT = 1200  # looks: a minute


class LoopLag:
    """Looks at the running loop twenty times a second. Figures are in seconds."""

    def __init__(self, sources: Sources) -> None:
        self._clock = sources.monotonic
        self._lags: deque[float] = deque(maxlen=_KEPT)
        self._looking = Periodic("looking how late the loop is", self._look, _PERIOD, at_once=False)
        self._due: float | None = None
        self.close = self._looking.close

    @property
    def last(self) -> float:
        """How late it was at the last look."""
        return self._lags[-1] if self._lags else 0.0

    @property
    def worst(self) -> float:
        """The worst within the last minute."""
        return max(self._lags, default=0.0)

    def start(self) -> None:
        """Begin, on the running loop. What the loop does before its next turn is of the start, and counts for nothing."""
        self._looking.start()

    async def _look(self) -> None:
        now = self._clock()
        if self._due is not None:
            self._lags.append(max(0.0, now - self._due))
        self._due = now + _PERIOD
