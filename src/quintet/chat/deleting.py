"""Deleting a thread: one transaction after which nothing that was said in it is kept, and every reader's log is still without a hole.

1. What is open in it is ended first, once each, so that whoever follows sees how it ended.
2. Its events become range events; then `thread_deleted` is appended, which every device hears.
3. A worker that holds one of its runs is fenced, and told to stop.
"""

import hashlib
from functools import partial

import msgspec

from quintet import runs
from quintet.chat.reading import thread_of
from quintet.events import Draft, ThreadDeleted, draft, timestamp
from quintet.log import Place, append_in, forget_in
from quintet.runs import Ids, Moment
from quintet.scope import UserScope
from quintet.store import Tx

__all__ = ["delete_thread", "was_deleted"]

_OPEN = (
    "SELECT id, attempt FROM runs WHERE user_id = ? AND thread_id = ? AND state IN ('queued', 'running')"
    " ORDER BY first_seq DESC"
)
_RUNS = (
    "SELECT r.id, r.first_seq, e.seq FROM messages m"
    " JOIN runs r ON r.user_id = m.user_id AND r.id = m.run_id"
    " JOIN events e ON e.user_id = r.user_id AND e.run_id = r.id AND e.final = 1"
    " WHERE m.user_id = ? AND m.thread_id = ? AND m.role = 'user'"
)
_OF_RUN = "SELECT seq, digest FROM events WHERE user_id = ? AND seq BETWEEN ? AND ? AND run_id = ?"
_RENAMINGS = "SELECT seq, digest, body FROM events WHERE user_id = ? AND run_id IS NULL AND type = 'thread_updated'"
_SENT = "SELECT client_id FROM messages WHERE user_id = ? AND thread_id = ? AND client_id IS NOT NULL"
_FILES = (
    "SELECT DISTINCT a.attachment_id FROM messages m"
    " JOIN message_attachments a ON a.user_id = m.user_id AND a.message_id = m.id"
    " WHERE m.user_id = ? AND m.thread_id = ?"
)
_DELETE_FILE = (
    "DELETE FROM attachments WHERE user_id = ? AND id = ? AND NOT EXISTS"
    " (SELECT 1 FROM message_attachments m WHERE m.user_id = attachments.user_id AND m.attachment_id = attachments.id)"
)


class _OfThread(msgspec.Struct):
    thread_id: str


_thread_in = msgspec.json.Decoder(_OfThread).decode


def delete_thread(tx: Tx, scope: UserScope, thread_id: str, moment: Moment, *, most_running: int) -> None:
    """Delete a thread, all that was said in it and its files. Raises QuintetError `not_found`."""
    thread_of(tx, scope, thread_id)
    user_id = scope.user_id
    _end_runs(tx, user_id, thread_id, moment, most_running)
    deleted = partial(_deleted, Moment(moment.now_ms, moment.seed + b"deleted").ids(), thread_id, moment.now_ms)
    forget_in(tx, user_id, _places(tx, user_id, thread_id), deleted)
    append_in(tx, user_id, None, 0, [deleted(None)])
    spent = [(user_id, _digest(user_id, row[0])) for row in tx.sql(_SENT, (user_id, thread_id))]
    tx.many("INSERT INTO deleted_sends (user_id, digest) VALUES (?, ?) ON CONFLICT DO NOTHING", spent)
    files = tx.sql(_FILES, (user_id, thread_id)).fetchall()
    tx.sql("DELETE FROM threads WHERE user_id = ? AND id = ?", (user_id, thread_id))  # messages and runs go with it
    tx.many(_DELETE_FILE, [(user_id, file[0]) for file in files])
    tx.wake("deleted")


def was_deleted(tx: Tx, scope: UserScope, client_id: str) -> bool:
    """Whether this was sent before, to a thread that has been deleted since."""
    digest = _digest(scope.user_id, client_id)
    query = "SELECT 1 FROM deleted_sends WHERE user_id = ? AND digest = ?"
    return tx.sql(query, (scope.user_id, digest)).fetchone() is not None


def _end_runs(tx: Tx, user_id: str, thread_id: str, moment: Moment, most_running: int) -> None:
    """The last first: an ending makes the next run of the thread ready, and none of them shall be."""
    for number, (run_id, attempt) in enumerate(tx.sql(_OPEN, (user_id, thread_id)).fetchall()):
        seed = Moment(moment.now_ms, moment.seed + number.to_bytes(4))
        runs.close(tx, user_id, run_id, attempt, runs.Cancelled("user"), seed, most_running=most_running)


def _places(tx: Tx, user_id: str, thread_id: str) -> list[Place]:
    """Where the thread's events lie: those of its runs between their first and their last, and its renamings."""
    found = []
    for run_id, first, last in tx.sql(_RUNS, (user_id, thread_id)).fetchall():
        found += [Place(*row) for row in tx.sql(_OF_RUN, (user_id, first, last, run_id))]
    for seq, digest, body in tx.sql(_RENAMINGS, (user_id,)):
        if _thread_in(body).thread_id == thread_id:
            found.append(Place(seq, digest))
    return found


def _deleted(ids: Ids, thread_id: str, now_ms: int, digest: str | None) -> Draft:
    fresh = ids.event()
    event_id = fresh if digest is None else digest + fresh[len(digest) :]
    return draft(ThreadDeleted(timestamp(now_ms)), event_id=event_id, time_ms=now_ms, thread_id=thread_id)


def _digest(user_id: str, client_id: str) -> bytes:
    return hashlib.blake2b(client_id.encode(), digest_size=16, key=user_id.encode()[:64]).digest()
