"""Which workers live, where several processes share a database: each raises its beat, and whoever sees one stand still ends its runs.

1. No clock of one machine is compared with another's: a beat stands still for so long by the clock of who looks at it.
2. A dead worker is one that is not in the table. A running run of such a worker is nobody's, whoever finds it ends it, once.
3. A worker that was taken for dead finds that out by its own beat, and by the fence of whatever it appends.
"""

from typing import NamedTuple

from quintet.runs.closing import Cancelled, Ending, Failed, close
from quintet.runs.opening import RUNNING_PER_USER
from quintet.runs.steps import Moment
from quintet.store import Tx

__all__ = ["Orphan", "absent_in", "beat", "beats_in", "bury", "end_orphan", "forget_agents", "leave", "orphans_in"]

_ORPHANS = (
    "SELECT user_id, id, attempt FROM runs"
    " WHERE state IN ('queued', 'running') AND state = 'running' AND worker_id NOT IN (SELECT id FROM workers) LIMIT ?"
)
_AT_ONCE = 500
_ABSENT = "SELECT DISTINCT worker_id FROM agents WHERE worker_id NOT IN (SELECT id FROM workers)"
_KNOWN = "SELECT cancelled FROM runs WHERE user_id = ? AND id = ?"


class Orphan(NamedTuple):
    """A running run whose worker is not there any more."""

    user_id: str
    run_id: str
    attempt: int


def beat(tx: Tx, worker_id: str) -> bool:
    """A worker lives; False when it has been taken for dead."""
    return bool(tx.sql("UPDATE workers SET beat = beat + 1 WHERE id = ?", (worker_id,)).rowcount)


def leave(tx: Tx, worker_id: str) -> None:
    """A worker has ended its runs and goes. Its agents are known for a while: it may be restarting, and what is sent to them waits."""
    tx.sql("DELETE FROM workers WHERE id = ?", (worker_id,))


def beats_in(tx: Tx) -> dict[str, int]:
    """The beat of each worker."""
    return dict(tx.sql("SELECT id, beat FROM workers").fetchall())


def bury(tx: Tx, worker_id: str, stood_at: int) -> bool:
    """Take a worker for dead whose beat stood still; False when it has moved since."""
    return bool(tx.sql("DELETE FROM workers WHERE id = ? AND beat = ?", (worker_id, stood_at)).rowcount)


def absent_in(tx: Tx) -> list[str]:
    """Workers whose agents are still known, and who are not there any more."""
    return [row[0] for row in tx.sql(_ABSENT).fetchall()]


def forget_agents(tx: Tx, worker_id: str) -> None:
    """Know nothing more of a worker that has not come back. One that is there keeps its agents."""
    tx.sql("DELETE FROM agents WHERE worker_id = ? AND worker_id NOT IN (SELECT id FROM workers)", (worker_id,))


def orphans_in(tx: Tx) -> list[Orphan]:
    """Some of the runs that are nobody's."""
    return [Orphan(*row) for row in tx.sql(_ORPHANS, (_AT_ONCE,)).fetchall()]


def end_orphan(tx: Tx, orphan: Orphan, moment: Moment, *, most_running: int = RUNNING_PER_USER) -> str:
    """End a run that is nobody's. Raises `Fenced`: another was quicker."""
    row = tx.sql(_KNOWN, orphan[:2]).fetchone()
    ending: Ending = Failed("worker_lost") if row is None or row[0] is None else Cancelled(row[0])
    return close(tx, *orphan, ending, moment, most_running=most_running)
