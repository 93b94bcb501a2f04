"""Retention: events older than a time go, from the beginning of a log on. What was said stays in its thread.

1. Cut from the front only. The numbers stay, and the head row says up to where events are gone.
2. A cursor from before the cut gets `too_old`; one exactly at it goes on: the digest of the last event that went is kept.
3. An open run is never cut into, nor is anything behind its first event.
4. Short transactions, so that others' writes go between them. A crash between two leaves a log that is merely longer.
5. On SQLite rows are deleted. On PostgreSQL they are hidden and go with their segment, see `segments`; those of segment 0 are deleted.
6. To look costs some statements for every user, so of several processes one looks. Two that do are no harm.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import msgspec

from quintet.events import timestamp
from quintet.log.forgetting import Forgotten
from quintet.log.numbers import head_in
from quintet.log.segments import Segments, turn_in
from quintet.periodic import Periodic
from quintet.sources import Sources
from quintet.store import CLOSED, Store, Tx

__all__ = ["Expiring", "cut_in", "expire_in"]

_DAY_MS = 86_400_000
_PERIOD = 3600.0  # seconds between two looks
_PORTION = 500  # events that one transaction takes away
_USERS = 100  # users that one look at the database judges
_OPEN = "SELECT min(first_seq) FROM runs WHERE user_id = ? AND state IN ('queued', 'running')"
_PROBE = "SELECT seq, first_seq, body FROM events WHERE user_id = ? AND seq >= ? ORDER BY seq LIMIT 1"
_ROWS = "SELECT seq FROM events WHERE user_id = ? AND seq > ? AND seq <= ? AND segment = 0 ORDER BY seq LIMIT ?"
_LAST = "SELECT seq, digest FROM events WHERE user_id = ? AND seq > ? AND seq <= ? ORDER BY seq DESC LIMIT 1"
_DUE = "SELECT user_id, kept_after, segment FROM heads WHERE user_id > ? AND epoch <> ? ORDER BY user_id LIMIT ?"


class _Stamp(msgspec.Struct):
    time: str


class Due(NamedTuple):
    """A user whose events up to `cut` are to go, where that is any, and who `turns` to the newest segment."""

    user_id: str
    cut: int | None
    turns: bool


_stamp_of = msgspec.json.Decoder(_Stamp).decode


def cut_in(tx: Tx, user_id: str, before_ms: int) -> int:
    """The last event that may go, when everything told before `before_ms` (Unix milliseconds) is to; `kept_after` if none."""
    head, before = head_in(tx, user_id), timestamp(before_ms)
    low, high = head.kept_after, head.seq
    first_open = tx.sql(_OPEN, (user_id,)).fetchone()[0]
    if first_open is not None:
        high = min(high, first_open - 1)
    while (
        low < high
    ):  # a log is told in the order of time, but for ranges: those are younger than their place, and stop the cut
        seq, first_seq, body = tx.sql(_PROBE, (user_id, (low + high) // 2 + 1)).fetchone()
        if seq <= high and _stamp_of(body).time < before:
            low = seq
        else:
            high = min(high, first_seq or seq) - 1
    return max(low, head.kept_after)


def expire_in(tx: Tx, user_id: str, cut: int) -> bool:
    """Take away a portion of the events up to `cut`; True when there is more."""
    kept_after = head_in(tx, user_id).kept_after
    rows = tx.sql(_ROWS, (user_id, kept_after, cut, _PORTION)).fetchall()
    more = len(rows) == _PORTION
    last = tx.sql(_LAST, (user_id, kept_after, rows[-1][0] if more else cut)).fetchone()
    if last is None:
        return False
    seq, digest = last
    tx.sql("DELETE FROM events WHERE user_id = ? AND seq <= ? AND segment = 0", (user_id, seq))
    tx.sql("DELETE FROM gone_digests WHERE user_id = ? AND seq <= ?", (user_id, seq))
    tx.sql("INSERT INTO gone_digests (user_id, seq, digests) VALUES (?, ?, ?)", (user_id, seq, bytes.fromhex(digest)))
    tx.sql("UPDATE heads SET kept_after = ? WHERE user_id = ?", (seq, user_id))
    tx.publish(Forgotten(user_id))
    return more


def _due_in(tx: Tx, after: str, before_ms: int, newest: int) -> tuple[list[Due], str | None]:
    """Of the next users those with whom there is something to do, and the last user that was judged; None at the end."""
    users = tx.sql(_DUE, (after, CLOSED, _USERS)).fetchall()
    found = []
    for user_id, kept_after, segment in users:
        cut = cut_in(tx, user_id, before_ms)
        found.append(Due(user_id, cut if cut > kept_after else None, segment < newest))
    return [due for due in found if due.cut is not None or due.turns], users[-1][0] if users else None


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
            for user_id, cut, turns in due:
                while cut is not None and await self._store.write(
                    user_id, partial(expire_in, user_id=user_id, cut=cut)
                ):
                    pass
                if turns:
                    await self._store.write(user_id, partial(turn_in, user_id=user_id, segment=newest))
        if self._segments:
            await self._segments.drop()
