"""Appending: where events get their numbers.

1. Numbers are given inside the committing transaction, under the lock of the stream's head row: commit order is order of `seq`.
2. An append carries its run's attempt number, checked in the transaction, once per run and batch: whoever lost the run cannot write.
3. A transaction with a `tool_executing` fails when a cancel of the run was committed before it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from quintet import events
from quintet.errors import QuintetError
from quintet.events import Draft
from quintet.store import CLOSED, Tx, holds

__all__ = ["Append", "Appended", "Fenced", "Head", "Stopped", "append_in", "create_head", "gather", "head_in"]

_HEAD = "SELECT epoch, seq, digest, kept_after, auth_rev, segment, segment_after FROM heads WHERE user_id = ?"
_SET_HEAD = "UPDATE heads SET seq = ?, digest = ? WHERE user_id = ?"
_FENCE = (  # the run and its user's head by one statement: each costs a hand-over of the interpreter's lock
    "SELECT r.attempt, r.state, r.run_seq, r.cancelled,"
    " h.epoch, h.seq, h.digest, h.kept_after, h.auth_rev, h.segment, h.segment_after"
    " FROM runs r JOIN heads h ON h.user_id = r.user_id WHERE r.user_id = ? AND r.id = ?"
)
_FENCES = (  # of many runs, where a statement costs a journey as well
    "SELECT r.user_id, r.id, r.attempt, r.state, r.run_seq, r.cancelled,"
    " h.epoch, h.seq, h.digest, h.kept_after, h.auth_rev, h.segment, h.segment_after"
    " FROM unnest(?::text[], ?::text[]) AS k (user_id, id) JOIN runs r ON r.user_id = k.user_id AND r.id = k.id"
    " JOIN heads h ON h.user_id = r.user_id"
)
_ELSEWHERE = 5  # seconds after which somebody may ask again; by then whoever asked the wrong database knows it
_SET_RUN = "UPDATE runs SET run_seq = ? WHERE user_id = ? AND id = ?"
_INSERT = (
    "INSERT INTO events (user_id, seq, run_id, run_seq, type, digest, final, body, segment)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class Fenced(Exception):  # noqa: N818 - it is no error of the caller's: the run has gone on without it
    """The run has ended, or another attempt owns it. Nothing was stored."""


class Stopped(Exception):  # noqa: N818 - likewise
    """A cancel of the run was committed before this. Nothing was stored. `reason` is the cancel's."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Head(NamedTuple):
    """The head row of a user's stream."""

    epoch: str
    seq: int
    digest: str
    kept_after: int
    auth_rev: int
    segment: int  # of new events
    segment_after: int

    def segment_of(self, after: int) -> int:
        """What comes after this number is in this segment or a later one, see `segments`."""
        return self.segment if after >= self.segment_after else 0

    @property
    def cursor(self) -> str:
        """The cursor of the newest event."""
        return events.cursor(self.epoch, self.seq, self.digest)


class Appended(msgspec.Struct, frozen=True, gc=False):
    """A fact published with the commit of events: they are numbered from `after` on, in their run from `run_after` on."""

    user_id: str
    epoch: str
    after: int
    run_after: int | None
    drafts: Sequence[Draft]


class Append(msgspec.Struct, frozen=True):
    user_id: str
    run_id: str
    attempt: int
    drafts: Sequence[Draft]


def create_head(tx: Tx, user_id: str, epoch: str) -> None:
    """Open a user's stream. `epoch` is random, lower-case letters and digits, at most 16. Where it is in another database, only the revision
    is kept here, and the head is closed."""
    here = holds(tx, user_id) is not False
    tx.sql("INSERT INTO heads (user_id, epoch) VALUES (?, ?)", (user_id, epoch if here else CLOSED))


def head_in(tx: Tx, user_id: str) -> Head:
    """The user's head row.

    Raises:
        KeyError: there is no such user.
        QuintetError: `unavailable`, their log is in another database.
    """
    row = tx.sql(_HEAD, (user_id,)).fetchone()
    if row is None:
        raise KeyError(user_id)
    if row[0] == CLOSED:
        raise QuintetError("unavailable", retry_after=_ELSEWHERE)
    return Head(*row)


def append_in(tx: Tx, user_id: str, run_id: str | None, run_seq: int, drafts: Sequence[Draft]) -> Head:
    """Append inside a transaction that has checked its right to. `run_seq` is the run's last; returns the new head.

    For events of no run pass None; then `run_seq` does not count.
    """
    head = head_in(tx, user_id)
    numbered = _Numbered(tx, {user_id: head})
    numbered.add(user_id, run_id, run_seq, drafts)
    numbered.write()
    return numbered.heads[user_id]


class _Numbered:
    """Rows that get their numbers in memory, under the transaction that holds the heads' lock."""

    def __init__(self, tx: Tx, heads: dict[str, Head]) -> None:
        self.tx = tx
        self.heads = heads
        self.rows: list[tuple[Any, ...]] = []

    def add(self, user_id: str, run_id: str | None, run_seq: int, drafts: Sequence[Draft]) -> int:
        if not drafts:
            return run_seq
        head = self.heads[user_id]
        seq = head.seq
        self.tx.publish(Appended(user_id, head.epoch, seq, None if run_id is None else run_seq, drafts))
        for draft in drafts:
            seq += 1
            run_seq += 1
            place = None if run_id is None else run_seq
            row = (user_id, seq, run_id, place, draft.type, draft.digest, int(draft.final), draft.body, head.segment)
            self.rows.append(row)
        self.heads[user_id] = head._replace(seq=seq, digest=draft.digest)
        return run_seq

    def write(self) -> None:
        self.tx.many(_INSERT, self.rows)
        self.tx.many(_SET_HEAD, [(head.seq, head.digest, user_id) for user_id, head in self.heads.items()])


class _Fence:
    """What a run allows, read once per batch."""

    __slots__ = ("attempt", "cancelled", "run_seq", "state")

    def __init__(self, row: tuple[int, str, int, str | None] | None) -> None:
        self.attempt, self.state, self.run_seq, self.cancelled = row or (-1, "", 0, None)

    def refusal(self, append: Append) -> Exception | None:
        if self.state != "running" or self.attempt != append.attempt:
            return Fenced()
        if any(draft.final for draft in append.drafts):
            return ValueError("a run is ended by closing it, not by appending an ending")
        if self.cancelled is not None and any(draft.type == "tool_executing" for draft in append.drafts):
            return Stopped(self.cancelled)
        return None


def _short_of_room(tx: Tx) -> QuintetError | None:
    """What agents say is not worth the room that their endings will need; they wait, in their bounds."""
    try:
        tx.grow()
    except QuintetError as refusal:
        return refusal
    return None


def gather(tx: Tx, appends: Sequence[Append]) -> list[BaseException | None]:
    """All appends of a commit: fences once per run, numbers in memory, one insert of many rows."""
    keys = list(dict.fromkeys((append.user_id, append.run_id) for append in appends))
    rows = _rows_of(tx, keys)
    fences = {key: _Fence(row and row[:4]) for key, row in rows.items()}
    numbered = _Numbered(tx, {key[0]: Head(*row[4:]) for key, row in rows.items() if row is not None})
    answers: list[BaseException | None] = []
    short = _short_of_room(tx)
    for append in appends:
        fence = fences[append.user_id, append.run_id]
        refusal = fence.refusal(append) or short
        if refusal is None:
            fence.run_seq = numbered.add(append.user_id, append.run_id, fence.run_seq, append.drafts)
        answers.append(refusal)
    if numbered.rows:
        numbered.write()
        tx.many(_SET_RUN, [(fence.run_seq, *key) for key, fence in fences.items()])
    return answers


def _rows_of(tx: Tx, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Any]:
    """What the fences are made of, by run; None for one that is not there."""
    if not tx.shared or len(keys) == 1:
        return {key: tx.sql(_FENCE, key).fetchone() for key in keys}
    rows: dict[tuple[str, str], Any] = dict.fromkeys(keys)
    users, ids = zip(*keys, strict=True)
    for user_id, run_id, *row in tx.sql(_FENCES, (list(users), list(ids))):
        rows[user_id, run_id] = row
    return rows
