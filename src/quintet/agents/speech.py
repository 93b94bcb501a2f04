"""Says a stream of words in pieces with a short breath between, so that a long answer is no flood of events.

The first words go out at once. While one piece is being stored the next ones gather; who adds waits when much has gathered.
"""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

from quintet.engine import Turn

__all__ = ["Speech"]

_BREATH = 0.05  # seconds between two pieces: 20 a second, so 10,000 events are more than eight minutes
_MOST = 64 * 1024  # characters that may wait


class Speech:
    """Entered, it speaks; left, all has been said, but what a cancel cut off."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._waiting: list[str] = []
        self._size = 0
        self._come = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._over = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._speak())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._come.set()
        if error is not None and not isinstance(error, Exception):
            self._task.cancel()
        try:
            await asyncio.wait({self._task})
        finally:
            self._task.cancel()
        if error is None:
            self._task.result()
        elif not self._task.cancelled():
            self._task.exception()  # looked at: the first error is the one that counts

    async def add(self, text: str) -> None:
        """Say `text` after what was added before."""
        self._waiting.append(text)
        self._size += len(text)
        self._quiet.clear()
        self._come.set()
        if self._size > _MOST:
            await self.quiet()

    async def quiet(self) -> None:
        """Wait until all has been said."""
        while not self._quiet.is_set():
            if self._task.done():
                self._task.result()
                raise asyncio.CancelledError
            heard = asyncio.ensure_future(self._quiet.wait())
            try:
                await asyncio.wait({heard, self._task}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                heard.cancel()

    async def _speak(self) -> None:
        while not (self._over.is_set() and not self._waiting):
            await self._come.wait()
            self._come.clear()
            while self._waiting:
                piece = "".join(self._waiting)
                self._waiting.clear()
                self._size = 0
                await self._turn.say(piece)
                if not self._waiting:
                    self._quiet.set()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_BREATH):
                        await self._over.wait()
