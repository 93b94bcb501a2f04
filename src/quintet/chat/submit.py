"""Sending a message: message, run and `message_accepted` in one transaction, once per `client_id`.

1. The same `client_id` again returns the first answer; with anything else in it changed it is a conflict.
2. An unknown agent, a thread or a file that is not the user's, a full queue: nothing is stored.
3. A text that would not fit into one event is refused before anything is stored.
"""

import hashlib
from typing import Any

import msgspec

from quintet import runs
from quintet.chat.attachments import attach, attachment_of
from quintet.chat.deleting import was_deleted
from quintet.chat.reading import leaving
from quintet.chat.threads import add_thread
from quintet.errors import QuintetError
from quintet.events import cursor
from quintet.log import head_in
from quintet.protocol import Send
from quintet.runs import Moment, NewRun
from quintet.scope import UserScope
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["TEXT_BYTES", "Submitting"]

TEXT_BYTES = 32 * 1024
_TITLE = 80  # characters of a thread's first line that become its title

_SENT = (
    "SELECT m.fingerprint, m.id, m.run_id, m.thread_id, r.first_seq, e.digest FROM messages m"
    " JOIN runs r ON r.user_id = m.user_id AND r.id = m.run_id"
    " LEFT JOIN events e ON e.user_id = r.user_id AND e.seq = r.first_seq"
    " WHERE m.user_id = ? AND m.client_id = ?"
)
_WAITING = (
    "SELECT count(*) FROM runs WHERE user_id = ? AND state IN ('queued', 'running') AND state = 'queued' AND ready = 0"
)
_MESSAGE = (
    "INSERT INTO messages (user_id, id, thread_id, run_id, role, text, client_id, fingerprint, created_at, place)"
    " VALUES (?, ?, ?, ?, 'user', ?, ?, ?, ?, ?)"
)
_DELETED = "This was sent before, and its conversation has been deleted."
_TOUCH = "UPDATE threads SET updated_at = ? WHERE user_id = ? AND id = ?"


class Submitting:
    """The one way to send, with the limits it keeps."""

    def __init__(
        self, store: Store, sources: Sources, *, default_agent: str, most_running: int = 5, most_waiting: int = 20
    ) -> None:
        self._store = store
        self._sources = sources
        self._default_agent = default_agent
        self._most_running = most_running
        self._most_waiting = most_waiting

    async def __call__(self, scope: UserScope, sent: Send) -> dict[str, str]:
        """Store a message and queue its run; both are durable when this returns.

        Raises:
            QuintetError: `bad_message`, `too_long`, `unknown_agent`, `not_found`, `conflict`, `queue_full`, or the store's.
        """
        if len(sent.text.encode()) > TEXT_BYTES:
            raise QuintetError("too_long", f"A message may have at most {TEXT_BYTES // 1024} KiB of text.")
        if not sent.text.strip():
            raise QuintetError("bad_message", "The message is empty.")
        moment = runs.moment(self._sources)
        return await self._store.of(scope.user_id).write(
            scope.user_id, lambda tx: self._submit(tx, scope, sent, moment)
        )

    def _submit(self, tx: Tx, scope: UserScope, sent: Send, moment: Moment) -> dict[str, str]:
        print_of = _fingerprint(sent)
        before = tx.sql(_SENT, (scope.user_id, sent.client_id)).fetchone()
        if before is not None:
            return _first_answer(tx, scope, before, print_of)
        if was_deleted(tx, scope, sent.client_id):
            raise QuintetError("not_found", _DELETED)
        tx.grow()
        agent = self._default_agent if sent.agent is None else sent.agent
        _check_known(tx, agent)
        if tx.sql(_WAITING, (scope.user_id,)).fetchone()[0] >= self._most_waiting:
            raise QuintetError("queue_full", retry_after=5)
        ids = Moment(moment.now_ms, moment.seed + b"submit").ids()
        thread_id = _thread(tx, scope, sent, ids.new("thr"), moment.now_ms)
        files = list(dict.fromkeys(sent.attachments))
        shown = [attachment_of(tx, scope, file) for file in files]
        new = NewRun(scope.user_id, ids.new("run"), thread_id, ids.new("msg"), sent.client_id, agent, sent.text, shown)
        # The message first: the run's row and its event refer to it, and `place` is the number the event is about to get.
        place = head_in(tx, scope.user_id).seq + 1
        named = (scope.user_id, new.message_id, thread_id, new.run_id)
        tx.sql(_MESSAGE, (*named, sent.text, sent.client_id, print_of, moment.now_ms, place))
        attach(tx, scope, new.message_id, files)
        try:
            _, accepted = runs.open_run(tx, new, moment, most_running=self._most_running)
        except ValueError:
            raise QuintetError("too_long", "The message is too long once it is encoded.") from None
        return _answer(new.message_id, new.run_id, thread_id, accepted)


def _check_known(tx: Tx, agent: str) -> None:
    if tx.sql("SELECT 1 FROM agents WHERE name = ? LIMIT 1", (agent,)).fetchone() is not None:
        return
    if tx.sql("SELECT 1 FROM agents LIMIT 1").fetchone() is None:  # no worker: a restart, and no fault of the name's
        raise QuintetError("unavailable", retry_after=1)
    raise QuintetError("unknown_agent")


def _thread(tx: Tx, scope: UserScope, sent: Send, new_id: str, now_ms: int) -> str:
    if sent.thread_id is None:
        add_thread(tx, scope, new_id, title_of(sent.text), now_ms)
        return new_id
    known = not leaving(tx, scope.user_id, sent.thread_id)
    if not known or tx.sql(_TOUCH, (now_ms, scope.user_id, sent.thread_id)).rowcount == 0:
        raise QuintetError("not_found")
    return sent.thread_id


def title_of(text: str) -> str:
    """A thread's title until somebody gives it a better one: its first line, shortened."""
    line = " ".join(next(line for line in text.splitlines() if line.strip()).split())
    return line if len(line) <= _TITLE else line[: _TITLE - 1].rstrip() + "…"


def _fingerprint(sent: Send) -> bytes:
    parts = [sent.text, sent.thread_id, sent.agent, list(sent.attachments)]
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=16).digest()


def _first_answer(tx: Tx, scope: UserScope, before: Any, print_of: bytes) -> dict[str, str]:
    fingerprint, message_id, run_id, thread_id, first_seq, digest = before
    if leaving(tx, scope.user_id, thread_id):
        raise QuintetError("not_found", _DELETED)
    if bytes(fingerprint) != print_of:
        raise QuintetError("conflict")
    head = head_in(tx, scope.user_id)
    return _answer(message_id, run_id, thread_id, cursor(head.epoch, first_seq, digest))


def _answer(message_id: str, run_id: str, thread_id: str, accepted: str) -> dict[str, str]:
    return {"message_id": message_id, "run_id": run_id, "thread_id": thread_id, "cursor": accepted}
