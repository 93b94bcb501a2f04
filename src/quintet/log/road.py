"""The log as its users see it: append from anywhere, follow and read on the delivery loop.

A reader registers first and reads then; a wake-up may be lost, doubled or late, and a slow poll covers the loss.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from quintet.errors import QuintetError
from quintet.events import Draft, splice
from quintet.log.forgetting import Forgotten
from quintet.log.heads import Heads, heads_of, revision_apart
from quintet.log.numbers import Append, Appended, gather, head_in
from quintet.log.reading import Batch, Position, Resync, Row, read_in, resolve_in
from quintet.log.stream import RING_BYTES, Follower, Stream
from quintet.periodic import Periodic
from quintet.store import Elsewhere, Renewed, Revision, Store

__all__ = ["Log"]

_AT_ONCE = 500  # heads that one read looks at
POLL_SECONDS = 4.0  # how late a lost wake-up may be noticed; the promise is 5 s


class Log:
    """Appending from any thread or loop; following and reading on the delivery loop, the one that called `start`."""

    def __init__(self, store: Store, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._store = store
        self._streams: dict[str, Stream] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._polling = Periodic("polling the heads", self.look, poll_seconds, at_once=False)
        self._elsewhere: set[str] = set()  # users that others have written for, not looked at yet
        self._looking: asyncio.Task[None] | None = None
        store.on_commit(self._committed)

    async def start(self) -> None:
        """Make the running loop the one that follows."""
        self._loop = asyncio.get_running_loop()
        self._polling.start()

    async def close(self) -> None:
        """Stop looking."""
        await self._polling.close()
        if self._looking is not None:
            self._looking.cancel()

    async def append(self, user_id: str, run_id: str, attempt: int, drafts: Sequence[Draft]) -> None:
        """Append events of a run, all or none, durable when this returns.

        Raises:
            Fenced: the run has ended or is another attempt's.
            Stopped: one of them is `tool_executing` and a cancel was committed.
            QuintetError: the store cannot.
        """
        await self._store.of(user_id).gather(user_id, gather, Append(user_id, run_id, attempt, drafts))

    def append_nowait(self, user_id: str, run_id: str, attempt: int, drafts: Sequence[Draft]) -> "Future[None]":
        """`append` for plain threads."""
        return self._store.of(user_id).submit_gather(user_id, gather, Append(user_id, run_id, attempt, drafts))

    async def head(self, user_id: str) -> tuple[int, str]:
        """The last seq and its cursor."""
        head = await self._store.of(user_id).read(lambda tx: head_in(tx, user_id))
        return head.seq, head.cursor

    async def resolve(self, user_id: str, asked: str) -> Position | Resync:
        """Where the cursor `asked` stands in this user's log; `0` is the beginning of what is kept, `$` now."""
        found, head = await self._store.of(user_id).read(
            lambda tx: (resolve_in(tx, user_id, asked), head_in(tx, user_id))
        )
        self._know(user_id, head.seq, max(head.auth_rev, await revision_apart(self._store, user_id)))
        return found

    def follow(self, user_id: str, wake: Callable[[], None]) -> Follower:
        """Register for wake-ups. Must happen before the first read, or a commit in between is seen too late."""
        stream = self._streams.get(user_id)
        if stream is None:
            stream = self._streams[user_id] = Stream()

        def close(follower: Follower) -> None:
            if follower in stream.followers:
                stream.followers.remove(follower)
            if not stream.followers and self._streams.get(user_id) is stream:
                del self._streams[user_id]

        follower = Follower(stream, wake, close)
        stream.followers.append(follower)
        return follower

    def recent(self, user_id: str, after: int) -> Batch | None:
        """Rows after `after` from the ring, without waiting; None when the database must be asked."""
        stream = self._streams.get(user_id)
        rows = None if stream is None or stream.doubted else stream.after(after)
        return None if rows is None or stream is None else Batch(rows, stream.head, stream.auth_rev)

    async def read(self, user_id: str, after: int, *, limit: int = 256, size: int = 256 * 1024) -> Batch:
        """Rows after `after`, from the ring or the database. At most `limit` rows and about `size` bytes."""
        recent = self.recent(user_id, after)
        if recent is not None:
            return _bounded(recent, limit, size)
        batch = await self._store.of(user_id).read(lambda tx: read_in(tx, user_id, after, limit, size))
        self._know(user_id, batch.head, batch.auth_rev)
        return batch

    def _know(self, user_id: str, head: int, auth_rev: int) -> None:
        """Take note of a head that was read. News is news for every follower of the user."""
        stream = self._streams.get(user_id)
        if stream is None:
            return
        news = auth_rev > stream.auth_rev or head > stream.head
        stream.auth_rev = max(stream.auth_rev, auth_rev)
        stream.head = max(stream.head, head)  # ahead of the ring: `after` then falls through to the database
        if news:
            stream.wake()

    def _know_all(self, asked: Sequence[str], heads: Heads) -> None:
        for user_id in asked:
            if (stream := self._streams.get(user_id)) is not None:
                stream.doubted = user_id in heads.in_doubt
            if (head := heads.found.get(user_id)) is not None:
                self._know(user_id, head.seq, head.auth_rev)
            elif stream is not None and not stream.doubted:
                stream.auth_rev += 1  # the account was deleted elsewhere: its sessions are asked after
                stream.wake()

    def _committed(self, facts: Sequence[Any]) -> None:
        """In the committing thread: splice what somebody here follows and hand it to the delivery loop."""
        if self._loop is None:
            return
        news: dict[Stream, list[Row | Forgotten]] = {}
        revisions: dict[Stream, int] = {}
        elsewhere: list[str] = []
        for fact in facts:
            if isinstance(fact, Renewed):
                self._on_the_loop(self._renew, fact)
                continue
            stream = (
                self._streams.get(fact.user_id)
                if isinstance(fact, Appended | Elsewhere | Forgotten | Revision)
                else None
            )
            if stream is None:  # nobody here follows, or it is no news for a follower
                continue
            if isinstance(fact, Appended):
                news.setdefault(stream, []).extend(_rows(fact))
            elif isinstance(fact, Forgotten):
                news.setdefault(stream, []).append(fact)
            elif isinstance(fact, Revision):
                revisions[stream] = fact.auth_rev
                news.setdefault(stream, [])
            elif isinstance(fact, Elsewhere):
                elsewhere.append(fact.user_id)
        if news:
            self._on_the_loop(self._tell, news, revisions)
        if elsewhere:
            self._on_the_loop(self._told, elsewhere)

    def _on_the_loop(self, call: Callable[..., None], *args: Any) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed
                self._loop.call_soon_threadsafe(call, *args)

    def _tell(self, news: dict[Stream, list[Row | Forgotten]], revisions: dict[Stream, int]) -> None:
        """To the very streams that were followed at the commit: one opened since may know a newer head than these rows."""
        for stream, facts in news.items():
            stream.auth_rev = max(stream.auth_rev, revisions.get(stream, 0))
            rows: list[Row] = []
            for fact in facts:
                if isinstance(fact, Row):
                    rows.append(fact)
                    continue
                stream.add(rows)  # those who were at the head still see how it ended
                stream.wake()
                stream.forget()
                rows = []
            stream.add(rows)
            stream.wake()

    def _told(self, users: Sequence[str]) -> None:
        """Other processes have committed: one look at all who were told of since the last one."""
        self._elsewhere.update(users)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look_elsewhere())

    async def _look_elsewhere(self) -> None:
        while self._elsewhere:
            users = list(self._elsewhere)[:_AT_ONCE]
            self._elsewhere.difference_update(users)
            try:
                heads = await heads_of(self._store, users)
            except QuintetError:  # the slow poll looks again
                continue
            for user_id in heads.found:
                if (stream := self._streams.get(user_id)) is not None:
                    stream.forget()  # what was committed elsewhere may have taken something out of it
            self._know_all(users, heads)

    def _renew(self, renewed: Renewed) -> None:
        """Streams have begun a new epoch. Whoever follows is told to come again with its cursor, which then gets `resync`."""
        every, home = renewed.cell is None, self._store.cells[0]
        concerned = [user for user in self._streams if every or (self._store.apart(user) or home) is renewed.cell]
        for stream in [self._streams.pop(user) for user in concerned]:
            stream.over = True
            stream.wake()

    async def look(self) -> None:
        """Look at the heads of all who are followed, and wake them: covers lost wake-ups, of a single follower too, and what
        is written beside this process. Who is at the head finds nothing, in a few microseconds."""
        users = list(self._streams)
        for start in range(0, len(users), _AT_ONCE):
            heads = await heads_of(self._store, users[start : start + _AT_ONCE])
            self._know_all(users[start : start + _AT_ONCE], heads)
            for user_id in heads.found:
                if (stream := self._streams.get(user_id)) is not None:
                    stream.wake()


def _rows(told: Appended) -> list[Row]:
    """The events as they go out."""
    epoch, seq, place = told.epoch, told.after, told.run_after
    rows = []
    for draft in told.drafts:
        seq += 1
        if place is not None:
            place += 1
        rows.append(Row(seq, seq, splice(epoch, seq, draft.digest, draft.body, run_seq=place)))
    return rows


def _bounded(batch: Batch, limit: int, size: int) -> Batch:
    """The ring's rows within the bounds of a read."""
    rows = batch.rows
    if len(rows) <= 1 or (len(rows) <= limit and size >= RING_BYTES):
        return batch
    total, kept = 0, 0
    for row in rows[:limit]:
        total += len(row.frame)
        if kept and total > size:
            break
        kept += 1
    return Batch(rows[:kept], batch.head, batch.auth_rev)
