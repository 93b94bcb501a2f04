"""What a user may read of their conversations. Every query begins with the user; what is not theirs is `not_found`."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import RowMapping, Select, exists, func, select

from quintet.chat.attachments import of_messages
from quintet.errors import QuintetError
from quintet.events import splice, timestamp
from quintet.log import head_in
from quintet.runs import standing_in
from quintet.scope import UserScope
from quintet.store import Tx
from quintet.store.tables import agents, deletions, messages, runs, threads

__all__ = [
    "agents_in",
    "leaving",
    "message_page",
    "run_events",
    "run_of",
    "run_story",
    "snapshot",
    "thread_of",
    "thread_page",
]

SNAPSHOT_THREADS = 50
STORY_BYTES = 8 * 1024 * 1024  # of a run's events in one answer; its ten thousand events seldom have so many
PAGE_CHARACTERS = 8 * 1024 * 1024  # of the texts of one page of messages
_STORY_PAGE = 250  # read at once, at most 64 KiB each


class _Position(msgspec.Struct):
    run_seq: int


_position = msgspec.json.Decoder(_Position).decode


def _thread(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "title": row["title"] or "",
        "created_at": timestamp(row["created_at"]),
        "updated_at": timestamp(row["updated_at"]),
    }


def leaving(tx: Tx, user_id: str, thread_id: str) -> bool:
    """Whether a thread is being deleted: its rows are still there, and nobody may read them."""
    query = "SELECT 1 FROM deletions WHERE user_id = ? AND thread_id = ?"
    return tx.sql(query, (user_id, thread_id)).fetchone() is not None


def thread_of(tx: Tx, scope: UserScope, thread_id: str) -> dict[str, Any]:
    """One thread. Raises QuintetError `not_found`."""
    query = select(threads).where(threads.c.user_id == scope.user_id, threads.c.id == thread_id)
    row = tx.core.execute(query).mappings().first()
    if row is None or leaving(tx, scope.user_id, thread_id):
        raise QuintetError("not_found")
    return _thread(row)


def thread_page(tx: Tx, scope: UserScope, after: str | None, limit: int) -> dict[str, Any]:
    """Threads, newest first."""
    gone = exists().where(deletions.c.user_id == threads.c.user_id, deletions.c.thread_id == threads.c.id)
    query = select(threads).where(threads.c.user_id == scope.user_id, ~gone)
    query = query.order_by(threads.c.place.desc(), threads.c.id)
    if after is not None:
        query = query.where(threads.c.place < _place(after))
    return _page(tx, query, limit, _thread)


def message_page(tx: Tx, scope: UserScope, thread_id: str, after: str | None, limit: int) -> dict[str, Any]:
    """Messages of a thread, oldest first. Raises QuintetError `not_found`."""
    thread_of(tx, scope, thread_id)
    query = (
        select(messages)
        .where(messages.c.user_id == scope.user_id, messages.c.thread_id == thread_id)
        .order_by(messages.c.place, messages.c.id)
    )
    if after is not None:
        query = query.where(messages.c.place > _place(after))
    page = _page(tx, query, _fitting(tx, query, limit), _message)
    files = of_messages(tx, scope, [message["id"] for message in page["items"]])
    for message in page["items"]:
        message["attachments"] = files.get(message["id"], [])
    return page


def _fitting(tx: Tx, query: Select[Any], limit: int) -> int:
    """How many of the next messages make one answer: a text may have a megabyte, and two hundred of them would be held at once."""
    size = 0
    lengths = tx.core.execute(query.with_only_columns(func.length(messages.c.text)).limit(limit)).scalars()
    for number, length in enumerate(lengths):
        size += length
        if size > PAGE_CHARACTERS:
            return max(1, number)
    return limit


def _message(row: Mapping[Any, Any]) -> dict[str, Any]:
    shown = {
        "id": row["id"],
        "thread_id": row["thread_id"],
        "role": row["role"],
        "text": row["text"],
        "run_id": row["run_id"],
        "attachments": [],
        "created_at": timestamp(row["created_at"]),
    }
    return shown if row["agent"] is None else {**shown, "agent": row["agent"]}


def _place(after: str) -> int:
    """The position that a `next` of ours stands for. What is none of ours ends the listing as an unknown thing would."""
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise QuintetError("bad_message", "The page mark `after` is not one of ours.")
    return int(after)


def _page(tx: Tx, query: Select[Any], limit: int, show: Any) -> dict[str, Any]:
    rows: list[RowMapping] = list(tx.core.execute(query.limit(limit + 1)).mappings().all())
    page: dict[str, Any] = {"items": [show(row) for row in rows[:limit]]}
    if len(rows) > limit:
        page["next"] = str(rows[limit - 1]["place"])
    return page


def _run(row: Mapping[Any, Any]) -> dict[str, Any]:
    shown = {
        "id": row["id"],
        "thread_id": row["thread_id"],
        "message_id": row["message_id"],
        "state": row["state"],
        "agent": row["agent"],
        "created_at": timestamp(row["created_at"]),
    }
    for key in ("started_at", "ended_at"):
        if row[key] is not None:
            shown[key] = timestamp(row[key])
    if row["error"] is not None:
        shown["error"] = json.loads(row["error"])
    return shown


def _run_row(tx: Tx, scope: UserScope, run_id: str) -> RowMapping:
    query = select(runs).where(runs.c.user_id == scope.user_id, runs.c.id == run_id)
    row = tx.core.execute(query).mappings().first()
    if row is None or leaving(tx, scope.user_id, row["thread_id"]):
        raise QuintetError("not_found")
    return row


def run_of(tx: Tx, scope: UserScope, run_id: str) -> dict[str, Any]:
    """One run. Raises QuintetError `not_found`."""
    return _run(_run_row(tx, scope, run_id))


def run_events(tx: Tx, scope: UserScope, run_id: str, after: int, limit: int) -> list[bytes]:
    """The events of a run after its position `after`, as they go out. Raises QuintetError `not_found`."""
    row, head = _run_row(tx, scope, run_id), head_in(tx, scope.user_id)
    ending = tx.sql("SELECT seq FROM events WHERE user_id = ? AND run_id = ? AND final = 1", (scope.user_id, run_id))
    last = ending.fetchone() or (head.seq,)  # nothing follows it: of an old run not the whole log is looked through
    epoch = head.epoch
    rows = tx.sql(
        "SELECT seq, first_seq, run_seq, digest, body FROM events"
        " WHERE user_id = ? AND seq >= ? AND seq <= ? AND run_id = ? AND run_seq > ? ORDER BY seq LIMIT ?",
        (scope.user_id, max(row["first_seq"], head.kept_after + 1), last[0], run_id, after, limit),
    )
    return [
        splice(epoch, seq, digest, body, run_seq=run_seq, first_seq=first_seq)
        for seq, first_seq, run_seq, digest, body in rows
    ]


def run_story(tx: Tx, scope: UserScope, run_id: str, after: int) -> tuple[list[bytes], int | None]:
    """All events of a run after its position `after`; where to go on, when that would be more than `STORY_BYTES`.

    Raises QuintetError `not_found`.
    """
    told: list[bytes] = []
    size = 0
    while size < STORY_BYTES:
        page = run_events(tx, scope, run_id, after, _STORY_PAGE)
        if not page:
            return told, None
        told += page
        size += sum(map(len, page))
        after = _position(page[-1]).run_seq
    return told, after


def snapshot(tx: Tx, scope: UserScope) -> dict[str, Any]:
    """The state of everything, and the cursor it is true at, read from one transaction.

    Each open run carries the text said so far with the `message_id` that its further pieces will have, and its open calls.
    """
    head = head_in(tx, scope.user_id)
    query = select(runs).where(runs.c.user_id == scope.user_id, runs.c.state.in_(("queued", "running")))
    rows = tx.core.execute(query.order_by(runs.c.first_seq)).mappings().all()
    return {
        "cursor": head.cursor,
        "last_seq": head.seq,
        "threads": thread_page(tx, scope, None, SNAPSHOT_THREADS)["items"],
        "runs": [_open_run(tx, scope, row) for row in rows],
    }


def _open_run(tx: Tx, scope: UserScope, row: RowMapping) -> dict[str, Any]:
    standing = standing_in(tx, scope.user_id, row["id"], row["first_seq"])
    shown = _run(row)
    del shown["message_id"]
    if standing.message_id is not None:
        shown["message_id"] = standing.message_id
    calls = [
        {"call_id": call.call_id, "tool": call.tool, "arguments": call.arguments, "agent": call.agent.name}
        for call in standing.calls
    ]
    return {**shown, "text": standing.text, "calls": calls}


def agents_in(tx: Tx) -> list[dict[str, Any]]:
    """The agents that living workers can run, by name."""
    query = select(agents).order_by(agents.c.name, agents.c.worker_id)
    named = {row.name: row for row in tx.core.execute(query)}
    return [
        {"name": row.name, "description": row.description, "attachments": json.loads(row.attachments)}
        for row in named.values()
    ]
