"""Forgetting: events are taken out of a log and one event stands for each stretch of them.

1. The numbers stay: a range event has the place of the last event it stands for, and every reader still gets a log without a hole.
2. The cursors stay: the digests of what is gone are kept, so one that was given out goes on, and a made-up one is recognised.
3. Rings that may hold what is gone are emptied with the commit; the database files, when the transaction asks for it (`Tx.scrub`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from quintet.events import Draft
from quintet.store import Tx

__all__ = ["Forgotten", "Place", "forget_in"]

_DELETE = "DELETE FROM events WHERE user_id = ? AND seq BETWEEN ? AND ?"
_INSERT = "INSERT INTO events (user_id, seq, first_seq, type, digest, final, body) VALUES (?, ?, ?, ?, ?, 0, ?)"
_KEEP = "INSERT INTO gone_digests (user_id, seq, digests) VALUES (?, ?, ?)"


class Forgotten(NamedTuple):
    """A fact published with the commit: events of this user that were read before are not the log's any more."""

    user_id: str


class Place(NamedTuple):
    """An event by its position and its digest."""

    seq: int
    digest: str


def forget_in(tx: Tx, user_id: str, gone: Iterable[Place], stand_in: Callable[[str], Draft]) -> None:
    """Replace the events at `gone` by one range event for each stretch of neighbours.

    `stand_in` makes the event for a stretch; the id it gives it must begin with the digest it is handed, which is that of the
    stretch's last event: a cursor there stays what it was.
    """
    for stretch in _stretches(sorted(gone)):
        first, last = stretch[0], stretch[-1]
        made = stand_in(last.digest)
        tx.sql(_DELETE, (user_id, first.seq, last.seq))
        tx.sql(_INSERT, (user_id, last.seq, first.seq, made.type, made.digest, made.body))
        tx.sql(_KEEP, (user_id, last.seq, bytes.fromhex("".join(place.digest for place in stretch))))
    tx.publish(Forgotten(user_id))


def _stretches(places: Sequence[Place]) -> Iterator[Sequence[Place]]:
    start = 0
    for at in range(1, len(places) + 1):
        if at == len(places) or places[at].seq != places[at - 1].seq + 1:
            yield places[start:at]
            start = at
