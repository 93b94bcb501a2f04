"""The watch: a thread of its own, on which no agent ever runs, that keeps every run's time and sees every run end.

1. A stopped run has its grace, then it is abandoned; the ending is written from here, whatever its loop does.
2. Exactly one ending: decided here by one flag on one thread, and in the database by the fence.
3. A store that refuses an ending is asked again for as long as this process lives; then the next start ends the run.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from quintet.engine.counters import Counters
from quintet.engine.limits import Limits
from quintet.engine.loops import AgentLoop, Loops
from quintet.engine.story import Story
from quintet.errors import QuintetError
from quintet.log import Fenced
from quintet.runs import Cancelled, Completed, Ending, Failed, Moment, close
from quintet.sources import Sources
from quintet.store import Store

__all__ = ["Live", "Watch"]

logger = logging.getLogger(__name__)

_FIRST_DELAY = 0.05
_LAST_DELAY = 2.0


class Live:
    """A run that this worker holds, until its ending is durable."""

    __slots__ = ("closing", "ending", "home", "late", "since", "story", "timer", "tries")

    def __init__(self, story: Story, home: AgentLoop) -> None:
        self.story = story
        self.home = home
        self.timer: asyncio.TimerHandle | None = None
        self.closing = False
        self.late = False
        self.ending: Ending = Failed("worker_lost")
        self.since = 0.0
        self.tries = 0


class Watch:
    """Keeps the runs of one worker. Its methods belong to its own thread, but for those of `Overseer` and `post`."""

    def __init__(self, store: Store, sources: Sources, limits: Limits, counters: Counters) -> None:
        self._store = store
        self._sources = sources
        self._limits = limits
        self._counters = counters
        self._mail: deque[Callable[[], Any]] = deque()
        self._told = False
        self.loop = asyncio.new_event_loop()
        self.loops = Loops(limits, sources.monotonic)
        self.live: dict[str, Live] = {}
        self.freed: Callable[[], None] = lambda: None  # told whenever a run has ended
        self.busy = asyncio.Event()  # set while there are runs
        self._thread = threading.Thread(target=self._run, name="quintet-watch", daemon=True)

    # --- its thread ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; from another one."""
        self.post(self.loop.stop)
        self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    def post(self, call: Callable[[], Any]) -> None:
        """Call it on the watch's thread; from any."""
        self._mail.append(call)
        if not self._told:
            self._told = True
            try:
                self.loop.call_soon_threadsafe(self._open_mail)
            except RuntimeError:  # it has ended, and with it all that could be said to it
                self._mail.clear()

    def _open_mail(self) -> None:
        self._told = False
        while self._mail:
            call = self._mail.popleft()
            try:
                call()
            except Exception:
                logger.exception("a call of the watch failed")

    # --- a run's time -------------------------------------------------------------------------------------------------

    def begin(self, story: Story, home: AgentLoop, timeout: float | None) -> None:
        """Watch over a run that starts now and has `timeout` seconds."""
        live = Live(story, home)
        self.live[story.leased.run_id] = live
        home.stories.add(story)
        self.busy.set()
        seconds = self._limits.run if timeout is None else min(timeout, self._limits.run)
        live.timer = self.loop.call_later(seconds, self._out_of_time, live)

    def _out_of_time(self, live: Live) -> None:
        failing = live.story.outbox.failing
        live.story.stop(Failed("unavailable") if failing else Cancelled("timeout"))

    def stopped(self, story: Story) -> None:
        """See `Overseer`."""
        self.post(partial(self._start_grace, story))

    def _start_grace(self, story: Story) -> None:
        live = self._live(story)
        if live is None or live.closing:
            return
        if live.timer is not None:
            live.timer.cancel()
        live.timer = self.loop.call_later(self._limits.grace, self._abandon, live)

    def _abandon(self, live: Live) -> None:
        if live.closing:
            return
        if live.story.over:
            live.story.note("what an agent told could not be stored in time")
        else:
            self._counters.add("abandoned")
            live.story.note("an agent did not end when it was told to, and is left alone")
            live.home.tainted = True
        live.story.abandon()
        self._close(live, live.story.stopping or Failed("agent_error"))

    def _live(self, story: Story) -> Live | None:
        live = self.live.get(story.leased.run_id)
        return live if live is not None and live.story is story else None

    # --- a run's ending -----------------------------------------------------------------------------------------------

    def ended(self, story: Story, ending: Ending) -> None:
        """See `Overseer`."""
        self.post(partial(self._ended, story, ending))

    def _ended(self, story: Story, ending: Ending) -> None:
        live = self._live(story)
        if live is not None and not live.closing:
            self._close(live, story.stopping or ending)

    def fenced(self, story: Story) -> None:
        """See `Overseer`."""
        self.post(partial(self._fenced, story))

    def _fenced(self, story: Story) -> None:
        live = self._live(story)
        if live is not None and not live.closing:
            live.closing = True
            self._free(live)

    def _close(self, live: Live, ending: Ending) -> None:
        live.closing = True
        live.ending = ending
        live.since = self.loop.time()
        self._try_to_close(live)

    def _try_to_close(self, live: Live) -> None:
        run = live.story.leased
        lasted = round((self._sources.monotonic() - live.story.started) * 1000)
        step = partial(
            close,
            user_id=run.user_id,
            run_id=run.run_id,
            attempt=run.attempt,
            ending=live.ending,
            moment=Moment(self._sources.now_ms(), live.story.ending_seed),
            duration_ms=lasted,
            most_running=self._limits.per_user,
        )
        try:
            future = self._store.submit(run.user_id, step)
        except Exception as error:
            self._closed(live, error)
            return
        future.add_done_callback(lambda done: self.post(partial(self._closed, live, _error_of(done))))

    def _closed(self, live: Live, error: BaseException | None) -> None:
        if error is None:
            self._free(live)
        elif isinstance(error, Fenced):
            self._counters.add("fenced")
            self._free(live)
        elif isinstance(error, QuintetError):
            self._close_later(live)
        elif isinstance(live.ending, Completed):
            live.story.note("an ending could not be written as it was", error)
            live.ending = Failed("agent_error")
            self._try_to_close(live)
        else:
            live.story.note("an ending could not be written", error)
            self._close_later(live)

    def _close_later(self, live: Live) -> None:
        """Its place stays taken: while no ending can be stored, no lease can either."""
        if not live.late and self.loop.time() - live.since > self._limits.late_ending:
            live.late = True
            self._counters.add("unclosed")
            live.story.note("the store has refused an ending for long; it is tried on")
        live.tries += 1
        self.loop.call_later(min(_LAST_DELAY, _FIRST_DELAY * 2 ** min(live.tries, 10)), self._try_to_close, live)

    def _free(self, live: Live) -> None:
        if live.timer is not None:
            live.timer.cancel()
        live.story.over = True
        self.live.pop(live.story.leased.run_id, None)
        self.loops.free(live.home, live.story)
        if not self.live:
            self.busy.clear()
        self.freed()

    def lose(self, home: AgentLoop, culprit: Story | None) -> None:
        """Give up a loop that does not turn: its runs end, the one that holds it by its own fault."""
        for live in [live for live in self.live.values() if live.home is home and not live.closing]:
            live.story.stop(Failed("agent_error" if live.story is culprit else "worker_lost"))
            self._abandon(live)
        self.loops.abandon(home)


def _error_of(done: "Future[str]") -> BaseException | None:
    return done.exception()
