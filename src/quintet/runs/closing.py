"""How a run ends: exactly once, with everything that was open in it closed first.

1. What is open is read from the log itself, in the ending's own transaction: no memory of a worker is trusted.
2. Calls close first, then children inside out, then the root with `final`; a partial unique index refuses a second ending.
3. What the root said is kept as a message of the thread, also when it was stopped in the middle.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from quintet.errors import RUN_CODES, QuintetError
from quintet.events import MAX_EVENT_BYTES, AgentCancelled, AgentCompleted, AgentFailed, AgentRef, EventError, draft
from quintet.log import Fenced, append_in
from quintet.runs.opening import RUNNING_PER_USER, promote
from quintet.runs.standing import Standing, standing_in
from quintet.runs.steps import OPEN, Ids, Moment, step
from quintet.store import Tx

__all__ = [
    "TEXT_BYTES",
    "Cancelled",
    "Completed",
    "Ended",
    "Ending",
    "Failed",
    "cancel",
    "cancelled",
    "close",
    "deleted",
    "lose_all",
]

TEXT_BYTES = 32 * 1024  # of an answer that its ending still carries
_REST_BYTES = 2048  # of an ending's event beside text, result and usage: ids, names, numbers

_RUN = (
    "SELECT state, attempt, run_seq, cancelled, trace_id, thread_id, agent, first_seq, started_at FROM runs"
    " WHERE user_id = ? AND id = ?"
)
_KNOWN = (
    "FROM runs WHERE user_id = ? AND id = ? AND NOT EXISTS"
    " (SELECT 1 FROM deletions d WHERE d.user_id = runs.user_id AND d.thread_id = runs.thread_id)"
)
_END = "UPDATE runs SET state = ?, ready = 0, run_seq = ?, error = ?, ended_at = ? WHERE user_id = ? AND id = ?"
_SAY = (
    "INSERT INTO messages (user_id, id, thread_id, run_id, role, agent, text, created_at, place)"
    " VALUES (?, ?, ?, ?, 'agent', ?, ?, ?, ?)"
)


class Completed(NamedTuple):
    """The root succeeded. `text` is all it said, under the id of its message."""

    message_id: str | None = None
    text: str | None = None
    result: Any = UNSET
    usage: Any = UNSET
    truncated: bool = False  # the result was cut to a preview
    happens: str = "completed"


class Failed(NamedTuple):
    """The run failed with a code of `RUN_CODES`."""

    code: str
    happens: str = "failed"


class Cancelled(NamedTuple):
    """The run was stopped: `user`, `timeout` or `shutdown`."""

    reason: str
    happens: str = "cancelled"


Ending = Completed | Failed | Cancelled


class Ended(NamedTuple):
    """A fact published with the commit of a run's ending. `duration_ms` is what the ending says."""

    user_id: str
    run_id: str
    trace_id: str
    agent: str
    state: str
    duration_ms: int


class _Run(NamedTuple):
    state: str
    attempt: int
    run_seq: int
    cancelled: str | None
    trace_id: str
    thread_id: str
    agent: str
    first_seq: int
    started_at: int | None


def close(
    tx: Tx,
    user_id: str,
    run_id: str,
    attempt: int,
    ending: Ending,
    moment: Moment,
    *,
    duration_ms: int | None = None,
    most_running: int = RUNNING_PER_USER,
) -> str:
    """End a run and return its state. Whatever was committed as cancelled ends `agent_cancelled`.

    `duration_ms` is the worker's own measure; without it the wall clock's.

    Raises:
        Fenced: the run has ended, or another attempt owns it.
    """
    row = tx.sql(_RUN, (user_id, run_id)).fetchone()
    run = _Run(*row) if row else None
    if run is None or run.attempt != attempt:
        raise Fenced
    if run.cancelled is not None and not isinstance(ending, Cancelled):
        ending = Cancelled(run.cancelled)
    state = step(run.state, ending.happens)
    if state is None:
        raise Fenced
    if duration_ms is None:
        duration_ms = max(0, moment.now_ms - (run.started_at or moment.now_ms))
    standing = standing_in(tx, user_id, run_id, run.first_seq)
    ids = moment.ids()
    drafts = _closing(standing, run, run_id, ending, moment, ids, duration_ms)
    head = append_in(tx, user_id, run_id, run.run_seq, drafts)
    _keep_what_was_said(tx, user_id, run_id, run, ending, standing, head.seq, moment.now_ms)
    error = json.dumps(_as_dict(_error(ending))) if isinstance(ending, Failed) else None
    tx.sql(_END, (state, run.run_seq + len(drafts), error, moment.now_ms, user_id, run_id))
    tx.sql("UPDATE threads SET updated_at = ? WHERE user_id = ? AND id = ?", (moment.now_ms, user_id, run.thread_id))
    promote(tx, user_id, most_running)
    tx.publish(Ended(user_id, run_id, run.trace_id, run.agent, state, duration_ms))
    return state


def _closing(
    standing: Standing, run: _Run, run_id: str, ending: Ending, moment: Moment, ids: Ids, duration_ms: int
) -> list[Any]:
    def event(data: Any, agent: AgentRef, *, final: bool = False) -> Any:
        return draft(
            data,
            event_id=ids.event(),
            time_ms=moment.now_ms,
            thread_id=run.thread_id,
            run_id=run_id,
            trace_id=run.trace_id,
            agent=agent,
            final=final,
        )

    root = standing.root or AgentRef(ids.new("agt"), run.agent)
    drafts = [event(call.closed(_lost(ending), moment.now_ms), call.agent) for call in standing.calls]
    drafts.extend(
        event(_child_ending(ending, child.lasted(moment.now_ms)), child.agent) for child in reversed(standing.children)
    )
    drafts.append(event(_root_ending(ending, duration_ms), root, final=True))
    return drafts


def _lost(ending: Ending) -> bool:
    return isinstance(ending, Failed) and ending.code == "worker_lost"


def _child_ending(ending: Ending, duration_ms: int) -> AgentFailed | AgentCancelled:
    if isinstance(ending, Cancelled):
        return AgentCancelled(ending.reason, duration_ms)  # type: ignore[arg-type]  # reasons are the wire's own words
    if isinstance(ending, Failed):
        return AgentFailed(_error(ending), duration_ms)
    return AgentFailed(_error(Failed("agent_error")), duration_ms)  # a root that returned while its child still ran


def _root_ending(ending: Ending, duration_ms: int) -> AgentCompleted | AgentFailed | AgentCancelled:
    if isinstance(ending, Cancelled):
        return AgentCancelled(ending.reason, duration_ms)  # type: ignore[arg-type]
    if isinstance(ending, Failed):
        return AgentFailed(_error(ending), duration_ms)
    fits = ending.text is None or _fits(ending.text, ending)
    return AgentCompleted(
        duration_ms=duration_ms,
        message_id=ending.message_id or UNSET,
        text=UNSET if ending.text is None or not fits else ending.text,
        truncated=True if ending.truncated or not fits else UNSET,
        result=ending.result,
        usage=ending.usage,
    )


def _fits(text: str, ending: Completed) -> bool:
    """Whether the ending's event can carry its text: JSON makes quotes twice and control characters six times as long."""
    if len(text.encode()) > TEXT_BYTES:
        return False
    parts = [part for part in (text, ending.result, ending.usage) if part is not UNSET]
    return len(msgspec.json.encode(parts)) <= MAX_EVENT_BYTES - _REST_BYTES


def _error(ending: Failed) -> EventError:
    known = RUN_CODES[ending.code]
    return EventError(ending.code, known.sentence, known.retryable)


def _as_dict(error: EventError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "retryable": error.retryable}


def _keep_what_was_said(
    tx: Tx, user_id: str, run_id: str, run: _Run, ending: Ending, standing: Standing, place: int, now_ms: int
) -> None:
    said = (ending.message_id, ending.text) if isinstance(ending, Completed) else (standing.message_id, standing.text)
    message_id, text = said
    if message_id is not None and text:
        tx.sql(_SAY, (user_id, message_id, run.thread_id, run_id, run.agent, text, now_ms, place))


def cancel(
    tx: Tx, user_id: str, run_id: str, reason: str, moment: Moment, *, most_running: int = RUNNING_PER_USER
) -> str:
    """Ask for a run to be stopped; idempotent. A queued run ends at once. Returns the state at this commit.

    Raises:
        QuintetError: `not_found`.
    """
    row = tx.sql(f"SELECT state, attempt, cancelled {_KNOWN}", (user_id, run_id)).fetchone()
    if row is None:
        raise QuintetError("not_found")
    state, attempt, flag = row
    if state == "queued":
        return close(tx, user_id, run_id, attempt, Cancelled(reason), moment, most_running=most_running)
    if state in OPEN and flag is None:
        tx.sql("UPDATE runs SET cancelled = ? WHERE user_id = ? AND id = ?", (reason, user_id, run_id))
        tx.wake("work")
    return str(state)


def cancelled(tx: Tx, worker_id: str) -> list[tuple[str, str, str]]:
    """Runs of a worker that are to be stopped: user, run, reason."""
    return list(
        tx.sql(
            "SELECT user_id, id, cancelled FROM runs"
            " WHERE state IN ('queued', 'running') AND state = 'running' AND cancelled IS NOT NULL AND worker_id = ?",
            (worker_id,),
        ).fetchall()
    )


def deleted(tx: Tx, held: Sequence[tuple[str, str]]) -> list[str]:
    """Of the runs (user, run) that a worker holds, those that are no more: their thread is deleted, or being so."""
    return [run[1] for run in held if tx.sql(f"SELECT 1 {_KNOWN}", run).fetchone() is None]


def lose_all(tx: Tx, moment: Moment, *, most_running: int = RUNNING_PER_USER) -> Sequence[tuple[str, str]]:
    """End every running run as `worker_lost`, and forget the agents of all workers: for when they are known to be dead."""
    rows = tx.sql(
        "SELECT user_id, id, attempt, cancelled FROM runs WHERE state IN ('queued', 'running') AND state = 'running'"
    ).fetchall()
    for number, (user_id, run_id, attempt, flag) in enumerate(rows):
        ending: Ending = Failed("worker_lost") if flag is None else Cancelled(flag)
        seed = Moment(moment.now_ms, moment.seed + number.to_bytes(4))
        close(tx, user_id, run_id, attempt, ending, seed, most_running=most_running)
    tx.sql("DELETE FROM workers")
    tx.sql("DELETE FROM agents")
    return [(user_id, run_id) for user_id, run_id, _, _ in rows]
