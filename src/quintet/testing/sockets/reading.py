"""What every connection of the kit has in common: the story of what came, and steps that wait for evidence with a deadline.

1. Frames are taken in the kit's own thread, at once: a test that computes does not make a server look late.
2. A step that fails shows the transcript of both directions and the end of the server's log.
3. The order of events is checked on every frame: what is lost, doubled or misplaced fails the next step, and the test's end.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from quintet.testing.contracts import Mapping, Seen, Story
from quintet.testing.loops import LoopThread, Pulse
from quintet.testing.targets import Target

__all__ = ["PATIENCE", "STEP_SECONDS", "ConnectionFault", "Line", "Reader"]

T = TypeVar("T")
STEP_SECONDS = 15.0  # a generous bound on a busy machine; what must be fast is held against a contract, not timed out


class Patience:
    """How long a step waits that names no `within`."""

    seconds = STEP_SECONDS


PATIENCE = Patience()
SHOWN_LINES = 60
SHOWN_BYTES = 400


class ConnectionFault(AssertionError):  # noqa: N818 - it is what a reader of a test looks for
    """A step of a connection failed; the text holds the transcript and the end of the server's log."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a transcript. `at` is monotonic, `wall` Unix time, in seconds, taken here."""

    at: float
    wall: float
    sent: bool
    raw: bytes


class Reader:
    """A connection that is read. `story` holds every frame that came, `transcript` what went too, both byte for byte."""

    def __init__(self, name: str, target: Target, loop: LoopThread, mapping: Mapping, *, strict: bool) -> None:
        self.name = name
        self.target = target
        self.story = Story(name, mapping, target.log)
        self.transcript: list[Line] = []
        self.faults: list[str] = []
        self.strict = strict
        self.told_fault = False  # a step has raised the first of the faults
        self.close_code: int | None = None
        self.close_reason = ""
        self.closed_at = 0.0
        self.events: list[Seen] = []  # since the feed began
        self._loop = loop
        self._news = Pulse()
        self._expected: int | None = None
        self._next = 0  # of the story: what `receive` and `until` have not yet given out

    # --- waiting for evidence -----------------------------------------------------------------------------------------

    async def receive(self, type: str | None = None, within: float | None = None) -> Seen:  # noqa: A002 - the word of the wire
        """The next frame. With a `type` (the backend's word or the contract's) it must be of it; frames about the connection
        that are not are passed over.

        Raises:
            ConnectionFault: it is of another type, or none comes in time.
        """

        def look() -> Seen | None:
            while self._next < len(self.story):
                seen = self.story[self._next]
                self._next += 1
                if type is None or seen.event or seen.named(type):
                    return seen
            return None

        seen = await self.step(type or "a frame", look, within)
        if type is not None and not seen.named(type):
            raise self.fault(f"{seen} came where {type} was due")
        return seen

    async def until(
        self,
        type: str | None = None,  # noqa: A002
        where: Callable[[Seen], bool] | None = None,
        within: float | None = None,
    ) -> list[Seen]:
        """The frames from the next one up to one of this type, for which `where` holds. Raises `ConnectionFault`."""
        begun = self._next

        def look() -> list[Seen] | None:
            while self._next < len(self.story):
                seen = self.story[self._next]
                self._next += 1
                if (type is None or seen.named(type)) and (where is None or where(seen)):
                    return list(self.story[begun : self._next])
            return None

        return await self.step(type or "the frame that is looked for", look, within)

    async def find(self, what: str, wanted: Callable[[Seen], bool], within: float | None = None) -> Seen:
        """The first frame of the whole story for which `wanted` holds; nothing is used up. Raises `ConnectionFault`."""
        return await self.step(what, lambda: next((seen for seen in self.story if wanted(seen)), None), within)

    async def run(self, run: str, within: float | None = None) -> Story:
        """All events of a run since the feed began, once its final one is there: a part of the story. Raises `ConnectionFault`."""

        def look() -> list[Seen] | None:
            found = [seen for seen in self.events if seen.run == run]
            return found if any(seen.final for seen in found) else None

        found = await self.step(f"the ending of {run}", look, within)
        return self.story.of_frames(found, f"{self.name} run {run}")

    async def listen(self, seconds: float) -> list[Seen]:
        """Listen for so long and return what came: what makes silence a fact. The end of the connection ends it early."""
        begun, until = len(self.story), time.monotonic() + seconds

        async def listening() -> list[Seen]:
            while (left := until - time.monotonic()) > 0 and self.close_code is None:
                await self._news.wait(left)
            self.story.listened()
            return list(self.story[begun:])

        return await self._loop.run(listening())

    async def step(
        self, what: str, look: Callable[[], T | None], within: float | None = None, *, even_closed: bool = False
    ) -> T:
        """Wait until `look` finds something. Raises `ConnectionFault`: a rule was broken, the connection ended, or it is too late."""
        found = self._looked(what, look, even_closed=even_closed)
        return found if found is not None else await self._loop.run(self._awaited(what, look, within, even_closed))

    async def _awaited(self, what: str, look: Callable[[], T | None], within: float | None, even_closed: bool) -> T:
        patience = PATIENCE.seconds if within is None else within
        deadline = time.monotonic() + patience
        while (found := self._looked(what, look, even_closed=even_closed)) is None:
            if (left := deadline - time.monotonic()) <= 0:
                self.story.listened()
                raise self.fault(f"waited {patience:g} s in vain for {what}")
            await self._news.wait(left)
        return found

    def _looked(self, what: str, look: Callable[[], T | None], *, even_closed: bool) -> T | None:
        ended = self.close_code is not None  # before looking: what came last is looked at once more
        found = look()
        if self.faults and self.strict:
            self.told_fault = True
            raise self.fault(self.faults[0])
        if found is None and ended and not even_closed:
            raise self.fault(f"{self._ending()} while waiting for {what}")
        return found

    # --- showing ------------------------------------------------------------------------------------------------------

    def fault(self, words: str) -> ConnectionFault:
        """The error to raise: what `shown` says."""
        return ConnectionFault(self.shown(words))

    def shown(self, words: str) -> str:
        """The words, the transcript, the server's log: the message of an `assert`. As a text, for of an exception pytest shows a line."""
        return "\n".join(part for part in (f"{self.name}: {words}", self.told(), self.target.said()) if part)

    def told(self) -> str:
        """The transcript as text: time, direction, bytes; the last 60 lines of it."""
        zero = self.transcript[0].at if self.transcript else 0.0
        kept = self.transcript[-SHOWN_LINES:]
        lines = [
            f"{line.at - zero:8.3f} {'->' if line.sent else '<-'} {line.raw[:SHOWN_BYTES].decode(errors='replace')}"
            for line in kept
        ]
        ending = [] if self.close_code is None else [f"{self.closed_at - zero:8.3f} {self._ending()}"]
        return "\n".join([f"--- {self.name}: {len(self.transcript)} frames, last {len(kept)} ---", *lines, *ending])

    def received(self) -> bytes:
        """Every byte that was received in frames."""
        return b"\n".join(line.raw for line in self.transcript if not line.sent)

    def _ending(self) -> str:
        return f"the connection ended ({self.close_code}{' ' * bool(self.close_reason)}{self.close_reason})"

    # --- taking what comes, on the kit's loop -------------------------------------------------------------------------

    def _sent(self, raw: bytes) -> float:
        at = time.monotonic()
        self.transcript.append(Line(at, time.time(), True, raw))
        return at

    def _came(self, raw: bytes, envelope: dict[str, str] | None = None) -> Seen:
        at, wall = time.monotonic(), time.time()
        self.transcript.append(Line(at, wall, False, raw))
        seen = self.story.add(raw, at, wall, envelope=envelope)
        self._judge(seen)
        self._news.beat()
        return seen

    def _judge(self, seen: Seen) -> None:
        """What every frame is held against."""
        if seen.kind == "following":
            self._expected = None if seen.position is None else seen.position + 1
            self.events.clear()
        elif seen.kind == "resync":
            self._expected = None
        elif seen.event:
            self._place(seen)

    def _place(self, seen: Seen) -> None:
        self.events.append(seen)
        if seen.order is None:
            return
        if self._expected is not None and seen.begins != self._expected:
            self.faults.append(f"{seen} came where position {self._expected} was due")
        self._expected = seen.order + 1

    def _over(self, code: int, reason: str = "") -> None:
        if self.close_code is None:
            self.close_code, self.close_reason, self.closed_at = code, reason, time.monotonic()
            self.story.ended(code, reason, self.closed_at)
            self._news.beat()
