"""The courier: takes letters at once, brings them to the mail server beside the work, and tries again when that is away.

1. `take` never waits and never fails: a request neither hears of the mail server nor waits for it.
2. A bounded number of letters is held in memory; one more is lost, counted and logged. So are those that a stop leaves behind.
3. A letter is tried again after growing pauses, then given up. What the mail server refuses for good is not tried again.
4. The log has the kind of a letter and the class of what went wrong. An address, a token or the text of an error never goes there.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from quintet.accounts.letters.letter import Letter

__all__ = ["Courier", "Delivery", "Refused"]

logger = logging.getLogger(__name__)

MOST_HELD = 1_000
AT_ONCE = 4
PAUSES = (2.0, 10.0, 60.0, 300.0, 900.0)  # seconds between tries
PATIENCE = 5.0  # seconds that a stop waits for what is on its way
LEAVE = 0.5

Pause = Callable[[float], Awaitable[None]]


class Refused(Exception):  # noqa: N818 - what the mail server has done
    """The mail server will never take this letter. `code` is its reply's (RFC 5321, 4.2)."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(str(code))


class Delivery(Protocol):
    """Brings one letter to a mail server."""

    async def bring(self, letter: Letter) -> None:
        """Raises `Refused` where trying again is vain, anything else where it is not."""

    async def close(self) -> None:
        """Nothing more is to be brought."""


class Courier:
    """For one loop. `told` counts letters `sent`, `retried`, `refused`, `given_up` and `lost`; `waiting` are those it holds."""

    def __init__(self, delivery: Delivery, *, pause: Pause = asyncio.sleep, most: int = MOST_HELD) -> None:
        self._delivery = delivery
        self._pause = pause
        self._most = most
        self._lines = asyncio.Semaphore(AT_ONCE)
        self._held: set[asyncio.Task[None]] = set()
        self._told: Counter[str] = Counter(dict.fromkeys(("sent", "retried", "refused", "given_up", "lost"), 0))

    @property
    def told(self) -> Mapping[str, int]:
        """What became of letters so far."""
        return dict(self._told)

    @property
    def waiting(self) -> int:
        """Letters that are neither sent nor given up."""
        return len(self._held)

    def take(self, letter: Letter) -> None:
        """Bring the letter, beside whatever is being done."""
        if len(self._held) >= self._most:
            self._told["lost"] += 1
            logger.error("a letter was lost, since %d are waiting for the mail server: %s", self._most, letter.kind)
            return
        task = asyncio.create_task(self._carry(letter), name="letter")
        self._held.add(task)
        task.add_done_callback(self._held.discard)

    async def close(self, patience: float = PATIENCE) -> None:
        """Wait a moment for what is on its way, drop the rest."""
        if held := set(self._held):
            _, left = await asyncio.wait(held, timeout=patience)
            if left:
                self._told["lost"] += len(left)
                logger.error("%d letters were lost: the mail server did not take them before the end", len(left))
            for _ in range(
                2
            ):  # the first time the library takes its leave of the mail server, and may wait for an answer
                for task in left:
                    task.cancel()
                if left:
                    await asyncio.wait(left, timeout=LEAVE)
        await self._delivery.close()

    async def _carry(self, letter: Letter) -> None:
        for pause in (*PAUSES, None):
            try:
                async with self._lines:
                    await self._delivery.bring(letter)
                self._told["sent"] += 1
                return
            except Refused as refusal:
                self._told["refused"] += 1
                logger.error("the mail server refused a letter with %d: %s", refusal.code, letter.kind)
                return
            except Exception as error:  # whatever the network and the library think of; its text may hold the address
                again = f"again in {pause:g} s" if pause is not None else "given up"
                logger.warning("a letter was not delivered (%s), %s: %s", type(error).__name__, again, letter.kind)
            if pause is None:
                self._told["given_up"] += 1
                return
            self._told["retried"] += 1
            await self._pause(pause)
