"""How late an event loop is: the time between when a look was due and when it happened."""

import asyncio
import contextlib
from collections import deque

from quintet.sources import Sources

__all__ = ["LoopLag"]

_PERIOD = 0.5
_KEPT = 120  # looks: a minute


class LoopLag:
    """Looks at the running loop twice a second. Figures are in seconds."""

    def __init__(self, sources: Sources) -> None:
        self._clock = sources.monotonic
        self._lags: deque[float] = deque(maxlen=_KEPT)
        self._task: asyncio.Task[None] | None = None

    @property
    def last(self) -> float:
        """How late it was at the last look."""
        return self._lags[-1] if self._lags else 0.0

    @property
    def worst(self) -> float:
        """The worst within the last minute."""
        return max(self._lags, default=0.0)

    def start(self) -> None:
        """Begin, on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._look())

    async def close(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _look(self) -> None:
        while True:
            before = self._clock()
            await asyncio.sleep(_PERIOD)
            self._lags.append(max(0.0, self._clock() - before - _PERIOD))
