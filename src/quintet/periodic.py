"""What a server does again and again beside its work: one task for each, that outlives the failures of what it does."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

__all__ = ["Periodic"]

logger = logging.getLogger(__name__)


class Periodic:
    """Awaits `look`, then `period` seconds, for ever. `name` says in the log what has failed; it is tried again all the same."""

    def __init__(self, name: str, look: Callable[[], Awaitable[None]], period: float, *, at_once: bool = True) -> None:
        """Without `at_once` the first look comes after a period."""
        self._name = name
        self._look = look
        self._period = period
        self._at_once = at_once
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=self._name)

    async def close(self) -> None:
        """End; harmless where it never began."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        if not self._at_once:
            await asyncio.sleep(self._period)
        failing = False
        while True:
            try:
                await self._look()
                failing = False
            except Exception as error:  # where it stands once is enough: a database may be away for hours
                why = error.__cause__ or error if failing else "for the first time"
                logger.warning("%s failed just now (%s); it is tried again", self._name, why, exc_info=not failing)
                failing = True
            await asyncio.sleep(self._period)
