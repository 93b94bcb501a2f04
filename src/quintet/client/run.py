"""The events of one run, each once, by its place in the run, up to its ending.

1. Live events come from the shared feed; what is missing (begun before we listened, too slow, another log) is read over HTTP. Both are
   numbered by `run_seq`, so whatever comes twice is dropped and whatever is missing is seen.
2. There is no end but an ending: a run that has ended without one, or is not in the log any more, is an error.
3. Not more than `_WAITING` events wait; a reader who is slower reads the rest later.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from quintet.client.door import Door
from quintet.client.faults import ClientError, RefusedError, UnfinishedError
from quintet.client.items import Sent
from quintet.events import Event

__all__ = ["Run"]

_WAITING = 512
_FIRST_LOOK = 1.0  # after this silence the log is asked whether there is something
_LOOK = 30.0
_OVER = ("completed", "failed", "cancelled")


class Run:
    """A run as its asker sees it: `async for event in run`. It is sent with the first step, or by `accepted()`.

    `text` is what the root agent has said so far, `ending` the last event once it came.
    """

    def __init__(
        self,
        client_id: str,
        door: Door,
        send: Callable[[], Awaitable[Sent]],
        cancel: Callable[[str], Awaitable[str]],
    ) -> None:
        self.client_id = client_id
        self.sent: Sent | None = None
        self.run_id: str | None = None
        self.text = ""
        self.ending: Event | None = None
        self._door = door
        self._send = send
        self._sending = asyncio.Lock()
        self._cancel = cancel
        self._inbox: deque[Event] = deque()
        self._news = asyncio.Event()
        self._last = 0
        self._behind = False
        self._patience = _FIRST_LOOK
        self._fault: ClientError | None = None

    async def accepted(self) -> Sent:
        """Send the message, if that was not done; what the server answered.

        Raises:
            RefusedError: it was refused. UnansweredError: nobody knows. ClientError: what else `send` raises.
        """
        async with self._sending:
            if self.sent is None:
                self.sent = await self._send()
                self.run_id = self.sent.run_id
            return self.sent

    async def cancel(self) -> str:
        """Stop the run; its state at that moment, which may still be `running`. Its ending comes as an event."""
        return await self._cancel((await self.accepted()).run_id)

    async def finished(self) -> Event:
        """The ending, after everything before it."""
        async for _ in self:
            pass
        assert self.ending is not None
        return self.ending

    def __aiter__(self) -> "Run":
        return self

    async def __anext__(self) -> Event:
        if self.ending is not None:
            raise StopAsyncIteration
        await self.accepted()
        while True:
            event = self._next()
            if event is not None:
                return self._given(event)
            if self._behind:
                await self._catch_up()
            else:
                await self._wait()

    # --- what comes in ------------------------------------------------------------------------------------------------

    def take(self, event: Event) -> None:
        """An event of this run, from the feed."""
        if len(self._inbox) >= _WAITING:
            self._behind = True
        else:
            self._inbox.append(event)
        self._news.set()

    def look(self) -> None:
        """The feed may have left something out."""
        self._behind = True
        self._news.set()

    def fail(self, fault: ClientError) -> None:
        """Nothing more will come."""
        self._fault = fault
        self._news.set()

    # --- inside -------------------------------------------------------------------------------------------------------

    def _next(self) -> Event | None:
        while self._inbox:
            place = self._inbox[0].run_seq
            if place is msgspec.UNSET or place <= self._last:
                self._inbox.popleft()
            elif place == self._last + 1:
                return self._inbox.popleft()
            else:
                self._behind = True
                return None
        return None

    def _given(self, event: Event) -> Event:
        self._last += 1
        self._patience = _LOOK
        if event.type == "text_delta" and event.agent is not msgspec.UNSET and event.agent.parent_id is msgspec.UNSET:
            self.text = self.text[: event.data["offset"]] + event.data["text"]
        if event.final:
            self.ending = event
            self.text = event.data.get("text", self.text)
        return event

    async def _wait(self) -> None:
        if self._fault is not None:
            raise self._fault
        try:
            async with asyncio.timeout(self._patience):
                await self._news.wait()
            self._news.clear()
        except TimeoutError:
            self._patience = _LOOK
            self._behind = True

    async def _catch_up(self) -> None:
        if not await self._read() and (self._inbox or await self._is_over()) and not await self._read():
            raise UnfinishedError(f"the events of the run {self.run_id} end without an ending")

    async def _read(self) -> bool:
        """Put what the log has after our place in front of what waits; whether there was anything."""
        try:
            told = await self._door.get(f"/v1/runs/{self.run_id}/events", after=self._last)
        except RefusedError as refusal:
            raise self._lost(refusal) from None
        page = msgspec.convert(told, list[Event])
        if page and page[0].run_seq != self._last + 1:
            raise UnfinishedError(f"the events of the run {self.run_id} after {self._last} are not in the log any more")
        self._inbox.extendleft(reversed(page))
        self._behind = bool(page)  # a page has a bound that we do not know
        return bool(page)

    async def _is_over(self) -> bool:
        try:
            run: dict[str, Any] = await self._door.get(f"/v1/runs/{self.run_id}")
        except RefusedError as refusal:
            raise self._lost(refusal) from None
        return run["state"] in _OVER

    def _lost(self, refusal: RefusedError) -> ClientError:
        if refusal.code != "not_found":
            return refusal
        return UnfinishedError(f"the run {self.run_id} is not in the log any more")
