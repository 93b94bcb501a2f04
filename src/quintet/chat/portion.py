"""A portion of a deletion: what one short transaction takes away of a thread that nobody can read any more.

1. Message by message, oldest first: the events of its run, its files one by one, then itself. What is left says how far it came, so a
   portion needs no memory but a hint where to look on, and two that delete the same thread at once harm nobody.
2. Everything has its price, so that the one writer is held for some milliseconds only, whatever lies in the thread.
3. The last one takes the renamings and the thread, and has the files of the database cleaned.
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from quintet.events import Draft, ThreadDeleted, draft, timestamp
from quintet.log import Place as Event
from quintet.log import forget_in
from quintet.runs import Ids, Moment
from quintet.store import Tx

__all__ = ["PORTION", "Place", "spent", "stands_for", "take_portion"]

PORTION = 200  # events, or as many times 16 KiB of texts and files: about 5 ms
_PAGE = 16 * 1024
_WINDOW = 4_000  # positions of the log that are looked through for events of one run at once
_LOOKS = 40  # events that can be looked at for the price of one that goes
_ALL = 1 << 62  # beyond every position
_ROW = 4  # the price of a message or a file, beside its size

_BEGAN = "SELECT began_at FROM deletions WHERE user_id = ? AND thread_id = ?"
_NEXT = (
    "SELECT m.id, m.role, m.run_id, m.client_id, length(m.text), r.first_seq FROM messages m"
    " LEFT JOIN runs r ON r.user_id = m.user_id AND r.id = m.run_id"
    " WHERE m.user_id = ? AND m.thread_id = ? ORDER BY m.place, m.id LIMIT 1"
)
_OF_RUN = "SELECT seq, digest, final FROM events WHERE user_id = ? AND seq > ? AND seq <= ? AND run_id = ? ORDER BY seq LIMIT ?"
_HEAD = "SELECT seq FROM heads WHERE user_id = ?"
_OF_NO_RUN = (
    "SELECT seq, digest, type, body FROM events WHERE user_id = ? AND run_id IS NULL AND seq > ? ORDER BY seq LIMIT ?"
)
_FILE = (
    "SELECT l.place, a.id, a.size FROM message_attachments l"
    " JOIN attachments a ON a.user_id = l.user_id AND a.id = l.attachment_id"
    " WHERE l.user_id = ? AND l.message_id = ? ORDER BY l.place LIMIT 1"
)
_DELETE_FILE = (
    "DELETE FROM attachments WHERE user_id = ? AND id = ? AND NOT EXISTS"
    " (SELECT 1 FROM message_attachments m WHERE m.user_id = attachments.user_id AND m.attachment_id = attachments.id)"
)


class _OfThread(msgspec.Struct):
    thread_id: str


_thread_in = msgspec.json.Decoder(_OfThread).decode


class Place(NamedTuple):
    """How far a deletion came: events of `run_id` up to `seq` are gone. No run: the same of the thread's renamings."""

    run_id: str = ""
    seq: int = 0


def take_portion(tx: Tx, user_id: str, thread_id: str, place: Place, moment: Moment) -> Place | None:
    """Take away what fits into one transaction. Returns where to go on; None when nothing is left of the thread."""
    began = tx.sql(_BEGAN, (user_id, thread_id)).fetchone()
    if began is None:
        return None
    portion = _Portion(tx, user_id, thread_id, place)
    unfinished = portion.take()
    if portion.gone:
        ids = moment.ids()
        forget_in(tx, user_id, portion.gone, lambda digest: stands_for(ids, thread_id, began[0], digest))
    if unfinished is None:
        tx.sql("DELETE FROM threads WHERE user_id = ? AND id = ?", (user_id, thread_id))
        tx.scrub()
    return unfinished


def stands_for(ids: Ids, thread_id: str, now_ms: int, digest: str) -> Draft:
    """`thread_deleted`, for itself or in the place of a stretch of events whose last one has this digest."""
    event_id = digest + ids.event()[len(digest) :]
    return draft(ThreadDeleted(timestamp(now_ms)), event_id=event_id, time_ms=now_ms, thread_id=thread_id)


def spent(user_id: str, client_id: str) -> bytes:
    """What is kept of a `client_id` whose thread is gone, so that it is not accepted again."""
    return hashlib.blake2b(client_id.encode(), digest_size=16, key=user_id.encode()[:64]).digest()


class _Portion:
    """One portion being taken. `room` is what it may still cost, `gone` the events that go with it."""

    def __init__(self, tx: Tx, user_id: str, thread_id: str, place: Place) -> None:
        self._tx = tx
        self._user_id = user_id
        self._thread_id = thread_id
        self._place = place
        self.room = PORTION
        self.gone: list[Event] = []

    def take(self) -> Place | None:
        for message_id, role, run_id, client_id, letters, first_seq in self._messages():
            unfinished = self._forget(run_id, first_seq) if role == "user" and first_seq is not None else None
            if unfinished is not None:
                return unfinished
            if not self._take_files(message_id):
                return Place(run_id, _ALL)
            self._take_message(message_id, run_id if role == "user" else None, client_id)
            self.room -= _ROW + letters // _PAGE
            if self.room <= 0:
                return Place()
        return self._take_renamings()

    def _messages(self) -> Iterator[tuple[str, str, str, str | None, int, int | None]]:
        """Each oldest one, for as long as there is one."""
        while (row := self._tx.sql(_NEXT, (self._user_id, self._thread_id)).fetchone()) is not None:
            yield row

    def _forget(self, run_id: str, first_seq: int) -> Place | None:
        """The events of a run, to its ending or for as long as there is room."""
        after = max(first_seq - 1, self._place.seq if self._place.run_id == run_id else 0)
        head = self._tx.sql(_HEAD, (self._user_id,)).fetchone()[0]
        while after < head:
            if self.room <= 0:
                return Place(run_id, after)
            window = after + _WINDOW
            found = self._tx.sql(_OF_RUN, (self._user_id, after, window, run_id, self.room)).fetchall()
            self.gone += [Event(seq, digest) for seq, digest, _ in found]
            if any(final for _, _, final in found):
                return None
            last = found[-1][0] if len(found) == self.room else window
            self.room -= len(found) + (min(last, head) - after) // _LOOKS
            after = last
        return None

    def _take_files(self, message_id: str) -> bool:
        """True when none is left."""
        while (file := self._tx.sql(_FILE, (self._user_id, message_id)).fetchone()) is not None:
            if self.room <= 0:
                return False
            place, file_id, size = file
            self._tx.sql(
                "DELETE FROM message_attachments WHERE user_id = ? AND message_id = ? AND place = ?",
                (self._user_id, message_id, place),
            )
            self._tx.sql(_DELETE_FILE, (self._user_id, file_id))
            self.room -= _ROW + size // _PAGE
        return True

    def _take_message(self, message_id: str, run_id: str | None, client_id: str | None) -> None:
        user_id = self._user_id
        if client_id is not None:
            digest = spent(user_id, client_id)
            self._tx.sql(
                "INSERT INTO deleted_sends (user_id, digest) VALUES (?, ?) ON CONFLICT DO NOTHING", (user_id, digest)
            )
        self._tx.sql("DELETE FROM messages WHERE user_id = ? AND id = ?", (user_id, message_id))
        if run_id is not None:
            self._tx.sql("DELETE FROM runs WHERE user_id = ? AND id = ?", (user_id, run_id))

    def _take_renamings(self) -> Place | None:
        after = 0 if self._place.run_id else self._place.seq
        while self.room > 0:
            most = self.room * _LOOKS
            found = self._tx.sql(_OF_NO_RUN, (self._user_id, after, most)).fetchall()
            ours = [
                Event(seq, digest)
                for seq, digest, kind, body in found
                if kind == "thread_updated" and _thread_in(body).thread_id == self._thread_id
            ]
            self.gone += ours
            self.room -= len(ours) + len(found) // _LOOKS
            if len(found) < most:
                return None
            after = found[-1][0]
        return Place("", after)
