"""Running event loops and their tasks, whoever's they are: what the report shows and what the guard can do to them.

All of it is read from the guard's thread, while a loop may be idle, busy or blocked; what changes a loop runs inside it.
"""

import gc
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final, NamedTuple

from quintet.testing.hang.frames import Step, is_project

__all__ = ["ANYIO", "Loop", "Waiting", "Way", "alive", "main_frame", "running"]

ANYIO: Final = "_run_tests_and_fixtures"  # anyio's own task, which runs one test after another and must outlive them
MOST_TASKS: Final = 200
_ANSWER: Final = 0.25  # seconds in which a loop that is not blocked runs a callback


@dataclass
class Waiting:
    """A task, and the chain of its awaits when it was looked at."""

    name: str
    task: Any
    steps: list[Step]

    @property
    def lives_on(self) -> bool:
        """Whether it runs later tests too, so that only what it runs now may end."""
        return any(ANYIO in one.name for one in self.steps[:2])

    @property
    def own(self) -> list[Step]:
        """The project's own lines."""
        return [one for one in self.steps if is_project(one.file)]


class Way(NamedTuple):
    """One way to end what waits, and when to take it."""

    after: float  # seconds after the limit
    words: str
    act: Callable[[], None]  # runs inside the loop


@dataclass
class Loop(ABC):
    """A running loop."""

    loop: Any
    thread: int | None = None
    answers: bool = False
    tasks: list[Waiting] = field(default_factory=list)

    @property
    def in_main(self) -> bool:
        """Whether the main thread runs it."""
        return self.thread == threading.main_thread().ident

    @abstractmethod
    def post(self, act: Callable[[], None]) -> None:
        """Runs something inside the loop, soon; does nothing where the loop has ended."""

    @abstractmethod
    def look(self) -> None:
        """Fills in the tasks."""

    @abstractmethod
    def root(self, frame: FrameType | None) -> Waiting | None:
        """The task that a thread's stack waits for; with anyio the task that runs the test for it."""

    @abstractmethod
    def ways(self, waited: Waiting | None, phase: str, fault: BaseException) -> Iterator[Way]:
        """How to end it, the mildest first."""

    def answer(self) -> None:
        """Runs inside the loop: it is not blocked."""
        self.thread, self.answers = threading.get_ident(), True


def running() -> list[Loop]:
    """Every running loop with its tasks, the main thread's first."""
    found: list[Loop] = []
    if "asyncio" in sys.modules:
        from quintet.testing.hang import asyncio_loops

        found += asyncio_loops.found()
    if "trio" in sys.modules:
        from quintet.testing.hang import trio_loops

        found += trio_loops.found()
    for one in found:
        one.post(one.answer)
    deadline = time.monotonic() + _ANSWER
    while time.monotonic() < deadline and not all(one.answers for one in found):
        time.sleep(0.01)
    unknown = [one for one in found if one.thread is None]
    if len(unknown) == 1 and not any(one.in_main for one in found):
        unknown[0].thread = threading.main_thread().ident
    for one in found:
        one.look()
    return sorted(found, key=lambda one: not one.in_main)


def alive(kind: type) -> list[Any]:
    """All objects of a type. Only types are asked, for a mock answers `isinstance` as it likes."""
    return [one for one in gc.get_objects() if issubclass(type(one), kind)]


def main_frame() -> FrameType | None:
    """Where the main thread stands."""
    return sys._current_frames().get(threading.main_thread().ident or 0)
