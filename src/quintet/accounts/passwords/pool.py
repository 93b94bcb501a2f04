"""Threads for work that costs a core for a fifth of a second, bounded so that nobody can queue up a minute of it.

As many at once as cores, so many waiting, and no longer than so many seconds; everybody else hears `busy` at once.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeVar

from quintet.errors import QuintetError

__all__ = ["BoundedPool"]

T = TypeVar("T")
RETRY_AFTER = 2


class BoundedPool:
    """`at_once` threads (None: one per core), `waiting` places, `seconds` for waiting and working together."""

    def __init__(self, at_once: int | None, waiting: int, seconds: float) -> None:
        threads = at_once or os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="quintet-hash")
        self._places = threads + waiting
        self._seconds = seconds
        self._taken = 0
        self._lock = Lock()

    async def run(self, fn: Callable[..., T], *args: Any) -> T:
        """`fn(*args)` in a thread.

        Raises:
            QuintetError: `busy` when all places are taken or the time is up.
        """
        with self._lock:
            if self._taken >= self._places:
                raise QuintetError("busy", retry_after=RETRY_AFTER)
            self._taken += 1
        future = self._threads.submit(fn, *args)
        future.add_done_callback(self._free)  # when the work ends, not when its caller leaves
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise QuintetError("busy", retry_after=RETRY_AFTER) from None

    def _free(self, _: Future[Any]) -> None:
        with self._lock:
            self._taken -= 1

    def close(self) -> None:
        """Drop what waits; what runs ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)
