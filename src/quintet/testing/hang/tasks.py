"""The event loops of this process, their tasks, and the one task that the main thread waits for.

All of it is read from the guard's thread, while the loop may be idle, busy or blocked; only `ended_by_…` run inside the loop.
"""

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final

from quintet.testing.hang.chains import chain
from quintet.testing.hang.frames import Step

__all__ = ["Loop", "cancel", "loops", "raise_into", "stubborn"]

_MOST_TASKS: Final = 200
_ANSWER: Final = 0.25  # seconds in which a loop that is not blocked runs a callback
_RUNNERS: Final = ("asyncio/base_events.py", "asyncio/runners.py", "pytest_asyncio/plugin.py")
_ANYIO: Final = "_run_tests_and_fixtures"  # anyio's own task, which runs one test after another and must outlive them


@dataclass
class Waiting:
    """A task, and the chain of its awaits when it was looked at."""

    task: "asyncio.Task[Any]"
    steps: list[Step]

    @property
    def lives_on(self) -> bool:
        """Whether it runs later tests too, so that only what it runs now may end."""
        return any(_ANYIO in one.name for one in self.steps[:2])


@dataclass
class Loop:
    """A running loop."""

    loop: asyncio.AbstractEventLoop
    thread: int | None = None
    answers: bool = False
    tasks: list[Waiting] = field(default_factory=list)

    @property
    def in_main(self) -> bool:
        """Whether the main thread runs it."""
        return self.thread == threading.main_thread().ident

    def root(self, frame: FrameType | None) -> Waiting | None:
        """The task that a thread's stack waits for; with anyio the task that runs the test for it."""
        wanted = _awaited_by(frame)
        found = next((one for one in self.tasks if one.task is wanted), None)
        if found is None or any("_call_in_runner_task" in one.name for one in found.steps):
            found = next((one for one in self.tasks if one.lives_on), found)
        return found


def loops() -> list[Loop]:
    """Every running loop with its tasks, the main thread's first."""
    running = [
        Loop(one) for one in gc.get_objects() if issubclass(type(one), asyncio.AbstractEventLoop) and one.is_running()
    ]
    for one in running:
        one.thread = getattr(one.loop, "_thread_id", None)
        one.loop.call_soon_threadsafe(_answer, one)
    deadline = time.monotonic() + _ANSWER
    while time.monotonic() < deadline and not all(one.answers for one in running):
        time.sleep(0.01)
    for one in running:
        tasks = sorted(asyncio.all_tasks(one.loop), key=lambda task: task.get_name())[:_MOST_TASKS]
        one.tasks = [Waiting(task, chain(task.get_coro())) for task in tasks]
    return sorted(running, key=lambda one: not one.in_main)


def _answer(loop: Loop) -> None:
    loop.thread, loop.answers = threading.get_ident(), True


def _awaited_by(frame: FrameType | None) -> Any:
    while frame is not None:
        if frame.f_code.co_filename.endswith(_RUNNERS):
            for name in ("future", "task"):
                value = frame.f_locals.get(name)
                if isinstance(value, asyncio.Future) and not value.done():
                    return value
        frame = frame.f_back
    return None


def cancel(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Asks each to cancel itself. Inside its loop only."""
    for task in tasks:
        task.cancel("quintet's hang guard")


def raise_into(tasks: Iterable["asyncio.Task[Any]"], fault: BaseException) -> None:
    """Lets what each waits for raise this instead, which `except CancelledError` does not catch. Inside its loop only."""
    for task in tasks:
        for future in _leaves(task):
            if not future.done():
                future.set_exception(fault)


def _leaves(task: Any, depth: int = 20) -> list["asyncio.Future[Any]"]:
    waiter = getattr(task, "_fut_waiter", None)
    if waiter is None or depth == 0:
        return []
    below = (
        [waiter]
        if isinstance(waiter, asyncio.Task)
        else [one for one in getattr(waiter, "_children", ()) if isinstance(one, asyncio.Task)]
    )
    return [leaf for one in below for leaf in _leaves(one, depth - 1)] if below else [waiter]


def stubborn(loop: asyncio.AbstractEventLoop) -> list["asyncio.Task[Any]"]:
    """Tasks that were asked to cancel themselves and have not ended."""
    return [task for task in asyncio.all_tasks(loop) if task.cancelling()]


def main_frame() -> FrameType | None:
    """Where the main thread stands."""
    return sys._current_frames().get(threading.main_thread().ident or 0)
