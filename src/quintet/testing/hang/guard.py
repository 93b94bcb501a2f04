"""One thread that watches one phase of one test at a time, and ends it when its time is over.

- Its report is made first, while everything still stands where it hangs.
- It ends a phase in ways each stronger than the one before: first those of the loop that the main thread runs (`Loop.ways`), then a signal
  whose handler raises in the main thread. A loop that is blocked, and a test without one, get the signal at once.
- A call in C that holds the interpreter's lock stops this thread too: then an `Alarm` rings, or the phase fails when it is over.
- Nothing is done to a phase that has ended: every step asks first, inside the loop or in the main thread, where endings happen.
- A phase in which a debugger is attached has all the time it wants.
"""

import functools
import os
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Final

import pytest

from quintet.testing.hang import debuggers, loops, report
from quintet.testing.hang.alarm import Alarm
from quintet.testing.hang.interrupting import Interruption
from quintet.testing.hang.running import main_frame, running

__all__ = ["Guard", "Hang", "Watch"]

# Seconds after the limit, as those of the loops' own ways. The whole must fit into two.
_SIGNALS: Final = (1.3, 1.5, 1.7)
_ENOUGH: Final = 0.2
_RINGS: Final = 0.5  # behind which an alarm counts: this object's own thread, where it can run, has acted
_UNSEEN: Final = 2.0  # a phase that took so much longer than it may, unseen
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
        return f"{self.text}\n\nended by: {', then '.join(self.ended_by)}" if self.ended_by else self.text


class Guard:
    """Watches phases until `close`. `tell` is a descriptor for what cannot wait for pytest's own report.

    Where the project has `faulthandler` watch by itself, `stacks` is false.
    """

    def __init__(self, root: Path, tell: int, *, stacks: bool = True) -> None:
        self._root = root
        self._tell = tell
        self._changed = threading.Condition()
        self._watch: Watch | None = None
        self._wakes = 0.0
        self._closed = False
        self._thread: threading.Thread | None = None
        self._interruption = Interruption(self._fault)
        self._alarm = Alarm(self._rung, tell if stacks else None)

    def begin(self, test: str, phase: str, limit: float) -> Watch:
        """From now on this phase has `limit` seconds. Called by the thread that runs the tests."""
        watch = Watch(test, phase, float("inf") if debuggers.attached(None) else limit)
        self._interruption.begin()
        self._alarm.begin(watch.deadline - time.monotonic())
        with self._changed:
            self._watch = watch
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="quintet hang guard", daemon=True)
                self._thread.start()
            elif self._wakes > watch.deadline:
                self._changed.notify()
        return watch

    def end(self, watch: Watch) -> bool:
        """The phase is over; whether it was ended from here, or should have been."""
        watch.over.set()
        self._alarm.end()
        self._interruption.end()
        with self._changed:
            if self._watch is watch:
                self._watch = None
            if watch.text:
                self._changed.notify()
        late = time.monotonic() - watch.deadline
        if not watch.text and late > _UNSEEN:
            took = f"{watch.phase} of {watch.test} took {watch.limit + late:.1f} s, of {watch.limit:g} s that it may"
            watch.text = f"{took}: a call in C held the interpreter's lock, so nothing could look or end it"
            return True
        return bool(watch.ended_by)

    def pause(self) -> None:
        """The phase that runs now has all the time it wants."""
        with self._changed:
            if self._watch is not None:
                self._watch.deadline = float("inf")
        self._alarm.end()

    def close(self) -> None:
        """No more phases."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(2.0)
        self._alarm.close()
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
        started = time.monotonic()
        frame = main_frame()
        if debuggers.attached(frame):
            self.pause()
            return
        found = running()
        main = next((one for one in found if one.in_main), None)
        waited = main.root(frame) if main is not None else None
        watch.text = self._report(watch, found, waited, frame)
        del frame
        if main is None or not main.answers:
            self._interrupt(watch)
            watch.over.wait(_ENOUGH)  # what stands in the loop after that is not what hung
        if main is not None:
            for way in main.ways(waited, watch.phase, Hang(watch.brief)):
                if watch.over.wait(max(0.0, started + way.after - time.monotonic())):
                    return
                main.post(functools.partial(self._take, watch, way))
        for moment in _SIGNALS:
            if watch.over.wait(max(0.0, started + moment - time.monotonic())):
                return
            self._interrupt(watch)
        if not watch.over.wait(_ENOUGH):
            self._give_up(watch)

    def _report(
        self, watch: Watch, found: list[loops.Loop], waited: loops.Waiting | None, frame: FrameType | None
    ) -> str:
        ended = f"{watch.phase} of {watch.test} had not ended after {watch.limit:g} s"
        try:
            return report.text(ended, self._root, found, waited, frame)
        except Exception:  # whatever a foreign object does to it, the phase must end
            return f"{ended}; the report itself failed:\n{traceback.format_exc()}"

    def _take(self, watch: Watch, way: loops.Way) -> None:
        """Runs inside the loop."""
        if not watch.over.is_set():
            self._note(watch, way.words)
            way.act()

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

    def _rung(self, frame: FrameType | None) -> None:
        """In the main thread, while this object's own thread cannot run."""
        __tracebackhide__ = True
        watch = self._watch
        if watch is None or watch.over.is_set() or watch.text or time.monotonic() < watch.deadline + _RINGS:
            return
        if debuggers.attached(frame):
            self.pause()
            return
        watch.text = self._report(watch, [], None, frame)
        self._note(watch, "an exception in the main thread")
        raise Hang(watch.story)

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
