"""One thread that watches one phase of one test at a time, and ends it when its time is over.

- Its report is made first, while everything still stands where it hangs.
- It ends a phase in steps, each stronger than the one before: cancel the task (a fixture's task gets the exception laid into what it waits
  for, as does anyio's), then the same for every task that has swallowed its cancellation, then a signal whose handler raises in the main
  thread. A loop that is blocked, and a test without one, get the signal at once.
- Nothing is done to a phase that has ended: every step asks first, inside the loop or in the main thread, where endings happen.
- A phase in which a debugger is attached has all the time it wants.
"""

import os
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

from quintet.testing.hang import debuggers, report, tasks
from quintet.testing.hang.interrupting import Interruption

__all__ = ["Guard", "Hang", "Watch"]

# Seconds after the limit. The whole must fit into two.
_ENOUGH: Final = 0.2
_AGAIN: Final = (0.5, 0.9)
_SIGNALS: Final = (1.2, 1.4, 1.6)
_MOST_RETRIES: Final = 3_600  # of a signal each second, where a call in C does not let go


class Hang(pytest.fail.Exception):  # type: ignore[name-defined, misc]
    """A phase was ended because its time was over; the text is the whole report."""

    __module__ = "builtins"  # as pytest's own outcomes do, for a short name in reports

    def __init__(self, text: str = "") -> None:
        super().__init__(text, pytrace=False)


class Watch:
    """One phase of one test."""

    def __init__(self, test: str, phase: str, limit: float) -> None:
        self.test = test
        self.phase = phase
        self.limit = limit
        self.deadline = time.monotonic() + limit
        self.over = threading.Event()
        self.text = ""
        self.ended_by: list[str] = []

    @property
    def brief(self) -> str:
        """Its first line, for exceptions that end in other reports and logs."""
        return self.text.partition("\n")[0]

    @property
    def story(self) -> str:
        """The report, and how the phase was ended."""
        return f"{self.text}\n\nended by: {', then '.join(self.ended_by)}"


class Guard:
    """Watches phases until `close`. `tell` is a descriptor for what cannot wait for pytest's own report."""

    def __init__(self, root: Path, tell: int) -> None:
        self._root = root
        self._tell = tell
        self._changed = threading.Condition()
        self._watch: Watch | None = None
        self._wakes = 0.0
        self._closed = False
        self._thread: threading.Thread | None = None
        self._interruption = Interruption(self._fault)

    def begin(self, test: str, phase: str, limit: float) -> Watch:
        """From now on this phase has `limit` seconds. Called by the thread that runs the tests."""
        watch = Watch(test, phase, limit)
        self._interruption.begin()
        with self._changed:
            self._watch = watch
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="quintet hang guard", daemon=True)
                self._thread.start()
            elif self._wakes > watch.deadline:
                self._changed.notify()
        return watch

    def end(self, watch: Watch) -> bool:
        """The phase is over; whether it was ended from here."""
        watch.over.set()
        self._interruption.end()
        with self._changed:
            if self._watch is watch:
                self._watch = None
            if watch.text:
                self._changed.notify()
        return bool(watch.ended_by)

    def pause(self) -> None:
        """The phase that runs now has all the time it wants."""
        with self._changed:
            if self._watch is not None:
                self._watch.deadline = float("inf")

    def close(self) -> None:
        """No more phases."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(2.0)
        os.close(self._tell)

    def _run(self) -> None:
        while True:
            with self._changed:
                watch = self._watch
                left = (
                    watch.deadline - time.monotonic() if watch is not None and not watch.text else threading.TIMEOUT_MAX
                )
                if self._closed:
                    return
                if left > 0:
                    self._wakes = time.monotonic() + left
                    self._changed.wait(min(left, threading.TIMEOUT_MAX))
                    continue
            if watch is not None:
                self._expired(watch)

    def _expired(self, watch: Watch) -> None:
        if debuggers.attached():
            self.pause()
            return
        started = time.monotonic()
        found = tasks.loops()
        frame = tasks.main_frame()
        watch.text = self._report(watch, found, frame)
        main = next((one for one in found if one.in_main), None)
        waited = main.root(frame) if main is not None else None
        del frame
        if main is None or not main.answers:
            self._interrupt(watch)
            watch.over.wait(_ENOUGH)  # what stands in the loop after that is not what hung
        if main is not None and not watch.over.is_set():
            self._let_go(watch, main.loop, waited, started)
        for moment in _SIGNALS:
            if watch.over.wait(max(0.0, started + moment - time.monotonic())):
                return
            self._interrupt(watch)
        if not watch.over.wait(0.2):
            self._give_up(watch)

    def _report(self, watch: Watch, found: list[tasks.Loop], frame: FrameType | None) -> str:
        try:
            return report.text(watch.test, watch.phase, watch.limit, self._root, found, frame)
        except Exception:  # whatever a foreign object does to it, the phase must end
            fault = traceback.format_exc()
            return f"{watch.phase} of {watch.test} had not ended after {watch.limit:g} s; the report itself failed:\n{fault}"

    def _let_go(self, watch: Watch, loop: Any, waited: tasks.Waiting | None, started: float) -> None:
        mine = [] if waited is None else [waited.task]
        if watch.phase == "call" and waited is not None and not waited.lives_on:
            self._inside(watch, loop, "cancelling the task that pytest waited for", lambda: tasks.cancel(mine))
        else:
            self._inside(
                watch,
                loop,
                "an exception in what the task waited for",
                lambda: tasks.raise_into(mine, Hang(watch.brief)),
            )
        for moment in _AGAIN:
            if watch.over.wait(max(0.0, started + moment - time.monotonic())):
                return
            self._inside(
                watch,
                loop,
                "an exception into tasks that swallow cancellation",
                lambda: tasks.raise_into([*mine, *tasks.stubborn(loop)], Hang(watch.brief)),
            )

    def _inside(self, watch: Watch, loop: Any, words: str, action: Callable[[], None]) -> None:
        def act() -> None:
            if not watch.over.is_set():
                self._note(watch, words)
                action()

        with suppress(RuntimeError):  # closed meanwhile
            loop.call_soon_threadsafe(act)

    def _interrupt(self, watch: Watch) -> None:
        if not watch.over.is_set():
            self._interruption.now()

    def _fault(self) -> BaseException | None:
        """What the interruption raises, asked in the thread that it interrupts."""
        watch = self._watch
        if watch is None or watch.over.is_set() or not watch.text:
            return None
        self._note(watch, "an exception in the main thread")
        return Hang(watch.story)

    @staticmethod
    def _note(watch: Watch, words: str) -> None:
        if words not in watch.ended_by:
            watch.ended_by.append(words)

    def _give_up(self, watch: Watch) -> None:
        words = "\n\nit could not be ended: it is inside a call in C that nothing interrupts, or takes every exception for its own\n"
        with suppress(OSError):
            os.write(self._tell, f"\n{watch.text}{words}".encode(errors="replace"))
        for _ in range(_MOST_RETRIES):
            if watch.over.wait(1.0):
                return
            self._interrupt(watch)
