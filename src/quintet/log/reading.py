"""Reading: what comes after a position, and what a cursor is worth in this log."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from quintet.events import cursor, splice
from quintet.log.numbers import Head, head_in
from quintet.store import Tx

__all__ = ["Batch", "Position", "Resync", "Row", "heads_in", "read_in", "resolve_in"]

_READ = (
    "SELECT seq, first_seq, run_seq, digest, body FROM events"
    " WHERE user_id = ? AND seq > ? AND segment >= ? ORDER BY seq LIMIT ?"
)
_HEADS = "SELECT user_id, epoch, seq, digest, kept_after, auth_rev, segment, segment_after FROM heads"
_AT = "SELECT digest FROM events WHERE user_id = ? AND seq = ?"
_GONE = "SELECT digests FROM gone_digests WHERE user_id = ? AND seq = ?"
_AROUND = (
    "SELECT e.first_seq, g.digests FROM events e JOIN gone_digests g ON g.user_id = e.user_id AND g.seq = e.seq"
    " WHERE e.user_id = ? AND e.seq = (SELECT min(seq) FROM events WHERE user_id = ? AND seq > ?)"
)
_CURSOR = re.compile(r"([a-z0-9]{1,16})\.(0|[1-9][0-9]{0,17})\.(0|[0-9a-f]{8})")


class Row(msgspec.Struct, frozen=True, gc=False):
    """One event as it goes out. It stands for `first_seq..seq`, which are the same but for ranges."""

    seq: int
    first_seq: int
    frame: bytes


class Batch(NamedTuple):
    """Rows after a position, in order, dense; the log's last seq and the user's revision when they were read."""

    rows: list[Row]
    head: int
    auth_rev: int


class Position(NamedTuple):
    """A cursor that was understood: everything after `after` is still to come."""

    after: int
    cursor: str
    auth_rev: int


class Resync(NamedTuple):
    """A cursor that cannot be gone on from, and the one before the first event that is kept."""

    reason: str
    first: str


def read_in(tx: Tx, user_id: str, after: int, limit: int, size: int) -> Batch:
    """Rows after `after`: at most `limit`, and no more than `size` bytes unless the first alone is larger.

    An event that stands for several is cut for a reader inside of it: it then begins right after `after`.
    """
    head = head_in(tx, user_id)
    after = max(after, head.kept_after)  # what is before may still be there, until its segment goes
    rows: list[Row] = []
    total = 0
    for seq, first_seq, run_seq, digest, body in tx.sql(_READ, (user_id, after, head.segment_of(after), limit)):
        total += len(body)
        if rows and total > size:
            break
        first = None if first_seq is None else max(first_seq, after + 1)
        frame = splice(head.epoch, seq, digest, body, run_seq=run_seq, first_seq=first)
        rows.append(Row(seq, first or seq, frame))
    return Batch(rows, head.seq, head.auth_rev)


def resolve_in(tx: Tx, user_id: str, asked: str) -> Position | Resync:
    head = head_in(tx, user_id)
    first = cursor(head.epoch, head.kept_after, _digest_at(tx, user_id, head, head.kept_after) or "0")
    if asked == "0":
        return Position(head.kept_after, first, head.auth_rev)
    if asked == "$":
        return Position(head.seq, head.cursor, head.auth_rev)
    parts = _CURSOR.fullmatch(asked)
    if parts is None:
        return Resync("malformed", first)
    seq = int(parts[2])
    if parts[1] != head.epoch:
        return Resync("epoch", first)
    if seq > head.seq:
        return Resync("future", first)
    if seq < head.kept_after:
        return Resync("too_old", first)
    if _digest_at(tx, user_id, head, seq) != parts[3]:
        return Resync("epoch", first)
    return Position(seq, asked, head.auth_rev)


def _digest_at(tx: Tx, user_id: str, head: Head, seq: int) -> str | None:
    """Of the event at `seq`, also when it is gone; `0` at the beginning. The head knows its own."""
    if seq == head.seq:
        return head.digest
    if seq == 0:
        return "0"
    if seq == head.kept_after:
        gone = tx.sql(_GONE, (user_id, seq)).fetchone()
        return "0" if gone is None else bytes(gone[0][-4:]).hex()
    row = tx.sql(_AT, (user_id, seq)).fetchone()
    return str(row[0]) if row is not None else _digest_inside(tx, user_id, seq)


def _digest_inside(tx: Tx, user_id: str, seq: int) -> str | None:
    """Of an event that another one stands for."""
    row = tx.sql(_AROUND, (user_id, user_id, seq)).fetchone()
    at = -1 if row is None else 4 * (seq - row[0])
    return bytes(row[1][at : at + 4]).hex() if at >= 0 else None


def heads_in(tx: Tx, users: Sequence[str]) -> dict[str, Head]:
    marks = ", ".join("?" * len(users))
    rows = tx.sql(f"{_HEADS} WHERE user_id IN ({marks})", users)
    return {row[0]: Head(*row[1:]) for row in rows}
