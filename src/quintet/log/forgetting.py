"""Forgetting: events are taken out of a log and one event stands for each stretch of them.

1. The numbers stay: a range event has the place of the last event it stands for, and every reader still gets a log without a hole.
2. The cursors stay: the digests of what is gone are kept, so one that was given out goes on, and a made-up one is recognised.
3. Stretches that went at different times and touch become one, where the same stands for both.
4. Rings that may hold what is gone are emptied with the commit; the database files, when the transaction asks for it (`Tx.scrub`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from quintet.events import Draft
from quintet.log.numbers import Head, head_in
from quintet.store import Tx

__all__ = ["Forgotten", "Place", "forget_in"]

_DELETE = "DELETE FROM events WHERE user_id = ? AND seq BETWEEN ? AND ?"
_DELETE_ONE = "DELETE FROM events WHERE user_id = ? AND seq = ?"
_INSERT = (
    "INSERT INTO events (user_id, seq, first_seq, type, digest, final, body, segment) VALUES (?, ?, ?, ?, ?, 0, ?, ?)"
)
_KEEP = "INSERT INTO gone_digests (user_id, seq, digests) VALUES (?, ?, ?)"
_DROP = "DELETE FROM gone_digests WHERE user_id = ? AND seq = ?"
_RANGE = (
    "SELECT e.seq, e.first_seq, e.digest, e.body, g.digests FROM events e"
    " JOIN gone_digests g ON g.user_id = e.user_id AND g.seq = e.seq WHERE e.user_id = ?"
)
_BEFORE = f"{_RANGE} AND e.seq = ?"
_AFTER = f"{_RANGE} AND e.seq = (SELECT min(seq) FROM events WHERE user_id = ? AND seq > ?) AND e.first_seq = ?"  # noqa: S608 - of constants


class Forgotten(NamedTuple):
    """A fact published with the commit: events of this user that were read before are not the log's any more."""

    user_id: str


class Place(NamedTuple):
    """An event by its position and its digest."""

    seq: int
    digest: str


class _Subject(msgspec.Struct):
    type: str
    thread_id: str | None = None


_subject_of = msgspec.json.Decoder(_Subject).decode


def forget_in(tx: Tx, user_id: str, gone: Iterable[Place], stand_in: Callable[[str], Draft]) -> None:
    """Replace the events at `gone` by one range event for each stretch of neighbours.

    `stand_in` makes the event for a stretch; the id it gives it must begin with the digest it is handed, which is that of the
    stretch's last event: a cursor there stays what it was. What is too old to be read leaves nothing in its place.
    """
    head, places = head_in(tx, user_id), sorted(gone)
    tx.many(_DELETE_ONE, [(user_id, place.seq) for place in places if place.seq <= head.kept_after])
    for stretch in _stretches([place for place in places if place.seq > head.kept_after]):
        _replace(tx, user_id, head, stretch, stand_in)
    tx.publish(Forgotten(user_id))


def _replace(tx: Tx, user_id: str, head: Head, stretch: Sequence[Place], stand_in: Callable[[str], Draft]) -> None:
    first, last = stretch[0].seq, stretch[-1]
    made = stand_in(last.digest)
    digests = bytes.fromhex("".join(place.digest for place in stretch))
    before = tx.sql(_BEFORE, (user_id, first - 1)).fetchone() if first - 1 > head.kept_after else None
    after = tx.sql(_AFTER, (user_id, user_id, last.seq, last.seq + 1)).fetchone()
    if before is not None and _alike(before[3], made.body):
        tx.sql(_DROP, (user_id, before[0]))
        first, digests = before[1], before[4] + digests
    if after is not None and _alike(after[3], made.body):
        tx.sql(_DROP, (user_id, after[0]))
        last, digests = Place(after[0], after[2]), digests + after[4]
        made = stand_in(last.digest)
    tx.sql(_DELETE, (user_id, first, last.seq))
    tx.sql(_INSERT, (user_id, last.seq, first, made.type, made.digest, made.body, head.segment))
    tx.sql(_KEEP, (user_id, last.seq, digests))


def _alike(stored: bytes, made: bytes) -> bool:
    """Whether two range events say the same of the same thread."""
    return _subject_of(stored) == _subject_of(made)


def _stretches(places: Sequence[Place]) -> Iterator[Sequence[Place]]:
    start = 0
    for at in range(1, len(places) + 1):
        if at == len(places) or places[at].seq != places[at - 1].seq + 1:
            yield places[start:at]
            start = at
