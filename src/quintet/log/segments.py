"""Segments: on PostgreSQL the log is partitioned, and what is too old goes with its table instead of row by row.

1. A user's head says to which segment new events go, and after which number: what is newer is in that segment or a later one, so whoever
   reads near the head asks one partition.
2. Segment 0 is everybody's first, and where events come to from another database. Its age is not known: there, as on SQLite, they go one by one.
3. A segment is over when the next one began longer ago than events are kept. What can still be read in it (an open run, an event that
   stands for deleted ones) is carried to the user's own segment; then the table is dropped.
4. It is dropped at the look after the one that found it over: no reader has a state of the database from before its events were hidden.
"""

import logging
from functools import partial

from quintet.errors import QuintetError
from quintet.sources import Sources
from quintet.store import CLOSED, Store, Tx

__all__ = ["Segments", "turn_in"]

log = logging.getLogger(__name__)

_IN_ALL = 8  # segments in the time that events are kept: their bytes are there for an eighth of it longer, at most, and two looks
_PORTION = 500  # events that one transaction carries
_USERS = 100  # users that one look at the database judges
_PATIENCE = "SET LOCAL lock_timeout = '200ms'"  # whoever wants to read waits behind whoever waits to drop
_USUAL = "SET LOCAL lock_timeout = '10s'"

_NEWEST = "SELECT number, began_at FROM segments ORDER BY number DESC LIMIT 1"
_TURN = "UPDATE heads SET segment = ?, segment_after = seq WHERE user_id = ? AND segment < ? AND epoch <> ?"
_OVER = "SELECT number FROM segments AS s WHERE EXISTS (SELECT 1 FROM segments AS n WHERE n.number > s.number AND n.began_at <= ?)"
_READABLE = (
    "SELECT user_id, EXISTS (SELECT 1 FROM events AS e WHERE e.user_id = h.user_id AND e.segment = ?"
    " AND e.seq > h.kept_after) FROM heads AS h WHERE user_id > ? ORDER BY user_id LIMIT ?"
)
_CARRY = (
    "UPDATE events SET segment = h.segment FROM heads AS h WHERE h.user_id = events.user_id AND h.segment <> events.segment"
    " AND events.user_id = ? AND events.segment = ? AND events.seq IN (SELECT e.seq FROM events AS e JOIN heads AS k ON k.user_id = e.user_id"
    " WHERE e.user_id = ? AND e.segment = ? AND e.seq > k.kept_after ORDER BY e.seq LIMIT ?)"
)


def turn_in(tx: Tx, user_id: str, segment: int) -> None:
    """From here on the user's events go to this segment. Does nothing to whoever is there, nor to a log that is in another database."""
    tx.sql(_TURN, (segment, user_id, segment, CLOSED))


def _newest_in(tx: Tx, now_ms: int, lasts_ms: int) -> tuple[int, bool]:
    """The newest segment, and whether it is time for the next one."""
    number, began_at = tx.sql(_NEWEST).fetchone() or (0, 0)
    return number, now_ms >= began_at + lasts_ms


def _begin_in(tx: Tx, now_ms: int, lasts_ms: int) -> int:
    number, due = _newest_in(tx, now_ms, lasts_ms)
    if not due:
        return number  # another process was quicker
    number += 1
    tx.sql(_PATIENCE)
    # Made and then attached: to make it in its place would lock out every reader.
    tx.sql(f"CREATE TABLE events_{number} (LIKE events INCLUDING DEFAULTS, CHECK (segment = {number}))")
    tx.sql(f"ALTER TABLE events ATTACH PARTITION events_{number} FOR VALUES IN ({number})")
    tx.sql("INSERT INTO segments (number, began_at) VALUES (?, ?)", (number, now_ms))
    tx.sql(_USUAL)
    return number


def _over_in(tx: Tx, before_ms: int) -> frozenset[int]:
    return frozenset(number for (number,) in tx.sql(_OVER, (before_ms,)))


def _readable_in(tx: Tx, number: int, after: str) -> tuple[list[str], str | None]:
    """Of the next users those who have something in this segment, and the last user that was judged; None at the end."""
    rows = tx.sql(_READABLE, (number, after, _USERS)).fetchall()
    return [user_id for user_id, some in rows if some], rows[-1][0] if rows else None


def _carry_in(tx: Tx, user_id: str, number: int) -> bool:
    """Carry a portion of what can still be read; True when there may be more."""
    return bool(tx.sql(_CARRY, (user_id, number, user_id, number, _PORTION)).rowcount == _PORTION)


def _drop_in(tx: Tx, number: int) -> bool:
    if tx.sql("SELECT 1 FROM heads WHERE segment = ? LIMIT 1", (number,)).fetchone():
        return False  # another cluster took over meanwhile, which lacks what this look has done
    tx.sql(_PATIENCE)
    tx.sql(f"DROP TABLE events_{number}")
    tx.sql("DELETE FROM segments WHERE number = ?", (number,))
    tx.sql(_USUAL)
    return True


class Segments:
    """Those of a store on PostgreSQL, whose events are kept for `kept_ms` milliseconds."""

    def __init__(self, store: Store, sources: Sources, kept_ms: int) -> None:
        self._store = store
        self._sources = sources
        self._kept_ms = kept_ms
        self._over: frozenset[int] = frozenset()  # at the last look

    async def newest(self) -> int:
        """Where new events are to go; a new one when the last has lasted its time. Raises QuintetError: the store cannot."""
        now_ms, lasts_ms = self._sources.now_ms(), self._kept_ms // _IN_ALL
        number, due = await self._store.read(partial(_newest_in, now_ms=now_ms, lasts_ms=lasts_ms))
        if not due:
            return number
        return await self._store.write("", partial(_begin_in, now_ms=now_ms, lasts_ms=lasts_ms))

    async def drop(self) -> None:
        """Drop what was over at the last look, and look what is; everybody writes to the newest. Raises QuintetError: the store cannot."""
        before_ms = self._sources.now_ms() - self._kept_ms
        over = await self._store.read(partial(_over_in, before_ms=before_ms))
        for number in sorted(over & self._over):
            await self._carry(number)
            await self._drop(number)
        self._over = over

    async def _carry(self, number: int) -> None:
        last: str | None = ""
        while last is not None:
            found, last = await self._store.read(partial(_readable_in, number=number, after=last))
            for user_id in found:
                while await self._store.write(user_id, partial(_carry_in, user_id=user_id, number=number)):
                    pass

    async def _drop(self, number: int) -> None:
        try:
            if await self._store.write("", partial(_drop_in, number=number)):
                log.info("segment %d of the log has gone: nothing in it was young enough to be read", number)
        except QuintetError as refusal:
            if refusal.code != "busy":
                raise
            log.info("segment %d of the log could not go: somebody reads it, such as a backup; tried again", number)
