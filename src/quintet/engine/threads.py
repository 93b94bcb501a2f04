"""Where plain functions run: daemon threads of their own, which block nobody's exit.

1. A thread cannot be stopped. When nobody waits any more its result is dropped and counted.
2. Those that still run count against one bound, abandoned or not: a tool that never returns must not eat the machine.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from quintet.engine.counters import Counters

__all__ = ["Outcome", "Threads"]


class Outcome(NamedTuple):
    """What a function came to: its value, or what it raised."""

    value: Any = None
    error: BaseException | None = None


class Threads:
    """Starts at most `most` threads at once, for all runs of a worker."""

    def __init__(self, most: int, counters: Counters) -> None:
        self._most = most
        self._counters = counters
        self._lock = threading.Lock()
        self._running = 0

    def call(
        self, loop: asyncio.AbstractEventLoop, name: str, function: Callable[[], Any]
    ) -> "asyncio.Future[Outcome]":
        """Run `function` in a thread; the future of `loop` gets its outcome. Cancelling the future lets go of the thread.

        Raises:
            RuntimeError: as many threads as may be are running.
        """
        with self._lock:
            if self._running >= self._most:
                raise RuntimeError("too many plain functions are running")
            self._running += 1
        future: asyncio.Future[Outcome] = loop.create_future()
        threading.Thread(target=self._run, args=(loop, future, function), name=f"quintet-{name}", daemon=True).start()
        return future

    def _run(
        self, loop: asyncio.AbstractEventLoop, future: "asyncio.Future[Outcome]", function: Callable[[], Any]
    ) -> None:
        try:
            outcome = Outcome(function())
        except BaseException as error:  # also SystemExit: it is the function's own failure, not the thread's end
            outcome = Outcome(None, error)
        with self._lock:
            self._running -= 1
        with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody waits
            loop.call_soon_threadsafe(self._deliver, future, outcome)

    def _deliver(self, future: "asyncio.Future[Outcome]", outcome: Outcome) -> None:
        if future.done():
            self._counters.add("dropped")
        else:
            future.set_result(outcome)
