"""Retention: events older than a time go, from the beginning of a log on. What was said stays in its thread.

1. Cut from the front only. The numbers stay, and the head row says up to where events are gone.
2. A cursor from before the cut gets `too_old`; one exactly at it goes on: the digest of the last event that went is kept.
3. An open run is never cut into, nor is anything behind its first event. What stands for deleted events goes with what follows it: it
   is as old as they were.
4. Short transactions, so that others' writes go between them. A crash between two leaves a log that is merely longer.
5. On SQLite rows are deleted. On PostgreSQL they are hidden and go with their segment, see `segments`; those of segment 0 are deleted.
6. To look costs some statements for every hundred users, so of several processes one looks. Two that do are no harm.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import msgspec

from quintet.events import timestamp
from quintet.log.forgetting import Forgotten
from quintet.log.numbers import head_in
from quintet.log.segments import Segments, turn_in
from quintet.periodic import Periodic
from quintet.sources import Sources
from quintet.store import CLOSED, Store, Tx

__all__ = ["Expiring", "expire_in"]

_DAY_MS = 86_400_000
_PERIOD = 3600.0  # seconds between two looks
_PORTION = 200  # events that one transaction takes away; of 64 KiB at most
_USERS = 100  # users that one look at the database judges
_STANDS_IN = "thread_deleted"  # younger than its place, perhaps
_FIRST_OPEN = "SELECT min(first_seq) FROM runs AS r WHERE r.user_id = {user} AND state IN ('queued', 'running')"
_OLDEST = "SELECT seq, first_seq, digest, body, segment FROM events WHERE user_id = ? AND seq > ? AND seq < ? ORDER BY seq LIMIT ?"
_USERS_AFTER = (
    "SELECT user_id, segment, (SELECT body FROM events AS e WHERE e.user_id = h.user_id AND e.seq > h.kept_after"  # noqa: S608
    f" ORDER BY e.seq LIMIT 1), ({_FIRST_OPEN.format(user='h.user_id')}) - kept_after"
    " FROM heads AS h WHERE user_id > ? AND epoch <> ? ORDER BY user_id LIMIT ?"
)


class _Stamp(msgspec.Struct):
    type: str
    time: str


class Due(NamedTuple):
    """A user who may have events that are to go, and who `turns` to the newest segment."""

    user_id: str
    loses: bool
    turns: bool


_stamp_of = msgspec.json.Decoder(_Stamp).decode


def expire_in(tx: Tx, user_id: str, before_ms: int) -> bool:
    """Take away a portion of the events that were told before `before_ms` (Unix milliseconds); True when there may be more."""
    rows = _portion_in(tx, user_id, before_ms)
    if not rows:
        return False
    seq, _, digest, _, _ = rows[-1]
    if any(segment == 0 for *_, segment in rows):
        tx.sql("DELETE FROM events WHERE user_id = ? AND seq <= ? AND segment = 0", (user_id, seq))
    tx.sql("DELETE FROM gone_digests WHERE user_id = ? AND seq <= ?", (user_id, seq))
    tx.sql("INSERT INTO gone_digests (user_id, seq, digests) VALUES (?, ?, ?)", (user_id, seq, bytes.fromhex(digest)))
    tx.sql("UPDATE heads SET kept_after = ? WHERE user_id = ?", (seq, user_id))
    tx.publish(Forgotten(user_id))
    return len(rows) == _PORTION


def _portion_in(tx: Tx, user_id: str, before_ms: int) -> list[Any]:
    """The next events that are to go, as many as one transaction takes."""
    head, before = head_in(tx, user_id), timestamp(before_ms)
    first_open = tx.sql(_FIRST_OPEN.format(user="?"), (user_id,)).fetchone()[0] or head.seq + 1
    rows: list[Any] = tx.sql(_OLDEST, (user_id, head.kept_after, first_open, _PORTION)).fetchall()
    going = 0
    for place, (_, first_seq, _, body, _) in enumerate(rows, 1):
        if _stamp_of(body).time < before:
            going = place
        elif first_seq is None:
            break
    return rows[:going]


def _due_in(tx: Tx, after: str, before_ms: int, newest: int) -> tuple[list[Due], str | None]:
    """Of the next users those with whom there is something to do, and the last user that was judged; None at the end."""
    users, before = tx.sql(_USERS_AFTER, (after, CLOSED, _USERS)).fetchall(), timestamp(before_ms)
    found = []
    for user_id, segment, oldest, to_open in users:  # of nearly all nothing has become too old since the last look
        stamp = None if oldest is None or to_open == 1 else _stamp_of(oldest)
        loses = stamp is not None and stamp.time < before
        if stamp is not None and not loses and stamp.type == _STANDS_IN:
            loses = bool(_portion_in(tx, user_id, before_ms))
        found.append(Due(user_id, loses, segment < newest))
    return [due for due in found if due.loses or due.turns], users[-1][0] if users else None


class Expiring:
    """Looks once an hour whether anything has become older than `days`, where it is for this process to look: `mine`."""

    def __init__(
        self, store: Store, sources: Sources, days: int, *, mine: Callable[[Tx], bool] = lambda tx: True
    ) -> None:
        self._store = store
        self._sources = sources
        self._days = days
        self._segments = Segments(store, sources, days * _DAY_MS) if store.shared else None
        self._mine = mine
        self._looking = Periodic("taking away what is too old", self.look, _PERIOD)
        self.close = self._looking.close

    def start(self) -> None:
        """Begin, on the running loop. Nothing ever goes when `days` is 0."""
        if self._days:
            self._looking.start()

    async def look(self) -> None:
        """Take away what is too old. Raises QuintetError: the store cannot."""
        if not await self._store.read(self._mine):
            return
        newest = await self._segments.newest() if self._segments else 0
        before_ms = self._sources.now_ms() - self._days * _DAY_MS
        last: str | None = ""
        while last is not None:
            due, last = await self._store.read(partial(_due_in, after=last, before_ms=before_ms, newest=newest))
            for user_id, loses, turns in due:
                expire = partial(expire_in, user_id=user_id, before_ms=before_ms)
                while loses and await self._store.write(user_id, expire):
                    pass
                if turns:
                    await self._store.write(user_id, partial(turn_in, user_id=user_id, segment=newest))
        if self._segments:
            await self._segments.drop()
