"""What one invocation tells, and what it has open.

Steps count up, progress never falls, offsets count code points; nothing is told after the end, and the end comes after everything
it opened has been closed.
"""

import asyncio
import math
from typing import Protocol

from quintet.engine.story import Story
from quintet.events import AgentRef, AgentThinking, Data, TextDelta
from quintet.redaction import clean_text

__all__ = ["Open", "Telling"]

_MOST_COUNTS = 16  # names in a usage
_MOST_COUNTED = 2**53  # what every JSON reader holds exactly


class Open(Protocol):
    """A call or a child that has started and not ended."""

    def close_early(self) -> None:
        """End it now, because what it belongs to ends."""


class Telling:
    """The voice of one invocation."""

    def __init__(self, story: Story, ref: AgentRef) -> None:
        self.story = story
        self.ref = ref
        self.started = story.sources.monotonic()
        self.open: dict[str, Open] = {}
        self.ended = False
        self.message_id: str | None = None
        self.said: list[str] = []
        self.usage: dict[str, int] = {}
        self._offset = 0
        self._step = 0
        self._progress: float | None = None

    @property
    def silenced(self) -> bool:
        """Nothing more may be told."""
        return self.ended or self.story.stopping is not None or self.story.over

    @property
    def lasted_ms(self) -> int:
        """Since it started."""
        return round((self.story.sources.monotonic() - self.started) * 1000)

    def check(self) -> None:
        """Raise `CancelledError` when nothing more may be told, and count the attempt."""
        if self.ended or self.story.stopping is not None or self.story.over:
            self.story.work.counters.add("refused")
            raise asyncio.CancelledError

    async def admit(self, count: int = 1) -> None:
        """Wait until one more event may be told; `count` of them will be."""
        self.check()
        self.story.charge(count)
        while (room := self.story.outbox.room()) is not None:
            await room
            self.check()

    def emit(self, data: Data, call_id: str | None = None, waiter: "asyncio.Future[None] | None" = None) -> None:
        """Tell one event of this invocation."""
        self.story.emit(self.ref, data, call_id, waiter)

    async def think(self, text: str, progress: float | None = None) -> None:
        """`agent_thinking`."""
        if not isinstance(text, str):
            raise TypeError("think takes text")
        if progress is not None and not math.isfinite(progress):
            raise ValueError("progress is a number from 0 to 1")
        shown = clean_text(text[: self.story.limits.piece])
        await self.admit()
        self._step += 1
        if progress is None:
            self.emit(AgentThinking(shown, self._step))
            return
        self._progress = max(self._progress or 0.0, min(1.0, float(progress)))
        self.emit(AgentThinking(shown, self._step, self._progress))

    async def say(self, text: str) -> None:
        """`text_delta`, as many as it takes."""
        if not isinstance(text, str):
            raise TypeError("say takes text")
        self.check()
        story = self.story
        story.charge_text(text)
        size = story.limits.piece
        for start in range(0, len(text), size):
            piece = clean_text(text[start : start + size])
            await self.admit()
            if self.message_id is None:
                self.message_id = story.ids.new("msg")
            self.emit(TextDelta(self.message_id, self._offset, piece))
            self._offset += len(piece)
            self.said.append(piece)

    def count(self, counts: dict[str, int]) -> None:
        """Add to the usage. See `Turn.report_usage`."""
        usage = dict(self.usage)
        for name, number in counts.items():
            if type(number) is not int:
                raise TypeError("usage is counted in whole numbers")
            usage[name] = usage.get(name, 0) + number
            if number < 0 or usage[name] > _MOST_COUNTED or len(name) > 64:
                raise ValueError("usage is a number from 0 to 2**53 under a name of at most 64 characters")
        if len(usage) > _MOST_COUNTS:
            raise ValueError(f"usage has at most {_MOST_COUNTS} names")
        self.usage = usage

    def end(self) -> None:
        """Close what is open, the newest first; nothing more is told after it but the ending."""
        for opened in reversed(tuple(self.open.values())):
            opened.close_early()
        self.open.clear()
        self.ended = True
