"""Who follows a user's log here, and the newest rows of it.

1. Touched on the delivery loop only: no lock.
2. The ring makes looking cheap. It is filled with what was just committed, has no gap, and is bounded in count and bytes.
3. What it lacks is in the database: `after` answers None, and the reader reads there.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable

from quintet.log.reading import Row

__all__ = ["RING_BYTES", "RING_EVENTS", "Follower", "Stream"]

logger = logging.getLogger(__name__)

RING_EVENTS = 256
RING_BYTES = 256 * 1024


class Stream:
    """A followed user's newest rows. Touched on the delivery loop only."""

    __slots__ = ("auth_rev", "doubted", "followers", "head", "over", "rows", "size")

    def __init__(self) -> None:
        self.followers: list[Follower] = []
        self.rows: deque[Row] = deque()
        self.size = 0
        self.head = -1  # not known yet
        self.auth_rev = 0
        self.doubted = False  # nobody can say just now whether the user has been signed out
        self.over = False  # its numbers are not the log's any more

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if self.rows and row.seq <= self.rows[-1].seq:
                continue  # told twice
            if self.rows and self.rows[-1].seq + 1 != row.first_seq:
                self.rows.clear()
                self.size = 0
            self.rows.append(row)
            self.size += len(row.frame)
            self.head = max(self.head, row.seq)
        while len(self.rows) > RING_EVENTS or self.size > RING_BYTES:
            self.size -= len(self.rows.popleft().frame)

    def forget(self) -> None:
        """What the ring holds may not be the log's any more; whoever has not read it reads the database."""
        self.rows.clear()
        self.size = 0

    def after(self, after: int) -> list[Row] | None:
        if 0 <= self.head <= after:
            return []
        if not self.rows or self.rows[0].first_seq > after + 1 or self.rows[-1].seq < self.head:
            return None
        newest: list[Row] = []
        for row in reversed(self.rows):  # from the end: a reader is nearly always near the head
            if row.seq <= after:
                break
            newest.append(row)
        newest.reverse()
        return newest

    def wake(self) -> None:
        for follower in tuple(self.followers):
            try:
                follower.wake()
            except Exception:  # one reader's fault is nobody else's
                logger.exception("a follower could not be woken")


class Follower:
    """One registration. `wake` is called on the delivery loop."""

    __slots__ = ("_close", "_stream", "wake")

    def __init__(self, stream: Stream, wake: Callable[[], None], close: Callable[["Follower"], None]) -> None:
        self._stream = stream
        self._close = close
        self.wake = wake

    @property
    def auth_rev(self) -> int:
        """The newest revision of the user that is known here."""
        return self._stream.auth_rev

    @property
    def doubted(self) -> bool:
        """Nobody can say just now whether the user has been signed out: whoever delivers asks first."""
        return self._stream.doubted

    @property
    def over(self) -> bool:
        """The log has begun a new epoch: nothing more comes by this registration."""
        return self._stream.over

    @property
    def head(self) -> int:
        """The newest seq that is known here; -1 before the first read."""
        return self._stream.head

    def close(self) -> None:
        """End the registration; harmless when it has ended."""
        self._close(self)
