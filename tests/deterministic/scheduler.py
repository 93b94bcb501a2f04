"""One thread that plays all threads: loops, committer and readers take their steps in the order that a seed decides.

1. A step is what nothing else gets between: a callback of a loop, a transaction, its commit, its telling, a read, an answer.
2. Callbacks of one loop keep their order, as asyncio promises. Between strands there is no order; some are slow for a while.
3. Time stands still while anything is ready, unless the seed is hasty; then it jumps to the next timer.
"""

import asyncio
import heapq
import random
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Protocol, TypeVar
from zlib import crc32

__all__ = ["Loop", "NoThread", "Scheduler", "Strand"]

T = TypeVar("T")

STEPS = 400_000  # of one story; a sound one takes a few thousand
LOOK = 8  # steps between two looks at the bounds
SPELL = 64  # steps until other strands are the slow ones
PACES = (1, 1, 4, 16)


class Strand(Protocol):
    """What would be a thread."""

    name: str

    @property
    def ready(self) -> bool:
        """It could take a step."""

    def step(self) -> None:
        """Take it."""

    def due(self) -> float | None:
        """When its next timer is due."""


class Loop(asyncio.BaseEventLoop):
    """An event loop that turns only when the scheduler lets it, and has the scheduler's time."""

    def __init__(self, scheduler: "Scheduler", name: str) -> None:
        super().__init__()
        self.name = name
        self._scheduler = scheduler
        self._soon: deque[asyncio.Handle] = deque()
        self._later: list[tuple[float, int, asyncio.TimerHandle]] = []
        self.set_exception_handler(scheduler.note)

    def time(self) -> float:
        """The scheduler's time."""
        return self._scheduler.now

    def call_soon(  # type: ignore[override]  # the same, without the names of its types
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """See `asyncio`."""
        handle = asyncio.Handle(callback, args, self, context)
        self._soon.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]  # there is one thread

    def call_at(  # type: ignore[override]  # likewise
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """See `asyncio`."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._later, (when, self._scheduler.count(), handle))
        return handle

    def run_in_executor(self, _executor: Any, function: Callable[..., T], *args: Any) -> "asyncio.Future[T]":  # type: ignore[override]
        """At once."""
        future: asyncio.Future[T] = self.create_future()
        future.set_result(function(*args))
        return future

    @property
    def ready(self) -> bool:
        """See `Strand`."""
        while self._soon and self._soon[0].cancelled():
            self._soon.popleft()
        while self._later and (self._later[0][2].cancelled() or self._later[0][0] <= self.time()):
            _, _, timer = heapq.heappop(self._later)
            if not timer.cancelled():
                self._soon.append(timer)
        return bool(self._soon)

    def step(self) -> None:
        """See `Strand`."""
        handle = self._soon.popleft()
        asyncio._set_running_loop(self)
        try:
            handle._run()
        finally:
            asyncio._set_running_loop(None)

    def due(self) -> float | None:
        """See `Strand`."""
        return self._later[0][0] if self._later else None


class NoThread:
    """Stands where the product starts a thread for a loop: the scheduler turns it instead."""

    ident: int | None = None

    def __init__(self, **_options: Any) -> None:
        pass

    def start(self) -> None:
        """Nothing to start."""

    def join(self, _timeout: float | None = None) -> None:
        """Nothing to wait for."""

    def is_alive(self) -> bool:
        """Never."""
        return False


class Scheduler:
    """Decides who is next. `hasty` is the share of steps before which time jumps although something is ready."""

    def __init__(self, seed: int, hasty: float = 0.0) -> None:
        self.chance = random.Random(seed)
        self.now = 1000.0
        self.hasty = hasty
        self.steps = 0
        self.trace = 0  # of every decision: two runs of one seed have the same
        self.faults: list[BaseException] = []
        self.each: list[Callable[[], None]] = []  # looked at now and then, while all is in the middle of something
        self._numbers = 0
        self._strands: list[Strand] = []
        self.loops: list[Loop] = []
        self._paces: dict[str, int] = {}

    def count(self) -> int:
        """1, 2, 3, …"""
        self._numbers += 1
        return self._numbers

    def loop(self, name: str) -> Loop:
        """One more loop."""
        made = Loop(self, f"{name} {len(self._strands)}")
        self.loops.append(made)
        self.add(made)
        return made

    def add(self, strand: Strand) -> None:
        """One more strand."""
        self._strands.append(strand)

    def note(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What a loop could not hand to anybody is a fault of the story."""
        self.faults.append(context.get("exception") or AssertionError(str(context.get("message"))))

    def run(self, loop: Loop, story: Coroutine[Any, Any, T]) -> T:
        """Play until `story` has ended on `loop`. Raises what it raised, or what nobody caught."""
        task = loop.create_task(story)
        try:
            while not task.done():
                self._step()
        except BaseException:
            task.cancel()
            raise
        finally:
            self._clear()
        return task.result()

    def _step(self) -> None:
        if self.steps % SPELL == 0:
            self._paces = {strand.name: self.chance.choice(PACES) for strand in self._strands}
        if self.steps % LOOK == 0:
            for look in self.each:
                look()
        self.steps += 1
        if self.faults:
            raise self.faults[0]
        assert self.steps < STEPS, "the story does not come to rest"
        ready = [strand for strand in self._strands if strand.ready]
        hurry = bool(self.hasty) and self.chance.random() < self.hasty
        if not ready or hurry:
            self._jump(must=not ready)
        if not ready:
            return
        paces = [self._paces.get(strand.name, 1) for strand in ready]
        chosen = self.chance.choices(ready, paces)[0]
        self.trace = crc32(f"{chosen.name} {self.now:.6f}".encode(), self.trace)
        chosen.step()

    def _jump(self, *, must: bool) -> None:
        due = [when for strand in self._strands if (when := strand.due()) is not None]
        assert due or not must, "everything waits, and for nothing"
        self.now = max([self.now, *([min(due)] if due else [])])

    def _clear(self) -> None:
        """Let everything that is left be cancelled, so that nothing of one seed is there in the next."""
        for loop in self.loops:
            for left in asyncio.all_tasks(loop):
                left.cancel()
        for _ in range(10_000):
            ready = [strand for strand in self._strands if strand.ready]
            if not ready:
                break
            ready[0].step()
        for loop in self.loops:
            loop.close()
