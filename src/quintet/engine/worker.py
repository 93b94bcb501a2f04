"""A worker: leases runs that are ready, starts each on an agents' loop, hears of cancels, and drains.

1. A wake-up says "look again"; it may be lost, so it looks every second anyway. At most one lease is asked for at a time.
2. No more runs than places: what is not leased waits in the database, not here.
3. Draining leases nothing more, waits for what runs, then ends the rest as `shutdown`.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from quintet import runs
from quintet.engine.attachment import AttachmentRow
from quintet.engine.counters import Counters
from quintet.engine.files import attached, reading
from quintet.engine.history import histories
from quintet.engine.invocation import begin
from quintet.engine.limits import Limits
from quintet.engine.lookout import Lookout
from quintet.engine.message import Message
from quintet.engine.pulse import BEATS, Pulse
from quintet.engine.registry import Registry
from quintet.engine.story import Story, Work
from quintet.engine.watch import Watch
from quintet.errors import QuintetError
from quintet.log import Log
from quintet.periodic import Periodic
from quintet.runs import Cancelled, Failed, Leased
from quintet.sources import Sources
from quintet.store import Store

__all__ = ["Worker"]

logger = logging.getLogger(__name__)

_CANCEL_PAUSE = 0.02  # seconds between two looks for cancels, however many wake-ups there are
_SWITCH = (
    0.001  # seconds: beside an agent that spins, a run of ten events takes 39 ms (p95 115) instead of 95 (p95 900)
)
_SKIPPED = 0.03  # seconds before a second look, where other transactions may hold a run for a moment
_AFTER_REFUSAL = 0.25  # seconds to wait when the store refuses
_READ_AGAIN = (0.1, 0.4, 1.0)  # seconds before each other try; runs that are leased fail if nothing can be read


class Worker:
    """Runs the agents of `registry`. `start` and `drain` are called from any event loop; everything else happens on the watch's thread."""

    def __init__(
        self,
        store: Store,
        log: Log,
        registry: Registry,
        *,
        sources: Sources | None = None,
        limits: Limits | None = None,
        worker_id: str | None = None,
    ) -> None:
        self._store = store
        self._registry = registry
        self._sources = sources or Sources()
        self._limits = limits or Limits()
        self.worker_id = worker_id or self._sources.new_id("wrk")
        self.counters = Counters()
        self._watch = Watch(store, self._sources, self._limits, self.counters)
        self._work = Work(log, self._sources, self._limits, self.counters, self._watch, reading(store))
        self._look = asyncio.Event()
        self._look_for_cancels = asyncio.Event()
        self._empty = asyncio.Event()
        self._draining = False
        self._switch = sys.getswitchinterval()
        self._tasks: list[asyncio.Task[None]] = []
        self._deaf: list[Callable[[], None]] = []
        self._some_deleted = False
        self._looking_again = False
        self._pulse: Pulse | None = None
        self._beating: Periodic | None = None

    @property
    def running(self) -> int:
        """How many runs this worker holds."""
        return len(self._watch.live)

    async def start(self) -> None:
        """Announce the agents and begin to lease.

        Raises:
            QuintetError: the store cannot.
        """
        sys.setswitchinterval(min(_SWITCH, self._switch))
        self._watch.start()
        await self._over_there(self._open())

    async def drain(self, timeout: float | None = None) -> None:
        """Lease nothing more, wait for running runs for `timeout` seconds (60), end the rest as `shutdown`, then stop."""
        await self._over_there(self._empty_out(self._limits.drain if timeout is None else timeout))
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._watch.loops.close)
        await loop.run_in_executor(None, self._watch.stop)
        sys.setswitchinterval(self._switch)

    async def _over_there(self, coroutine: Coroutine[Any, Any, None]) -> None:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self._watch.loop))

    async def _open(self) -> None:
        names, types = self._registry.descriptions(), self._registry.accepted()
        announce = partial(runs.announce, worker_id=self.worker_id, descriptions=names, accepted=types)
        self._pulse = Pulse(self._store, self._sources, self.worker_id, self._limits.life, announce, self._cut_off)
        await self._pulse.begin()
        self._watch.freed = self._freed
        listen = self._store.wakes.listen
        self._deaf = [
            listen("work", self._wake),
            listen("deleted", self._wake_for_deleted),
            listen(
                "renewed", partial(self._watch.post, self._cut_off)
            ),  # the database may lack what these runs have done
        ]
        lookout = Lookout(self._watch, self._limits, self.counters)
        loop = self._watch.loop
        self._tasks = [loop.create_task(it) for it in (self._lease(), self._hear_cancels(), lookout.run())]
        if self._store.shared:
            self._beating = Periodic("beating", self._pulse.look, self._limits.life / BEATS, at_once=False)
            self._beating.start()
        self._wake_up()

    def _cut_off(self) -> None:
        """Taken for dead: others end these runs, so nothing more is done for them here."""
        for live in tuple(self._watch.live.values()):
            live.story.stop(Failed("worker_lost"))

    # --- waking -------------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        """In the committing thread."""
        self._watch.post(self._wake_up)

    def _wake_for_deleted(self) -> None:
        """In the committing thread."""
        self._some_deleted = True
        self._wake()

    def _wake_up(self) -> None:
        self._look.set()
        if self._watch.live:
            self._look_for_cancels.set()

    def _freed(self) -> None:
        self._look.set()
        if not self._watch.live:
            self._empty.set()

    async def _woken(self, event: asyncio.Event) -> bool:
        """Wait to be woken; False when it was only time to look anyway."""
        woken = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limits.poll):
                woken = await event.wait()
        event.clear()
        return woken

    # --- leasing ------------------------------------------------------------------------------------------------------

    async def _lease(self) -> None:
        while not self._draining:
            woken = await self._woken(self._look)
            held = self.running
            try:
                while await self._lease_some():
                    pass
                if woken and self._store.shared and self.running == held:
                    self._look_again()
            except QuintetError:
                await asyncio.sleep(_AFTER_REFUSAL)
            except Exception:
                logger.exception("leasing failed")
                await asyncio.sleep(_AFTER_REFUSAL)

    def _look_again(self) -> None:
        """Once, soon: a run whose user was being written for at that moment was passed over."""
        if not self._looking_again:
            self._watch.loop.call_later(_SKIPPED, self._look.set)
        self._looking_again = not self._looking_again

    async def _lease_some(self) -> bool:
        """Lease what there is a place for. True when there may be more."""
        places = self._limits.runs - len(self._watch.live)
        if places <= 0 or self._draining or self._watch.loops.pick() is None:
            return False
        now = runs.moment(self._sources)
        step = partial(runs.lease, worker_id=self.worker_id, limit=places, moment=now)
        leased = await self._store.write(self.worker_id, step)
        if not leased:
            return False
        for run, (history, files) in zip(leased, await self._before(leased), strict=True):
            self._start(run, history, files)
        return len(leased) == places

    async def _before(self, leased: list[Leased]) -> list[tuple[tuple[Message, ...] | None, tuple[AttachmentRow, ...]]]:
        """What was said in the thread before, and the files of the message; None for what could not be read."""
        read_attachment = self._work.read_attachment
        for rest in (*_READ_AGAIN, None):
            try:
                return await self._store.read(
                    lambda tx: list(zip(histories(tx, leased, read_attachment), attached(tx, leased), strict=True))
                )
            except Exception as fault:
                if rest is None or not isinstance(fault, QuintetError):
                    logger.exception("reading what was said before failed")
                    break
                await asyncio.sleep(rest)
        return [(None, ())] * len(leased)

    def _start(self, run: Leased, history: tuple[Message, ...] | None, files: tuple[AttachmentRow, ...]) -> None:
        spec = self._registry.get(run.agent)
        home = self._watch.loops.pick() or self._watch.loops.all[0]
        story = Story(run, history or (), home, self._work, files)
        self._watch.begin(story, home, spec.timeout if spec is not None else None)
        if spec is None or history is None:
            story.note("a run could not be started: its agent is not known here, or its thread could not be read")
            self._watch.ended(story, Failed("agent_error" if spec is None else "unavailable"))
        else:
            home.post(partial(begin, story, spec))

    # --- cancels ------------------------------------------------------------------------------------------------------

    async def _hear_cancels(self) -> None:
        while True:
            woken = await self._woken(self._look_for_cancels)
            if not self._watch.live:
                continue
            try:
                await self._stop_some(self._some_deleted or not woken)
            except QuintetError:
                await asyncio.sleep(_AFTER_REFUSAL)
            except Exception:
                logger.exception("looking for cancels failed")
                await asyncio.sleep(_AFTER_REFUSAL)
            await asyncio.sleep(_CANCEL_PAUSE)

    async def _stop_some(self, look_for_deleted: bool) -> None:
        """Stop what was cancelled, and what was deleted together with its thread."""
        self._some_deleted = False
        held = [(live.story.leased.user_id, run_id) for run_id, live in self._watch.live.items()]
        found = await self._store.read(partial(runs.cancelled, worker_id=self.worker_id))
        stops = {run_id: reason for _, run_id, reason in found}
        if look_for_deleted:
            stops |= dict.fromkeys(await self._store.read(partial(runs.deleted, held=held)), "user")
        for run_id, reason in stops.items():
            live = self._watch.live.get(run_id)
            if live is not None:
                live.story.stop(Cancelled(reason))

    # --- draining -----------------------------------------------------------------------------------------------------

    async def _empty_out(self, timeout: float) -> None:
        self._draining = True
        for stop_listening in self._deaf:
            stop_listening()
        self._look.set()
        await asyncio.wait(self._tasks[:1], timeout=self._limits.grace)  # what is being leased now is ours to run
        await self._wait_until_empty(timeout)
        for live in tuple(self._watch.live.values()):
            live.story.stop(Cancelled("shutdown"))
        await self._wait_until_empty(self._limits.grace + self._limits.late_ending)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._beating is not None:
            await self._beating.close()
        if self._pulse is not None:
            with contextlib.suppress(QuintetError):
                await self._pulse.end()

    async def _wait_until_empty(self, timeout: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while self._watch.live:
                    self._empty.clear()
                    await self._empty.wait()
