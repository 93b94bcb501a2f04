"""How much one socket may ask: a bucket that refills, and a window that counts. Both are a few numbers, touched on one loop."""

from collections import deque

__all__ = ["Bucket", "Window"]


class Bucket:
    """`burst` at once, refilled at `rate` a second."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = now

    def take(self, now: float) -> bool:
        """Take one; False when there is none."""
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Window:
    """Counts what happened within the last `seconds`; `most` are borne."""

    __slots__ = ("_most", "_seconds", "_times")

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._times: deque[float] | None = None  # nearly every socket behaves: no memory before the first

    def exceeded(self, now: float) -> bool:
        """Count one; True when it is one more than borne."""
        if self._times is None:
            self._times = deque(maxlen=self._most + 1)
        self._times.append(now)
        return len(self._times) > self._most and self._times[0] > now - self._seconds
