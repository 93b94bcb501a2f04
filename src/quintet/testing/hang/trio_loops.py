"""Trio's runs, and anyio's way to run a test in one.

Trio has no public way to end one task: what is used here is what its own cancellation uses. Where a trio has it no more, the signal remains.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

import trio  # type: ignore[import-not-found, unused-ignore]

from quintet.testing.hang.chains import chain
from quintet.testing.hang.loops import MOST_TASKS, Loop, Waiting, Way, alive

__all__ = ["TrioRun", "found"]


class TrioRun(Loop):
    """A run of trio; `loop` is its queue of calls from other threads."""

    def post(self, act: Callable[[], None]) -> None:
        """See `Loop`."""
        with suppress(trio.RunFinishedError):
            self.loop.run_sync_soon(act)

    def look(self) -> None:
        """See `Loop`. A finished task's coroutine has no frame."""
        tasks = [task for task in alive(trio.lowlevel.Task) if task.coro.cr_frame is not None][:MOST_TASKS]
        self.tasks = [
            one for one in (Waiting(task.name, task, chain(task.coro)) for task in tasks) if one.own or one.lives_on
        ]

    def root(self, frame: FrameType | None) -> Waiting | None:
        """See `Loop`."""
        return next((one for one in self.tasks if one.lives_on), self.tasks[0] if self.tasks else None)

    def ways(self, waited: Waiting | None, phase: str, fault: BaseException) -> Iterator[Way]:
        """See `Loop`."""
        if waited is not None:
            for moment in (0.0, 0.5):
                yield Way(moment, "an exception in what the task waited for", lambda: _abort(waited.task, fault))


def _abort(task: Any, fault: BaseException) -> None:
    def raise_fault() -> NoReturn:
        raise fault

    if getattr(task, "_abort_func", None) is not None:
        task._attempt_abort(raise_fault)


def found() -> list[TrioRun]:
    """Every run that has not ended, by the queue through which other threads reach it (tokens are made only when asked for)."""
    queues = {
        id(queue): queue
        for task in _tasks()
        if (queue := getattr(getattr(task, "_runner", None), "entry_queue", None)) is not None
    }
    return [TrioRun(queue) for queue in queues.values()]


def _tasks() -> list[Any]:
    """The tasks that have not ended; a finished one's coroutine has no frame."""
    return [task for task in alive(trio.lowlevel.Task) if task.coro.cr_frame is not None]
