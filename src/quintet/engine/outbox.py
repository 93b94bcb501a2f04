"""What one run has said and the log has not stored yet.

1. In order, at most one append in flight; what gathers meanwhile goes as one batch. No task, no future per event.
   What has landed is noted, and the next batch sent, by the committing thread: waking the run's loop for it would cost more than the event.
2. Bounded: whoever emits waits for room first. What closes something never waits, it is bounded by what is open.
3. A refusal of the store is tried again, the same events first. A fence ends it: nothing after the run ended.
4. A cancel takes the `tool_executing`s back, with the rest of their calls; everything else is still stored.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Protocol

import msgspec

from quintet.engine.counters import Counters
from quintet.engine.limits import Limits
from quintet.errors import QuintetError
from quintet.events import Draft
from quintet.log import Fenced, Stopped

__all__ = ["Home", "Outbox", "Owner"]

_FIRST_DELAY = 0.05
_LAST_DELAY = 1.0


class Home(Protocol):
    """The event loop that a run lives on."""

    loop: asyncio.AbstractEventLoop

    def post(self, call: Callable[[], None]) -> None:
        """Call it on the loop; from any thread."""


class Owner(Protocol):
    """Who is told what became of the run."""

    def cancel_was_committed(self, reason: str) -> None:
        """An append was refused because of a cancel."""

    def was_fenced(self) -> None:
        """The run is no longer ours."""

    def cannot_store(self, error: BaseException) -> None:
        """The log refuses these events for good."""


class _Entry(msgspec.Struct, frozen=True):
    draft: Draft
    call_id: str | None
    waiter: "asyncio.Future[None] | None"


class Outbox:
    """One run's. Used on the run's own loop only, but for `seal`. The lock guards against the committing thread."""

    def __init__(
        self,
        append: Callable[[Sequence[Draft]], "Future[None]"],
        home: Home,
        owner: Owner,
        limits: Limits,
        counters: Counters,
    ) -> None:
        self._append = append
        self._home = home
        self._owner = owner
        self._limits = limits
        self._counters = counters
        self._queue: deque[_Entry] = deque()
        self._flight: list[_Entry] = []
        self._size = 0
        self._taken_back: set[str] = set()
        self._waiting: list[asyncio.Future[None]] = []
        self._then: Callable[[], None] | None = None
        self._delay = 0.0
        self._resting = False  # until the next try
        self._lock = threading.Lock()
        self.sealed = False

    @property
    def failing(self) -> bool:
        """The store refuses at the moment."""
        return self._delay > 0

    def room(self) -> "asyncio.Future[None] | None":
        """None when one more event fits; otherwise what to await before asking again."""
        with self._lock:
            if self.sealed or not self._full():
                return None
            waiter: asyncio.Future[None] = self._home.loop.create_future()
            self._waiting.append(waiter)
            return waiter

    def _full(self) -> bool:
        return len(self._queue) + len(self._flight) >= self._limits.outbox or self._size >= self._limits.outbox_bytes

    def put(self, draft: Draft, call_id: str | None = None, waiter: "asyncio.Future[None] | None" = None) -> None:
        """Queue an event of the call `call_id`. `waiter` is done when it is durable, cancelled when it will never be."""
        entry = _Entry(draft, call_id, waiter)
        with self._lock:
            taken = not self.sealed and call_id not in self._taken_back
            if taken:
                self._queue.append(entry)
                self._size += len(draft.body)
            load = self._load()
        if not taken:
            self._refuse((entry,))
        if load:
            self._ship(load)

    def when_empty(self, then: Callable[[], None]) -> None:
        """Call `then` once everything is stored, or never will be."""
        with self._lock:
            self._then = then
        self._check_empty()

    def seal(self) -> None:
        """Take nothing more; from any thread. What is in flight is decided by the log's fence."""
        with self._lock:
            self.sealed = True
        self._home.post(self._clear)

    def _clear(self) -> None:
        for entry in (*self._flight, *self._queue):
            if entry.waiter is not None and not entry.waiter.done():
                entry.waiter.cancel()
        self._queue.clear()
        self._wake()
        self._check_empty()

    def _refuse(self, entries: Sequence[_Entry]) -> None:
        for entry in entries:
            self._counters.add("refused")
            if entry.waiter is not None and not entry.waiter.done():
                entry.waiter.cancel()

    def _send(self) -> None:
        with self._lock:
            load = self._load()
        if load:
            self._ship(load)

    def _load(self) -> list[_Entry]:
        """Under the lock: the next batch, once the last one has landed. Empty where there is nothing to send now."""
        if self._flight or self._resting or self.sealed:
            return []
        while self._queue and len(self._flight) < self._limits.batch:
            self._flight.append(self._queue.popleft())
        return self._flight

    def _ship(self, load: Sequence[_Entry]) -> None:
        try:
            future = self._append([entry.draft for entry in load])
        except Exception as error:
            self._home.post(partial(self._landed, error))
            return
        future.add_done_callback(self._answered)

    def _answered(self, future: "Future[None]") -> None:
        """In the committing thread."""
        error = future.exception()
        if error is not None or not self._landed_unheard():
            self._home.post(partial(self._landed, error))

    def _landed_unheard(self) -> bool:
        """Go on without the loop, where nobody on it waits for this."""
        with self._lock:
            if self._waiting or self._then is not None or any(entry.waiter is not None for entry in self._flight):
                return False
            self._size -= sum(len(entry.draft.body) for entry in self._flight)
            self._flight = []
            self._delay = 0.0
            load = self._load()
        if load:
            self._ship(load)
        return True

    def _landed(self, error: BaseException | None) -> None:
        with self._lock:
            flight, self._flight = self._flight, []
        if error is None:
            self._stored(flight)
        elif self.sealed:
            self._refuse(flight)
        elif isinstance(error, Stopped):
            self._take_back(flight)
            self._owner.cancel_was_committed(error.reason)
        elif isinstance(error, QuintetError):
            self._try_again(flight)
            return
        else:
            self.sealed = True
            self._refuse(flight)
            self._clear()
            if isinstance(error, Fenced):
                self._owner.was_fenced()
            else:
                self._owner.cannot_store(error)
        self._send()
        self._wake()
        self._check_empty()

    def _try_again(self, flight: Sequence[_Entry]) -> None:
        with self._lock:
            self._queue.extendleft(reversed(flight))
            self._delay = min(_LAST_DELAY, self._delay * 2 or _FIRST_DELAY)
            self._resting = True
        self._home.loop.call_later(self._delay, self._resend)

    def _resend(self) -> None:
        self._resting = False
        self._send()

    def _stored(self, entries: Sequence[_Entry]) -> None:
        self._delay = 0.0
        for entry in entries:
            self._size -= len(entry.draft.body)
            if entry.waiter is not None and not entry.waiter.done():
                entry.waiter.set_result(None)

    def _take_back(self, flight: Sequence[_Entry]) -> None:
        never = {entry.call_id for entry in flight if entry.draft.type == "tool_executing"}
        self._taken_back.update(call_id for call_id in never if call_id is not None)
        everything = [*flight, *self._queue]
        lost = [entry for entry in everything if entry.call_id in self._taken_back]
        self._queue = deque(entry for entry in everything if entry.call_id not in self._taken_back)
        self._size -= sum(len(entry.draft.body) for entry in lost)
        self._refuse(lost)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    def _check_empty(self) -> None:
        if self._then is not None and (self.sealed or not (self._queue or self._flight)):
            then, self._then = self._then, None
            then()
