"""The earlier messages of a thread, as an agent gets them.

A message belongs to an earlier run when that run was accepted earlier, not when it was written earlier: an answer may be
written after the next question was accepted, and that question must find it.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from quintet.engine.attachment import Attachment, AttachmentRow, ReadAttachment
from quintet.engine.message import Message
from quintet.runs import Leased
from quintet.store import Tx

__all__ = ["HISTORY_BYTES", "HISTORY_MESSAGES", "histories"]

HISTORY_MESSAGES = 200
HISTORY_BYTES = 256 * 1024

_EARLIER = (
    "SELECT r.first_seq, m.place, m.id, m.role, m.agent, m.created_at, m.text FROM messages m"
    " JOIN runs r ON r.user_id = m.user_id AND r.id = m.run_id"
    " WHERE m.user_id = ? AND m.thread_id = ? AND r.first_seq < ? ORDER BY m.place DESC LIMIT ?"
)
_FILES = (
    "SELECT f.message_id, a.id, a.name, a.media_type, a.size FROM message_attachments f"
    " JOIN messages m ON m.user_id = f.user_id AND m.id = f.message_id"
    " JOIN attachments a ON a.user_id = f.user_id AND a.id = f.attachment_id"
    " WHERE f.user_id = ? AND m.thread_id = ? ORDER BY m.place DESC, f.place LIMIT ?"
)


def histories(tx: Tx, leased: Sequence[Leased], read: ReadAttachment) -> list[tuple[Message, ...]]:
    """For each run what was said in its thread before it, newest last: at most 200 messages and 256 KiB, the oldest cut to fit.

    What is in the files of earlier messages is read with `read`, where an agent asks for it.
    """
    return [_history(tx, run, read) for run in leased]


def _files(tx: Tx, run: Leased, read: ReadAttachment) -> Mapping[str, tuple[Attachment, ...]]:
    """The files of the thread's newest messages, by message; at most as many as there are messages."""
    found: dict[str, tuple[Attachment, ...]] = {}
    for message_id, *row in tx.sql(_FILES, (run.user_id, run.thread_id, HISTORY_MESSAGES)):
        file = AttachmentRow(*row)
        found[message_id] = (*found.get(message_id, ()), Attachment(file, partial(read, run.user_id, file.id)))
    return found


def _history(tx: Tx, run: Leased, read: ReadAttachment) -> tuple[Message, ...]:
    found: list[tuple[tuple[int, int], Message]] = []
    room = HISTORY_BYTES
    rows = tx.sql(_EARLIER, (run.user_id, run.thread_id, run.first_seq, HISTORY_MESSAGES)).fetchall()
    files = _files(tx, run, read) if rows else {}
    for first_seq, place, message_id, role, agent, created_at, text in rows:
        encoded = text.encode()
        if len(encoded) > room:
            text = encoded[:room].decode(errors="ignore")  # noqa: PLW2901
        if text or message_id in files:
            message = Message(message_id, role, text, agent, created_at, files.get(message_id, ()))
            found.append(((first_seq, place), message))
        room -= len(encoded)
        if room <= 0:
            break
    return tuple(message for _, message in sorted(found, key=lambda one: one[0]))
