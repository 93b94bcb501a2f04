"""What is done after the answer: work whose time and outcome must tell the asker nothing.

1. Whether an address has an account decides what is done, so nothing of it happens before the answer.
2. A bounded number waits; one more is refused with `busy`, whatever it is about.
3. A failure is logged by its code or class, never by its text. Whoever waits for a letter asks again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from quintet.errors import QuintetError

__all__ = ["Errands"]

logger = logging.getLogger(__name__)

MOST = 256
PATIENCE = 5.0  # seconds that a stop waits for what was begun
RETRY_AFTER = 5


class Errands:
    """Those of one loop."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._running: set[asyncio.Task[None]] = set()

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work beside the answer. Raises QuintetError `busy`."""
        if len(self._running) >= self._most:
            raise QuintetError("busy", retry_after=RETRY_AFTER)
        task = asyncio.create_task(_done(name, work), name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def settle(self, patience: float = PATIENCE) -> None:
        """Wait for what was begun; what takes longer is dropped."""
        if not self._running:
            return
        _, left = await asyncio.wait(set(self._running), timeout=patience)
        for task in left:
            task.cancel()


async def _done(name: str, work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except QuintetError as refusal:
        logger.warning("%s: %s", name, refusal.code)
    except Exception as error:  # a defect must be seen, without the parameters that its text may hold
        logger.error("%s failed: %s", name, type(error).__name__)
