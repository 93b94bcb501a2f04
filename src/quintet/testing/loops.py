"""An event loop in a thread of its own: what the kit keeps running while a test computes, blocks, or stands in a debugger.

1. Tests of any kind use it: plain functions by `call`, coroutines on whatever loop by `run`.
2. Every step has a deadline, so that a fault of the kit is an error and never a hang.
3. Closing cancels what still runs and waits for its end: nothing is left for the garbage collector to complain about.
"""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["LoopThread", "Pulse"]

T = TypeVar("T")
STEP_SECONDS = 30.0  # of the kit's own work; what waits for a server has its own deadline below this
CLOSE_SECONDS = 10.0
TURNS = 3  # of the loop, in which transports that were just closed leave their sockets


class LoopThread:
    """Starts at the first use. May be closed twice."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def call(self, work: Coroutine[Any, Any, T], within: float | None = STEP_SECONDS) -> T:
        """Run it there and wait here, in a thread that may block. Raises `TimeoutError` after `within` seconds."""
        assert not self.inside, "a step of the loop's own thread would wait for itself"
        future = asyncio.run_coroutine_threadsafe(work, self._started())
        try:
            return future.result(within)
        finally:
            future.cancel()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run it there and await it on the caller's loop; a cancelled caller cancels it. Without a deadline of its own."""
        if self.inside:
            return await work
        future = asyncio.run_coroutine_threadsafe(work, self._started())
        return await asyncio.wrap_future(future)

    @property
    def inside(self) -> bool:
        """Whether the caller is on this thread."""
        return threading.current_thread() is self._thread

    def close(self) -> None:
        """Cancel what runs, wait for it, end the thread."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result(CLOSE_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(CLOSE_SECONDS)
        if not thread.is_alive():
            loop.close()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.SelectorEventLoop()
                self._thread = threading.Thread(target=self._loop.run_forever, name=self._name, daemon=True)
                self._thread.start()
            return self._loop


async def _cancel_all() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
    for _ in range(TURNS):
        await asyncio.sleep(0)


class Pulse:
    """Wakes all that wait, now, and nobody later."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def beat(self) -> None:
        """Wake them."""
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, seconds: float | None = None) -> None:
        """Wait for the next beat, at most so long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), seconds)
