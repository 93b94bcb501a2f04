"""The files that are sent with messages: taken in, attached, handed out, forgotten.

1. A file is in the database, like everything else that a user has: one truth, one backup, one deletion.
2. Keys begin with the user; somebody else's id is an id that never was.
3. What is never sent goes after a day, a bounded number at a time.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from quintet.errors import QuintetError
from quintet.scope import UserScope
from quintet.store import Tx

__all__ = ["UNSENT_MS", "Upload", "attach", "attachment_of", "content_of", "keep", "of_messages", "purge"]

UNSENT_MS = 24 * 60 * 60 * 1000
UNSENT_FILES = 100  # of one user at the same time
_AT_ONCE = 20  # files that one purging write deletes: a hundred megabytes at most

_READABLE = (  # not sent yet, or in some thread that is not being deleted
    " AND (sent = 0 OR EXISTS (SELECT 1 FROM message_attachments l"
    " JOIN messages m ON m.user_id = l.user_id AND m.id = l.message_id"
    " LEFT JOIN deletions d ON d.user_id = m.user_id AND d.thread_id = m.thread_id"
    " WHERE l.user_id = attachments.user_id AND l.attachment_id = attachments.id AND d.thread_id IS NULL))"
)
_SHOWN = "SELECT id, name, media_type, size FROM attachments WHERE user_id = ? AND id = ?" + _READABLE  # noqa: S608
_CONTENT = "SELECT name, media_type, content FROM attachments WHERE user_id = ? AND id = ?" + _READABLE  # noqa: S608
_INSERT = (
    "INSERT INTO attachments (user_id, id, name, media_type, size, created_at, sent, content)"
    " VALUES (?, ?, ?, ?, ?, ?, 0, ?)"
)
_OF_MESSAGES = (
    "SELECT m.message_id, a.id, a.name, a.media_type, a.size FROM message_attachments m"
    " JOIN attachments a ON a.user_id = m.user_id AND a.id = m.attachment_id"
    " WHERE m.user_id = ? AND m.message_id IN ({marks}) ORDER BY m.message_id, m.place"
)
_OLD = "SELECT user_id, id FROM attachments WHERE sent = 0 AND created_at < ? ORDER BY created_at LIMIT ?"


class Upload(NamedTuple):
    """A file as it came in."""

    name: str
    media_type: str
    content: bytes


def _view(row: Sequence[Any]) -> dict[str, Any]:
    return {"id": row[0], "name": row[1], "media_type": row[2], "size": row[3]}


def keep(tx: Tx, scope: UserScope, attachment_id: str, upload: Upload, now_ms: int) -> dict[str, Any]:
    """Store a file. Raises QuintetError `rate_limited` when too many of the user's wait to be sent, `storage_full`."""
    tx.grow()
    unsent = "SELECT count(*) FROM attachments WHERE user_id = ? AND sent = 0"
    if tx.sql(unsent, (scope.user_id,)).fetchone()[0] >= UNSENT_FILES:
        raise QuintetError("rate_limited", "Too many files wait to be sent with a message.", retry_after=60)
    size = len(upload.content)
    tx.sql(_INSERT, (scope.user_id, attachment_id, upload.name, upload.media_type, size, now_ms, upload.content))
    return _view((attachment_id, upload.name, upload.media_type, size))


def attachment_of(tx: Tx, scope: UserScope, attachment_id: str) -> dict[str, Any]:
    """What a file is. Raises QuintetError `not_found`."""
    row = tx.sql(_SHOWN, (scope.user_id, attachment_id)).fetchone()
    if row is None:
        raise QuintetError("not_found")
    return _view(row)


def content_of(tx: Tx, scope: UserScope, attachment_id: str) -> Upload:
    """A file with what is in it. Raises QuintetError `not_found`."""
    row = tx.sql(_CONTENT, (scope.user_id, attachment_id)).fetchone()
    if row is None:
        raise QuintetError("not_found")
    return Upload(row[0], row[1], bytes(row[2]))


def attach(tx: Tx, scope: UserScope, message_id: str, attachment_ids: Sequence[str]) -> None:
    """Give a message that was just stored its files."""
    for place, attachment_id in enumerate(attachment_ids):
        tx.sql(
            "INSERT INTO message_attachments (user_id, message_id, place, attachment_id) VALUES (?, ?, ?, ?)",
            (scope.user_id, message_id, place, attachment_id),
        )
        tx.sql("UPDATE attachments SET sent = 1 WHERE user_id = ? AND id = ?", (scope.user_id, attachment_id))


def of_messages(tx: Tx, scope: UserScope, message_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The files of some messages, by message."""
    found: dict[str, list[dict[str, Any]]] = {}
    if message_ids:
        query = _OF_MESSAGES.format(marks=", ".join("?" * len(message_ids)))
        for message_id, *row in tx.sql(query, (scope.user_id, *message_ids)):
            found.setdefault(message_id, []).append(_view(row))
    return found


def purge(tx: Tx, before_ms: int) -> bool:
    """Delete some files that were never sent and are older; True when there may be more."""
    old = tx.sql(_OLD, (before_ms, _AT_ONCE)).fetchall()
    tx.many("DELETE FROM attachments WHERE user_id = ? AND id = ? AND sent = 0", old)
    if old:
        tx.scrub()
    return len(old) == _AT_ONCE
