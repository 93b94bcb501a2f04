"""How a run begins: opened with its message, made ready when its turn comes, leased to a worker."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import UNSET

from quintet.errors import QuintetError
from quintet.events import AgentRef, AgentStarted, MessageAccepted, TooLargeError, cursor, draft
from quintet.log import append_in
from quintet.runs.steps import Moment, step
from quintet.store import Tx

__all__ = ["RUNNING_PER_USER", "Leased", "NewRun", "announce", "lease", "open_run", "promote", "shortened"]

RUNNING_PER_USER = 5
_ABSENT_MS = 60_000  # how long a run waits for a worker that knows its agent: one may be restarting
_INPUT = 500  # characters of `input` that an agent_started shows

_INSERT_RUN = (
    "INSERT INTO runs (user_id, id, thread_id, message_id, agent, state, ready, run_seq, first_seq, trace_id, created_at)"
    " VALUES (?, ?, ?, ?, ?, 'queued', 0, 1, ?, ?, ?)"
)
_OPEN_OF_USER = (
    "SELECT id, thread_id, state, ready FROM runs"
    " WHERE user_id = ? AND state IN ('queued', 'running') ORDER BY first_seq"
)
_READY = (
    "SELECT r.user_id, r.id, r.thread_id, r.message_id, r.agent, r.attempt, r.trace_id, r.first_seq, r.state, r.run_seq, m.text"
    " FROM runs r JOIN messages m ON m.user_id = r.user_id AND m.id = r.message_id"
    " JOIN heads h ON h.user_id = r.user_id WHERE r.ready = 1 AND (r.agent IN (SELECT name FROM agents WHERE worker_id = ?)"
    " OR (r.created_at < ? AND r.agent NOT IN (SELECT a.name FROM agents a JOIN workers w ON w.id = a.worker_id)))"
    " ORDER BY r.created_at LIMIT ?"
)
_ENROL = "INSERT INTO workers (id, beat) VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET beat = workers.beat + 1"
_RETURNED = "DELETE FROM agents WHERE name = ? AND worker_id NOT IN (SELECT id FROM workers)"
_APART = (
    " FOR UPDATE OF h, r SKIP LOCKED"  # other workers take others; whoever writes for a user just now is not waited for
)
_LEASE = (
    "UPDATE runs SET state = ?, ready = 0, attempt = ?, worker_id = ?, started_at = ?, run_seq = ?"
    " WHERE user_id = ? AND id = ?"
)


class NewRun(NamedTuple):
    """The message that a run is to answer."""

    user_id: str
    run_id: str
    thread_id: str
    message_id: str
    client_id: str
    agent: str
    text: str
    attachments: Sequence[Mapping[str, Any]] = ()  # each as the wire shows it


class Leased(NamedTuple):
    """A run given to a worker, under an attempt number that fences every other holder out."""

    user_id: str
    run_id: str
    thread_id: str
    message_id: str
    text: str
    agent: str
    attempt: int
    trace_id: str
    root: AgentRef
    first_seq: int


def open_run(tx: Tx, new: NewRun, moment: Moment, *, most_running: int = RUNNING_PER_USER) -> tuple[int, str]:
    """Append `message_accepted` and queue the run. Returns the seq and the cursor of that event.

    Raises:
        QuintetError: `too_long`, when the text is within its limit but what JSON makes of it is no event's size.
    """
    ids = moment.ids()
    trace_id = ids.event()
    try:
        accepted = draft(
            MessageAccepted(new.message_id, new.client_id, new.text, [*map(dict, new.attachments)] or UNSET),
            event_id=ids.event(),
            time_ms=moment.now_ms,
            thread_id=new.thread_id,
            run_id=new.run_id,
            trace_id=trace_id,
        )
    except TooLargeError as error:
        raise QuintetError("too_long") from error
    head = append_in(tx, new.user_id, new.run_id, 0, [accepted])
    tx.sql(
        _INSERT_RUN,
        (new.user_id, new.run_id, new.thread_id, new.message_id, new.agent, head.seq, trace_id, moment.now_ms),
    )
    promote(tx, new.user_id, most_running)
    return head.seq, cursor(head.epoch, head.seq, head.digest)


def promote(tx: Tx, user_id: str, most_running: int = RUNNING_PER_USER) -> None:
    """Make ready what may run now: the first open run of each thread, while the user has fewer than `most_running`."""
    rows = tx.sql(_OPEN_OF_USER, (user_id,)).fetchall()
    active = sum(1 for _, _, state, ready in rows if state == "running" or ready)
    busy: set[str] = set()
    for run_id, thread_id, state, ready in rows:
        if active < most_running and state == "queued" and not ready and thread_id not in busy:
            tx.sql("UPDATE runs SET ready = 1 WHERE user_id = ? AND id = ?", (user_id, run_id))
            tx.wake("work")
            active += 1
        busy.add(thread_id)


def lease(tx: Tx, worker_id: str, limit: int, moment: Moment) -> list[Leased]:
    """Give up to `limit` ready runs to a worker. The root's `agent_started` commits with it.

    It gets runs of the agents it has announced, and of agents that no worker has, once they have waited for a minute: they are to
    be ended, not left.
    """
    tx.grow()  # it would have nowhere to put what it says
    ids = moment.ids()
    ready = tx.sql(_READY + _APART if tx.shared else _READY, (worker_id, moment.now_ms - _ABSENT_MS, limit)).fetchall()
    return [_lease_one(tx, worker_id, row, ids, moment.now_ms) for row in ready]


def _lease_one(tx: Tx, worker_id: str, row: tuple[Any, ...], ids: Any, now_ms: int) -> Leased:
    user_id, run_id, thread_id, message_id, agent, attempt, trace_id, first_seq, state, run_seq, text = row
    root = AgentRef(ids.new("agt"), agent)
    started = draft(
        AgentStarted(shortened(text)),
        event_id=ids.event(),
        time_ms=now_ms,
        thread_id=thread_id,
        run_id=run_id,
        trace_id=trace_id,
        agent=root,
    )
    append_in(tx, user_id, run_id, run_seq, [started])
    tx.sql(_LEASE, (step(state, "leased"), attempt + 1, worker_id, now_ms, run_seq + 1, user_id, run_id))
    return Leased(user_id, run_id, thread_id, message_id, text, agent, attempt + 1, trace_id, root, first_seq)


def shortened(text: str) -> str:
    """At most 500 characters of what an agent was asked."""
    return text if len(text) <= _INPUT else text[: _INPUT - 1] + "…"


def announce(
    tx: Tx, worker_id: str, descriptions: Mapping[str, str], accepted: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Write down that a worker lives, which agents it can run, and which attachments they take; `submit` checks against it.

    `accepted` has the media types by agent. An empty table of descriptions takes the worker's names back.
    """
    tx.sql(_ENROL, (worker_id,))
    tx.sql("DELETE FROM agents WHERE worker_id = ?", (worker_id,))
    tx.many(_RETURNED, [(name,) for name in descriptions])
    types = accepted or {}
    tx.many(
        "INSERT INTO agents (worker_id, name, description, attachments) VALUES (?, ?, ?, ?)",
        [(worker_id, name, text, json.dumps([*types.get(name, ())])) for name, text in descriptions.items()],
    )
