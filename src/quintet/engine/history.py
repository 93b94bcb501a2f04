"""The earlier messages of a thread, as an agent gets them.

A message belongs to an earlier run when that run was accepted earlier, not when it was written earlier: an answer may be
written after the next question was accepted, and that question must find it.
"""

from collections.abc import Sequence

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


def histories(tx: Tx, leased: Sequence[Leased]) -> list[tuple[Message, ...]]:
    """For each run what was said in its thread before it, newest last: at most 200 messages and 256 KiB, the oldest cut to fit."""
    return [_history(tx, run) for run in leased]


def _history(tx: Tx, run: Leased) -> tuple[Message, ...]:
    found: list[tuple[tuple[int, int], Message]] = []
    room = HISTORY_BYTES
    rows = tx.sql(_EARLIER, (run.user_id, run.thread_id, run.first_seq, HISTORY_MESSAGES))
    for first_seq, place, message_id, role, agent, created_at, text in rows:
        encoded = text.encode()
        if len(encoded) > room:
            text = encoded[:room].decode(errors="ignore")  # noqa: PLW2901
        if text:
            found.append(((first_seq, place), Message(message_id, role, text, agent, created_at)))
        room -= len(encoded)
        if room <= 0:
            break
    return tuple(message for _, message in sorted(found))
