"""The files sent with messages, read from the store: what they are with the lease, what is in them each time it is asked for.

A run holds no file in memory that its agent does not want.
"""

from collections.abc import Sequence
from functools import partial

from quintet.engine.attachment import AttachmentRow, ReadAttachment
from quintet.errors import QuintetError
from quintet.runs import Leased
from quintet.store import Store, Tx

__all__ = ["attached", "reading"]

_OF_MESSAGE = (
    "SELECT a.id, a.name, a.media_type, a.size FROM message_attachments m"
    " JOIN attachments a ON a.user_id = m.user_id AND a.id = m.attachment_id"
    " WHERE m.user_id = ? AND m.message_id = ? ORDER BY m.place"
)
_CONTENT = "SELECT content FROM attachments WHERE user_id = ? AND id = ?"


def attached(tx: Tx, leased: Sequence[Leased]) -> list[tuple[AttachmentRow, ...]]:
    """For each run the files of its message, in the order in which they were sent."""
    return [tuple(AttachmentRow(*row) for row in tx.sql(_OF_MESSAGE, (run.user_id, run.message_id))) for run in leased]


def reading(store: Store) -> ReadAttachment:
    """The way to what is in a file; usable on any event loop."""

    async def read(user_id: str, attachment_id: str) -> bytes:
        return await store.read(partial(_content, user_id=user_id, attachment_id=attachment_id))

    return read


def _content(tx: Tx, user_id: str, attachment_id: str) -> bytes:
    row = tx.sql(_CONTENT, (user_id, attachment_id)).fetchone()
    if row is None:
        raise QuintetError("not_found")
    return bytes(row[0])
