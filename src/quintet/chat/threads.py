"""Opening and renaming a thread, as plain functions of a transaction."""

from typing import Any

from quintet.chat.reading import thread_of
from quintet.events import ThreadUpdated, draft, timestamp
from quintet.log import append_in
from quintet.runs import Moment
from quintet.scope import UserScope
from quintet.store import Tx

__all__ = ["add_thread", "create_thread", "rename_thread"]


_THREAD = (
    "INSERT INTO threads (user_id, id, title, created_at, updated_at, place)"
    " SELECT ?, ?, ?, ?, ?, coalesce(max(place), 0) + 1 FROM threads WHERE user_id = ?"
)


def add_thread(tx: Tx, scope: UserScope, thread_id: str, title: str | None, now_ms: int) -> None:
    """Write down a thread, after all the user's others."""
    tx.sql(_THREAD, (scope.user_id, thread_id, title, now_ms, now_ms, scope.user_id))


def create_thread(tx: Tx, scope: UserScope, title: str | None, moment: Moment) -> dict[str, Any]:
    """Open an empty thread. It is no event: nothing has been said in it."""
    tx.grow()
    thread_id = moment.ids().new("thr")
    add_thread(tx, scope, thread_id, title, moment.now_ms)
    return thread_of(tx, scope, thread_id)


def rename_thread(tx: Tx, scope: UserScope, thread_id: str, title: str, moment: Moment) -> dict[str, Any]:
    """Rename a thread and say so on every device. Raises QuintetError `not_found`."""
    thread_of(tx, scope, thread_id)
    tx.sql(
        "UPDATE threads SET title = ?, updated_at = ? WHERE user_id = ? AND id = ?",
        (title, moment.now_ms, scope.user_id, thread_id),
    )
    updated = draft(
        ThreadUpdated(timestamp(moment.now_ms), title),
        event_id=moment.ids().event(),
        time_ms=moment.now_ms,
        thread_id=thread_id,
    )
    append_in(tx, scope.user_id, None, 0, [updated])
    return thread_of(tx, scope, thread_id)
