"""The event loops on which agents run, each in a daemon thread of its own, never the loop of the sockets.

1. A run goes to a loop that turns: an idle one, else a new one, else the least loaded. An agent that blocks takes along only who shares its loop.
2. Every task knows for whom it works, so a loop that does not turn has a culprit with a name.
3. An interrupted loop goes on; an abandoned one ends by itself when it comes back.
"""

import asyncio
import ctypes
import logging
import sys
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

from quintet.engine.failures import LoopHeld
from quintet.engine.limits import Limits
from quintet.engine.story import Story

__all__ = ["AgentLoop", "Loops"]

logger = logging.getLogger(__name__)

_JOIN = 2.0  # seconds a stopping loop has to clean up


class _Task(asyncio.Task[Any]):
    """A task that knows for whom it works."""

    story: Story | None = None


class AgentLoop:
    """One loop and its thread. `post`, `ask`, `late` and `holder` may be used from any thread."""

    def __init__(self, number: int, clock: Callable[[], float]) -> None:
        self.loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        self.loop.set_task_factory(self._make_task)  # type: ignore[arg-type]
        self.loop.set_exception_handler(self._note)
        self.stories: set[Story] = set()  # touched by the watch alone
        self.tainted = False  # something abandoned still lives here
        self.abandoned = False
        self._ending = False
        self._clock = clock
        self._asked: float | None = None
        self._mail: deque[Callable[[], None]] = deque()
        self._told = False
        self._thread = threading.Thread(target=self._run, name=f"quintet-agents-{number}", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Its thread still runs."""
        return self._thread.is_alive()

    def post(self, call: Callable[[], None]) -> None:
        """Call it on the loop. What is posted before the loop wakes costs one wake-up together."""
        self._mail.append(call)
        if not self._told:
            self._told = True
            try:
                self.loop.call_soon_threadsafe(self._open_mail)
            except RuntimeError:  # closed: nobody is there to be told
                self._mail.clear()

    def _open_mail(self) -> None:
        self._told = False
        mail = self._mail
        while mail:
            call = mail.popleft()
            try:
                call()
            except Exception:
                logger.exception("a call on an agents' loop failed")

    def own(self, task: "asyncio.Task[Any]", story: Story) -> None:
        """See `RunLoop`."""
        if isinstance(task, _Task):
            task.story = story
        story.tasks.add(task)

    def _make_task(
        self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any
    ) -> "asyncio.Task[Any]":
        task = _Task(coroutine, loop=loop, **options)
        starter = asyncio.current_task(loop)
        if isinstance(starter, _Task) and starter.story is not None:
            self.own(task, starter.story)
        return task

    def ask(self) -> None:
        """Ask for a sign of life, unless the last question is still open."""
        if self._asked is None:
            self._asked = self._clock()
            self.post(self._turned)

    def _turned(self) -> None:
        self._asked = None

    @property
    def late(self) -> float:
        """Seconds for which the last question has been open."""
        asked = self._asked
        return 0.0 if asked is None else self._clock() - asked

    def forgive(self) -> None:
        """Forget the open question: whoever asked was asleep."""
        self._asked = None

    def holder(self) -> Story | None:
        """The run whose task is at work at this moment."""
        task = asyncio.current_task(self.loop)
        return task.story if isinstance(task, _Task) else None

    def where(self) -> str:
        """The line at which the thread stands."""
        frame = sys._current_frames().get(self._thread.ident or 0)
        return "?" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"

    def interrupt(self) -> None:
        """Throw `LoopHeld` into whatever runs on the loop now. Code that waits in C gets it when it comes back."""
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread.ident or 0), ctypes.py_object(LoopHeld))

    def stop(self) -> None:
        """End the loop once it turns."""
        self.abandoned = True
        self.post(self._leave)

    def _leave(self) -> None:
        if not self._ending:  # else it would break off the cleaning up
            self.loop.stop()

    def join(self, timeout: float) -> None:
        """Wait for the thread, `timeout` seconds at most."""
        self._thread.join(timeout)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        while not self.abandoned:
            self._turn(self.loop.run_forever)
        self._turn(self._end)
        self._turn(self.loop.close)

    def _turn(self, step: Callable[[], None]) -> None:
        try:
            step()
        except BaseException as error:  # SystemExit of a task an agent started, or an interruption that came late
            logger.warning("an agents' loop was interrupted and goes on", exc_info=error)

    def _end(self) -> None:
        self._ending = True
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.wait(tasks, timeout=_JOIN))
        for task in asyncio.all_tasks(self.loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # it was told to end, and counted
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())

    def _note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        logger.warning("on an agents' loop: %s", context.get("message"), exc_info=context.get("exception"))


class Loops:
    """The loops of a worker. Used by the watch alone."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._made = 0
        self._lost: list[AgentLoop] = []
        self.all: list[AgentLoop] = []

    def pick(self) -> AgentLoop | None:
        """The loop for one more run; None when none turns and no other may be made."""
        turning = [home for home in self.all if home.late <= self._limits.lag and not home.tainted]
        best = min(turning, key=lambda home: len(home.stories), default=None)
        if best is not None and (not best.stories or len(self.all) >= self._limits.loops):
            return best
        self._lost = [home for home in self._lost if home.alive]
        if len(self.all) + len(self._lost) < self._limits.loops_cap:
            return self._make()
        return best

    def _make(self) -> AgentLoop:
        self._made += 1
        home = AgentLoop(self._made, self._clock)
        self.all.append(home)
        return home

    def free(self, home: AgentLoop, story: Story) -> None:
        """A run has left. A loop on which something abandoned lives on is ended with its last run."""
        home.stories.discard(story)
        if home.tainted and not home.stories and not home.abandoned:
            self.abandon(home)

    def abandon(self, home: AgentLoop) -> None:
        """Never use `home` again; it ends when it turns."""
        home.stop()
        if home in self.all:
            self.all.remove(home)
            self._lost.append(home)

    def close(self) -> None:
        """End all loops. Blocks for some seconds at most; those that do not turn are left to the end of the process."""
        homes = [*self.all, *self._lost]
        for home in homes:
            home.stop()
        for home in homes:
            if home.late <= self._limits.lag:
                home.join(_JOIN + 1)
