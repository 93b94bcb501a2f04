"""Running event loops and their tasks, whoever's they are: what the report shows and what the guard can do to them.

All of it is read from the guard's thread, while a loop may be idle, busy or blocked; what changes a loop runs inside it.
"""

import gc
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final, NamedTuple

from quintet.testing.hang.frames import Step, is_project

__all__ = ["ANYIO", "Loop", "Waiting", "Way", "alive"]

ANYIO: Final = "_run_tests_and_fixtures"  # anyio's own task, which runs one test after another and must outlive them
MOST_TASKS: Final = 200


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


def alive(kind: type) -> list[Any]:
    """All objects of a type. Only types are asked, for a mock answers `isinstance` as it likes."""
    return [one for one in gc.get_objects() if issubclass(type(one), kind)]
