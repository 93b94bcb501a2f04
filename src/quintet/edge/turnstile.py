"""Requests that come in one moment begin a few at a time, so that the loop gets round between them and sockets wait for none of it.

A request that begins costs the loop half a millisecond before it first waits for anything: two hundred in one turn would hold it for a
tenth of a second. Nobody is refused here and, below that, nobody is held; whoever is held is let in in the order of coming.
"""

import asyncio
from collections import deque

__all__ = ["Turnstile"]

EACH_TURN = 8


class Turnstile:
    """That of one loop. `each` requests may begin in one turn of it."""

    def __init__(self, each: int = EACH_TURN) -> None:
        self._each = each
        self._left = each
        self._turning = False
        self._waiting: deque[asyncio.Future[None]] = deque()  # no more than there are connections

    async def enter(self) -> None:
        """Return when the request may begin."""
        loop = asyncio.get_running_loop()
        if not self._turning:
            self._turning = True
            loop.call_soon(self._turn, loop)
        if self._left and not self._waiting:
            self._left -= 1
            return
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiting.append(waiter)
        await waiter

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        self._turning = bool(self._waiting)
        self._left = self._each
        while self._waiting and self._left:
            waiter = self._waiting.popleft()
            if not waiter.done():  # whoever has gone was cancelled
                waiter.set_result(None)
                self._left -= 1
        if self._turning:
            loop.call_soon(self._turn, loop)
