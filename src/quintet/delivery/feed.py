"""A feed: one reader of one user's log, from a cursor onward. Replay and live are the same lines.

1. It registers first and reads then: what is committed in between wakes it. The other order can miss an event.
2. It is made from an identity and asks for that user's rows only; there is no way to hand it somebody else's.
3. Nothing is queued for a slow reader: while the outlet is full the position stays where it is, and the log keeps the rest.
4. When the user's revision is newer than the one the session was checked at, nothing goes out before it was checked again.
5. One thing at a time: a wake-up while it reads is remembered, and it looks again afterwards.
"""

import asyncio
import logging
from typing import Protocol

import msgspec

from quintet.delivery.config import Parts
from quintet.errors import QuintetError
from quintet.log import Batch, Resync, Row
from quintet.protocol import caught_up, following, resync
from quintet.scope import Identity

__all__ = ["Feed", "Outlet"]

logger = logging.getLogger(__name__)

READ_EVENTS = 256
_CAUGHT_UP = -1


class Outlet(Protocol):
    """Where a feed's frames go. `writable` turns false when the reader takes nothing more for now."""

    writable: bool

    def write(self, payloads: list[bytes]) -> None:
        """Send text messages, as one write."""

    def end(self, reason: str) -> None:
        """Close the socket with the code of this reason."""


class _Cursor(msgspec.Struct):
    cursor: str


_cursor_of = msgspec.json.Decoder(_Cursor).decode


class Feed:
    """The one feed of a socket. It exists from the moment the user is known, for revocation; rows flow after `follow`."""

    __slots__ = (
        "_after",
        "_closed",
        "_cursor",
        "_follower",
        "_missed",
        "_outlet",
        "_parts",
        "_revision",
        "_target",
        "_task",
        "identity",
    )

    def __init__(self, parts: Parts, identity: Identity, outlet: Outlet) -> None:
        self.identity = identity
        self._parts = parts
        self._outlet = outlet
        self._revision = identity.auth_rev
        self._after: int | None = None  # the position; None: not following
        self._cursor = ""  # of the position, where no row tells it
        self._target: int | None = None  # the head seen first; when it is reached, _CAUGHT_UP
        self._missed = False
        self._closed = False
        self._task: asyncio.Task[None] | None = None
        self._follower = parts.log.follow(identity.user_id, self.wake)
        parts.connections.feeds.add(self)

    @property
    def behind(self) -> int:
        """Events that are known here and not handed over; none before it follows."""
        return 0 if self._after is None else max(0, self._follower.head - self._after)

    @property
    def suspect(self) -> bool:
        """Whether the session must be checked again before anything is done in its name."""
        return self._follower.auth_rev > self._revision or self._follower.doubted

    # --- the feed's verbs ---------------------------------------------------------------------------------------------

    async def follow(self, cursor: str, frame_id: str) -> bool:
        """Start or restart after `cursor`; False when it was answered by `resync`, after which nothing comes.

        Raises:
            QuintetError: the store cannot; then nothing comes either.
        """
        self._halt()
        try:
            found = await self._parts.log.resolve(self.identity.user_id, cursor)
            if isinstance(found, Resync):
                self._parts.connections.counted[f"resync_{found.reason}"] += 1
                self._outlet.write([resync(found.reason, found.first, frame_id)])
                return False
            self._outlet.write([following(frame_id, found.cursor, found.after)])
            self._after, self._cursor, self._target = found.after, found.cursor, None
            return True
        finally:
            self.wake()  # for the rows, and for a check of the session that the halt has broken off

    def renew(self, identity: Identity) -> None:
        """The same session, checked at a newer time."""
        self.identity = identity
        self._revision = max(self._revision, identity.auth_rev)

    async def confirm(self) -> bool:
        """Check the session again. When it has ended the outlet is closed and this answers False."""
        return await self._confirm(self._follower.auth_rev)

    def close(self) -> None:
        """End the registration; nothing goes out any more."""
        self._closed = True
        self._halt()
        self._parts.connections.feeds.discard(self)
        self._follower.close()

    def _halt(self) -> None:
        self._after = None
        self._missed = False
        if self._task is not None:
            self._task.cancel()
            self._task = None

    # --- the pump -----------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Look again. Called on the loop for every commit of the user, and whenever the outlet has room again."""
        if self._follower.over and not self._closed:
            self._halt()
            self._outlet.end("draining")  # it comes again with its cursor, and is told to start anew
            return
        if self._task is not None:
            self._missed = True
            return
        try:
            if not self._closed:
                self._pump()
        except Exception:  # a failure of one feed must not stop the waking of the others
            self._fail()

    def _pump(self) -> None:
        outlet, user_id, recent = self._outlet, self.identity.user_id, self._parts.log.recent
        while self._after is not None and outlet.writable:
            batch = recent(user_id, self._after)
            if batch is None or batch.auth_rev > self._revision:
                self._begin()
                return
            if not self._deliver(batch):
                return
        if self.suspect:
            self._begin()

    def _deliver(self, batch: Batch) -> bool:
        """Write rows until the outlet is full; True when there is more to look for at once."""
        after, rows = self._after, batch.rows
        if after is None:
            return False
        if self._target is None:
            self._target = batch.head
        if rows and rows[0].first_seq != after + 1:
            raise LookupError("a hole in the log")  # never seen; if it were, the client must not see past it
        if len(rows) == 1:  # by far the most frequent case
            self._after = rows[0].seq
            frames = [rows[0].frame]
        else:
            frames = self._portioned(rows)
        self._parts.connections.delivered += (self._after or after) - after
        return self._finish(frames, batch)

    def _portioned(self, rows: list[Row]) -> list[bytes]:
        """Write whole portions, as long as the outlet takes them; returns the rest, which is less than one."""
        most = self._parts.config.write_bytes
        frames: list[bytes] = []
        size = 0
        for row in rows:
            frames.append(row.frame)
            size += len(row.frame)
            self._after = row.seq
            if size >= most:
                self._outlet.write(frames)
                frames, size = [], 0
                if not self._outlet.writable:
                    self._cursor = _cursor_of(row.frame).cursor
                    break
        return frames

    def _finish(self, frames: list[bytes], batch: Batch) -> bool:
        after, rows = self._after or 0, batch.rows
        if self._target != _CAUGHT_UP and after >= (self._target or 0) and self._outlet.writable:
            self._target = _CAUGHT_UP
            frames.append(caught_up(_cursor_of(rows[-1].frame).cursor if rows else self._cursor))
        if frames:
            self._outlet.write(frames)
        if self._parts.connections.told is not None:
            self._parts.connections.told(self.identity.user_id, after)
        return after < batch.head and bool(rows)

    # --- what has to wait ---------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        """What the ring cannot answer: the session, and older rows."""
        try:
            while await self._advance():
                pass
        except Exception:
            self._fail()
            return
        self._task = None
        if self._missed:
            self._missed = False
            self.wake()

    async def _advance(self) -> bool:
        if self.suspect and not await self._confirm(self._follower.auth_rev):
            return False
        if self._after is None or not self._outlet.writable:
            return False
        try:
            batch = await self._parts.log.read(
                self.identity.user_id, self._after, limit=READ_EVENTS, size=self._parts.config.write_bytes
            )
        except QuintetError:  # the store cannot just now; the socket stays
            await asyncio.sleep(self._parts.config.retry)
            return True
        if batch.auth_rev > self._revision and not await self._confirm(batch.auth_rev):
            return False
        return self._deliver(batch)

    async def _confirm(self, revision: int) -> bool:
        if not await self._ask():
            self._outlet.end("session_revoked")
            return False
        self._revision = max(self._revision, revision)
        return True

    async def _ask(self) -> bool:
        while True:
            try:
                return await self._parts.still_valid(self.identity)
            except QuintetError:  # nobody knows just now: nothing goes out until somebody does
                await asyncio.sleep(self._parts.config.retry)

    def _fail(self) -> None:
        logger.exception("a feed has failed")
        self._outlet.end("internal")
