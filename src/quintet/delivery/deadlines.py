"""Everything of one socket that happens at a time: admission, heartbeats, silence, expiry, a reader that stands still.

One timer, set to whatever is due first. Times are of the clock that never jumps: a wall clock that does must not end everybody.
"""

import asyncio
from collections.abc import Callable
from math import inf
from typing import Protocol

from quintet.delivery.config import GatewayConfig
from quintet.scope import Identity
from quintet.sources import Sources

__all__ = ["Deadlines", "Timed"]

_AT_LEAST = 0.001  # between two looks, so that a clock of coarser ticks cannot make the timer spin
_LATE = 1.0  # seconds: who looks later than this was stopped, and then has so long to hear what came meanwhile
_LOOKS = 15  # at a reader that stands still, in the time it has: it is let go so much of it late at most


class Timed(Protocol):
    """What the deadlines look at and speak to."""

    writable: bool

    def taken(self) -> int:
        """How many bytes the peer has taken so far."""

    def end(self, reason: str) -> None:
        """Close the socket with the code of this reason."""


class Deadlines:
    """The deadlines of one socket. `notice` is called once before the token ends, `beat` whenever a heartbeat is due."""

    __slots__ = (
        "_admit_at", "_admit_reason", "_beat", "_beat_at", "_config", "_due", "_expire_at", "_heard", "_notice", "_notice_at",
        "_sources", "_stalled", "_taken", "_timer", "_wire", "deaf",
    )  # fmt: skip

    def __init__(
        self,
        config: GatewayConfig,
        sources: Sources,
        wire: Timed,
        *,
        beat: Callable[[], None],
        notice: Callable[[], None],
    ) -> None:
        self._config = config
        self._sources = sources
        self._wire = wire
        self._beat = beat
        self._notice = notice
        self._admit_at = self._beat_at = self._notice_at = self._expire_at = inf
        self._admit_reason = ""
        self._due = inf  # when the timer is to look
        self._heard = sources.monotonic()
        self._stalled = inf  # since when the peer has taken nothing
        self._taken = 0
        self._timer: asyncio.TimerHandle | None = None
        self.deaf = False  # while we do not read, the peer's silence is ours

    def admit_within(self, seconds: float, reason: str) -> None:
        """The socket must be admitted by then, or ends with `reason`."""
        self._admit_at = self._sources.monotonic() + seconds
        self._admit_reason = reason
        self._arm()

    def admitted(self, identity: Identity) -> None:
        """From now on there are heartbeats, and silence ends the socket."""
        self._admit_at = inf
        self._heard = self._sources.monotonic()
        self._beat_at = self._heard + self._config.heartbeat
        self.expect_expiry(identity)

    def expect_expiry(self, identity: Identity) -> None:
        """The token ends at another time than before."""
        left = identity.expires_at - self._sources.now_ms() / 1000
        self._expire_at = self._sources.monotonic() + left
        self._notice_at = self._expire_at - self._config.expiry_notice
        self._arm()

    def heard(self) -> None:
        """The peer has sent something. The timer finds out when it looks."""
        self._heard = self._sources.monotonic()

    def hear_again(self) -> None:
        """We read again; the silence until now was ours."""
        self.deaf = False
        self.heard()

    def paused(self) -> None:
        """The peer takes less than is sent to it."""
        self._stalled = self._sources.monotonic()
        self._taken = self._wire.taken()
        self._arm()

    def resumed(self) -> None:
        """The peer has caught up."""
        self._stalled = inf

    def stop(self) -> None:
        """Nothing happens any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        self.stop()
        now = self._sources.monotonic()
        due = min(self._admit_at, self._beat_at, self._notice_at, self._expire_at, self._silent_at())
        if self._stalled < inf:
            slow = self._config.slow_after  # a timer may come a little early: the last look is set for the very moment
            due = min(due, now + slow / _LOOKS, self._stalled + slow)
        self._due = due
        if due < inf:
            self._timer = asyncio.get_running_loop().call_later(max(due - now, _AT_LEAST), self._tick)

    def _silent_at(self) -> float:
        return inf if self.deaf or self._beat_at == inf else self._heard + self._config.silence

    def _tick(self) -> None:
        self._timer = None
        now = self._sources.monotonic()
        if (late := now - self._due) > _LATE:
            self._stood_still(now, late)
        reason = self._reason_to_end(now)
        if reason is not None:
            self._wire.end(reason)
            return
        if now >= self._notice_at:
            self._notice_at = inf
            self._notice()
        if now >= self._beat_at:
            self._beat_at = now + self._config.heartbeat
            self._beat()
        self._arm()

    def _stood_still(self, now: float, late: float) -> None:
        """That time was ours, not the peer's; and what came meanwhile is read before anybody is judged by it."""
        self._heard = max(self._heard + late, now - self._config.silence + _LATE)
        self._admit_at = max(self._admit_at + late, now + _LATE)

    def _reason_to_end(self, now: float) -> str | None:
        if now >= self._admit_at:
            return self._admit_reason
        if now >= self._expire_at:
            return "token_expired"
        if now >= self._silent_at():
            return "no_pong"
        if self._stalled < inf:
            taken = self._wire.taken()
            if taken > self._taken:
                self._taken, self._stalled = taken, now
            elif now >= self._stalled + self._config.slow_after:
                return "slow_consumer"
        return None
