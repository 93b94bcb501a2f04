"""One connection of one user to the backend, whatever carries it, and the story of what it received.

Every wait has a deadline. What the backend does, also what no backend should, is told as a `LineError` in one sentence.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from collections.abc import Mapping as Keyed
from dataclasses import dataclass, field
from typing import Any

import httpx

from ..mapping import Mapping
from ..record import FullError
from ..story import Story
from .filling import fill
from .plan import Call, Connect, Plan

__all__ = ["Line", "LineError", "Who", "request"]

SHOWN = 200  # characters of an answer


class LineError(Exception):
    """A connection could not be opened, or a message not sent."""


@dataclass
class Who:
    """A user: a name for the report, a credential, and words that nobody else has."""

    name: str
    credential: str
    values: dict[str, Any] = field(default_factory=dict)

    def all(self, **more: Any) -> dict[str, Any]:
        """What names in braces stand for."""
        return {**self.values, "user": self.name, "credential": self.credential, **more}


class Line(ABC):
    """A connection. `close` leaves politely, `cut` drops it."""

    def __init__(self, url: str, plan: Plan, mapping: Mapping, who: Who, name: str) -> None:
        self.url, self.plan, self.who = url.rstrip("/"), plan, who
        self.story = Story(name, mapping)
        self.over = False  # it has ended
        self._leaving = False  # and that was our wish
        self._news = asyncio.Event()

    async def open(self, cursor: Any = None) -> None:
        """Connect, from the beginning or after a cursor, and wait until it is ready. Raises `LineError`."""
        resumed = cursor is not None and self.plan.resume is not None
        connect = self.plan.resume if resumed and self.plan.resume is not None else self.plan.connect
        filled = fill([connect.headers, connect.query, connect.auth, [*connect.first]], self.who.all(cursor=cursor))
        shown = Connect(filled[0], filled[1], filled[2], tuple(filled[3]), connect.ready)
        try:
            async with asyncio.timeout(self.plan.wait.open):
                await self._open(shown)
        except TimeoutError:
            raise LineError(f"no connection within {self.plan.wait.open:g} s") from None
        if shown.ready and not await self.until(lambda story: bool(story.of_type(shown.ready)), self.plan.wait.open):
            raise LineError(
                f"no {shown.ready} within {self.plan.wait.open:g} s{' (it was ended)' if self.over else ''}"
            )

    async def send(self, text: str) -> None:
        """Send a message. Raises `LineError`."""
        values = self.who.all(text=text)
        if self.plan.frame is not None:
            await self._send(fill(self.plan.frame, values))
        elif self.plan.send is not None:
            await self._call(self.plan.send, values)

    async def _call(self, call: Call, values: Keyed[str, Any]) -> None:
        await request(self.url, call, values, self.plan.wait.open)

    async def until(self, holds: Callable[[Story], bool], seconds: float) -> bool:
        """Read on until `holds`; False when the time, or the connection, is over before."""
        deadline = time.monotonic() + seconds
        while not holds(self.story):
            left = deadline - time.monotonic()
            if left <= 0 or self.over:
                break
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), left)
            except TimeoutError:
                break
        if not self.over:
            self.story.listened()
        return holds(self.story)

    async def listen(self, seconds: float) -> None:
        """Read on for so long."""
        await self.until(lambda _: False, seconds)

    def _take(self, raw: bytes, body: Any = None, envelope: Keyed[str, Any] | None = None) -> None:
        try:
            self.story.add(raw, body=body, envelope=envelope)
        except FullError as full:  # a backend that floods is not waited for
            self._ended(None, str(full))
        self._news.set()

    def _ended(self, code: int | None = None, reason: str = "") -> None:
        self.over = True
        if not self._leaving:
            self.story.ended(code, reason)
        self._news.set()

    @abstractmethod
    async def _open(self, shown: Connect) -> None:
        """Open the connection and send what is sent first."""

    @abstractmethod
    async def _send(self, frame: Any) -> None:
        """Send a frame over the connection."""

    @abstractmethod
    async def close(self) -> None:
        """Leave."""

    @abstractmethod
    async def cut(self) -> None:
        """Drop the connection without a word."""


async def request(url: str, call: Call, values: Keyed[str, Any], seconds: float) -> Any:
    """Make a request; returns the JSON of its answer. Raises `LineError` where it is not answered by a 2xx."""
    filled = fill([call.headers, call.query, call.body, call.path], values)
    async with httpx.AsyncClient(base_url=url, timeout=seconds, trust_env=False) as client:
        try:
            answer = await client.request(
                call.method, filled[3], headers=filled[0], params=filled[1] or None, json=filled[2]
            )
        except httpx.HTTPError as fault:
            raise LineError(f"{call.method} {call.path}: {fault!r}") from None
    if not answer.is_success:
        raise LineError(f"{call.method} {call.path} was answered by {answer.status_code} {answer.text[:SHOWN]}")
    try:
        return answer.json()
    except ValueError:
        return None
