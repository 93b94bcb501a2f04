"""One run, from its lease to its ending: how much it may tell, whether it is stopped, and everything that works for it.

1. The first reason to stop wins; from then on no verb tells anything, only what is open is closed.
2. Nothing here is shared between runs, and nothing is found by context: whoever works for a run holds its story.
3. `stop` and `abandon` come from any thread; everything else happens on the run's own loop.
"""

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Coroutine
from functools import partial
from typing import Any, Protocol, TypeVar
from weakref import WeakSet

from quintet.engine.attachment import Attachment, AttachmentRow, ReadAttachment
from quintet.engine.counters import Counters
from quintet.engine.limits import Limits
from quintet.engine.message import Message
from quintet.engine.outbox import Home, Outbox
from quintet.engine.threads import Threads
from quintet.events import AgentRef, Data, draft
from quintet.log import Log
from quintet.runs import Cancelled, Ending, Failed, Ids, Leased
from quintet.sources import Sources

__all__ = ["Overseer", "RunLoop", "Story", "Work"]

logger = logging.getLogger(__name__)

R = TypeVar("R")


class RunLoop(Home, Protocol):
    """The loop a run lives on, and who works on it."""

    def own(self, task: "asyncio.Task[Any]", story: "Story") -> None:
        """Note that `task`, and whatever it starts, works for `story`."""


class Overseer(Protocol):
    """Who watches over runs. Every call may come from any thread."""

    def stopped(self, story: "Story") -> None:
        """The run is being stopped: its grace begins."""

    def ended(self, story: "Story", ending: Ending) -> None:
        """Its agent has ended and everything it told is stored."""

    def fenced(self, story: "Story") -> None:
        """The run is no longer ours."""


class Work:
    """What all runs of a worker share: pools, sources, bounds."""

    __slots__ = ("counters", "limits", "log", "overseer", "read_attachment", "sources", "threads")

    def __init__(
        self,
        log: Log,
        sources: Sources,
        limits: Limits,
        counters: Counters,
        overseer: Overseer,
        read_attachment: ReadAttachment,
    ) -> None:
        self.read_attachment = read_attachment
        self.log = log
        self.sources = sources
        self.limits = limits
        self.counters = counters
        self.overseer = overseer
        self.threads = Threads(limits.threads, counters)


class Story:
    """One run that this worker has leased."""

    def __init__(
        self,
        leased: Leased,
        history: tuple[Message, ...],
        home: RunLoop,
        work: Work,
        attached: tuple[AttachmentRow, ...] = (),
    ) -> None:
        self.leased = leased
        self.history = history
        read = partial(work.read_attachment, leased.user_id)
        self.attachments = tuple(Attachment(row, partial(read, row.id)) for row in attached)
        self.home = home
        self.work = work
        self.limits = work.limits
        self.sources = work.sources
        self.started = work.sources.monotonic()
        seed = work.sources.token_bytes(
            64
        )  # once a run: each look at the system's randomness gives up the interpreter lock
        self.ids = Ids(seed[:32])
        self.ending_seed = seed[32:]
        self.stopping: Ending | None = None
        self.tasks: WeakSet[asyncio.Task[Any]] = WeakSet()
        self.root_task: asyncio.Task[Any] | None = None
        self.over = False
        self._lock = threading.Lock()
        self._waiting: set[concurrent.futures.Future[Any]] = set()
        self.calls = asyncio.Semaphore(work.limits.calls)
        self._events = 3  # message_accepted, agent_started, and the ending
        self._said = 0
        append = partial(work.log.append_nowait, leased.user_id, leased.run_id, leased.attempt)
        self.outbox = Outbox(append, home, self, work.limits, work.counters)

    # --- telling ------------------------------------------------------------------------------------------------------

    def charge(self, count: int) -> None:
        """Charge the run for `count` events that it is about to tell.

        Raises:
            asyncio.CancelledError: the run has told as much as it may and is being stopped.
        """
        self._events += count
        if self._events > self.limits.events:
            self.stop(Failed("output_limit"))
            raise asyncio.CancelledError

    def charge_text(self, text: str) -> None:
        """Charge the run for `text` it is about to say.

        Raises:
            asyncio.CancelledError: as in `charge`.
        """
        left = self.limits.said - self._said
        size = len(text)
        if size <= left and not text.isascii():
            size = len(text.encode(errors="surrogatepass"))
        if size > left:
            self.stop(Failed("output_limit"))
            raise asyncio.CancelledError
        self._said += size

    def emit(
        self, agent: AgentRef, data: Data, call_id: str | None = None, waiter: "asyncio.Future[None] | None" = None
    ) -> None:
        """Tell one event, at once. Whoever may wait has been admitted before."""
        leased = self.leased
        made = draft(
            data,
            event_id=self.ids.event(),
            time_ms=self.sources.now_ms(),
            thread_id=leased.thread_id,
            run_id=leased.run_id,
            trace_id=leased.trace_id,
            agent=agent,
        )
        self.outbox.put(made, call_id, waiter)

    # --- working ------------------------------------------------------------------------------------------------------

    def spawn(self, coroutine: Coroutine[Any, Any, R]) -> "asyncio.Task[R]":
        """Start a task that works for this run."""
        task = self.home.loop.create_task(coroutine)
        self.home.own(task, self)
        return task

    def wait(self, verb: Coroutine[Any, Any, R]) -> R:
        """Run `verb` on the run's loop and wait for it, from a plain thread.

        Raises:
            asyncio.CancelledError: the run is stopped, or its loop is lost.
        """

        async def owned() -> R:
            task = asyncio.current_task()
            assert task is not None
            self.home.own(task, self)
            return await verb

        if self._gone():
            verb.close()
            self.work.counters.add("refused")
            raise asyncio.CancelledError
        coroutine = owned()
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, self.home.loop)
        except RuntimeError:  # the loop has been closed
            coroutine.close()
            verb.close()
            raise asyncio.CancelledError from None
        self._waiting.add(future)
        if self._gone():
            future.cancel()
        try:
            return future.result(self.limits.run + 2 * self.limits.grace)
        except (concurrent.futures.CancelledError, TimeoutError) as error:
            if isinstance(error, TimeoutError) and future.done():
                raise  # the verb's own
            future.cancel()
            raise asyncio.CancelledError from None
        finally:
            self._waiting.discard(future)

    def _gone(self) -> bool:
        return self.outbox.sealed or self.over

    # --- ending -------------------------------------------------------------------------------------------------------

    def stop(self, ending: Ending) -> None:
        """Stop the run, to end as `ending`; from any thread. Only the first reason counts."""
        with self._lock:
            if self.stopping is not None:
                return
            self.stopping = ending
        self.home.post(self._cancel)
        self.work.overseer.stopped(self)

    def _cancel(self) -> None:
        if self.root_task is not None:
            self.root_task.cancel()

    def finish(self, ending: Ending) -> None:
        """The root has ended: whatever it left running is cancelled, what was told is stored, then it is over."""
        self.let_go()
        self.outbox.when_empty(partial(self.work.overseer.ended, self, ending))

    def abandon(self) -> None:
        """Leave the run's agent alone, from any thread: nothing that it still does is heard."""
        self.over = True
        self.outbox.seal()
        for future in tuple(self._waiting):
            future.cancel()
        self.home.post(self.let_go)

    def let_go(self) -> None:
        """Cancel all that still works for the run."""
        self.over = True
        for task in tuple(self.tasks):
            task.cancel()

    # --- what the outbox finds out ------------------------------------------------------------------------------------

    def cancel_was_committed(self, reason: str) -> None:
        """See `Owner`."""
        self.stop(Cancelled(reason))

    def was_fenced(self) -> None:
        """See `Owner`."""
        self.work.counters.add("fenced")
        self.let_go()
        self.work.overseer.fenced(self)

    def cannot_store(self, error: BaseException) -> None:
        """See `Owner`."""
        self.note("the log refused events of a run", error)
        self.stop(Failed("agent_error"))

    def note(self, message: str, error: BaseException | None = None, **facts: Any) -> None:
        """Write to the server's log, under the trace of the run."""
        extra = {"trace_id": self.leased.trace_id, "run_id": self.leased.run_id, "agent": self.leased.agent, **facts}
        logger.warning(message, exc_info=error, extra=extra)
