"""asyncio's loops, uvloop's too, and anyio's and pytest-asyncio's ways to run a test in one."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import FrameType
from typing import Any, Final

from quintet.testing.hang.chains import chain
from quintet.testing.hang.loops import MOST_TASKS, Loop, Waiting, Way, alive

__all__ = ["AsyncioLoop", "found"]

_RUNNERS: Final = ("asyncio/base_events.py", "asyncio/runners.py", "pytest_asyncio/plugin.py")
_SWALLOWED: Final = "an exception into the tasks that swallow cancellation"


class AsyncioLoop(Loop):
    """A loop of asyncio."""

    def post(self, act: Callable[[], None]) -> None:
        """See `Loop`."""
        with suppress(RuntimeError):  # closed meanwhile
            self.loop.call_soon_threadsafe(act)

    def look(self) -> None:
        """See `Loop`."""
        tasks = sorted(asyncio.all_tasks(self.loop), key=lambda task: task.get_name())[:MOST_TASKS]
        self.tasks = [Waiting(task.get_name(), task, chain(task.get_coro())) for task in tasks]

    def root(self, frame: FrameType | None) -> Waiting | None:
        """See `Loop`."""
        wanted = _awaited_by(frame)
        root = next((one for one in self.tasks if one.task is wanted), None)
        if root is None or any("_call_in_runner_task" in one.name for one in root.steps):
            root = next((one for one in self.tasks if one.lives_on), root)
        return root

    def ways(self, waited: Waiting | None, phase: str, fault: BaseException) -> Iterator[Way]:
        """A test's task is cancelled; a fixture's gets an exception, for pytest goes on tearing down after that and not after a cancellation."""
        mine = [] if waited is None else [waited.task]
        if phase == "call" and waited is not None and not waited.lives_on:
            yield Way(0.0, "cancelling the task that pytest waited for", lambda: _cancel(mine))
        else:
            yield Way(0.0, "an exception in what the task waited for", lambda: _raise_into(mine, fault))
        for moment in (0.5, 0.8):
            yield Way(moment, _SWALLOWED, lambda: _raise_into([*mine, *self._stubborn()], fault))
        yield Way(1.1, "stopping the event loop", self.loop.stop)

    def _stubborn(self) -> list["asyncio.Task[Any]"]:
        """Tasks that were asked to cancel themselves and have not ended."""
        return [task for task in asyncio.all_tasks(self.loop) if task.cancelling()]


def found() -> list[AsyncioLoop]:
    """Every loop that runs now, in whatever thread."""
    return [
        AsyncioLoop(one, getattr(one, "_thread_id", None))
        for one in alive(asyncio.AbstractEventLoop)
        if one.is_running()
    ]


def _awaited_by(frame: FrameType | None) -> Any:
    while frame is not None:
        if frame.f_code.co_filename.endswith(_RUNNERS):
            for name in ("future", "task"):
                value = frame.f_locals.get(name)
                if isinstance(value, asyncio.Future) and not value.done():
                    return value
        frame = frame.f_back
    return None


def _cancel(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    for task in tasks:
        task.cancel("quintet's hang guard")


def _raise_into(tasks: Iterable["asyncio.Task[Any]"], fault: BaseException) -> None:
    """Lets what each waits for raise this, which `except CancelledError` does not catch."""
    for task in tasks:
        for future in _leaves(task):
            if not future.done():
                future.set_exception(fault)


def _leaves(task: Any, depth: int = 20) -> list["asyncio.Future[Any]"]:
    """The futures at the end of a task's chain, below tasks and gatherings of tasks."""
    waiter = getattr(task, "_fut_waiter", None)
    if waiter is None or depth == 0:
        return []
    below = [one for one in (waiter, *getattr(waiter, "_children", ())) if isinstance(one, asyncio.Task)]
    return [leaf for one in below for leaf in _leaves(one, depth - 1)] if below else [waiter]
