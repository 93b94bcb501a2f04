"""Deleting a thread: in one moment nobody can read it, then what was said in it is taken away in portions.

1. The first transaction ends what is open in it, once each, hides the thread from every route, and appends `thread_deleted`.
2. Portions follow, each a short transaction of its own, so that others' writes go between them. The deletion is answered after the last.
3. What a dead process had begun, or a full disk has stopped, is finished at the next start, before anything is served, and now and then.
"""

from functools import partial

from quintet import runs
from quintet.chat.portion import Place, spent, stands_for, take_portion
from quintet.chat.reading import leaving, thread_of
from quintet.log import append_in
from quintet.runs import Moment
from quintet.scope import UserScope
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["begin_deletion", "delete_thread", "finish_deletions", "was_deleted"]

_OPEN = (
    "SELECT id, attempt FROM runs WHERE user_id = ? AND thread_id = ? AND state IN ('queued', 'running')"
    " ORDER BY first_seq DESC"
)
_BEGUN = "SELECT user_id, thread_id FROM deletions ORDER BY began_at LIMIT 1"


async def delete_thread(store: Store, scope: UserScope, thread_id: str, moment: Moment, *, most_running: int) -> None:
    """Delete a thread, all that was said in it and its files; nothing of it can be read when this returns.

    Raises:
        QuintetError: `not_found`, or the store's. After one of the store's it may be asked for again, and goes on.
    """
    begin = partial(
        begin_deletion, scope=scope, thread_id=thread_id, moment=moment._replace(seed=moment.seed + b"begin")
    )
    await store.write(scope.user_id, partial(begin, most_running=most_running))
    await _finish(store, scope.user_id, thread_id, moment)


async def finish_deletions(store: Store, sources: Sources) -> int:
    """Finish what was begun; returns how many threads went.

    Raises:
        QuintetError: the store cannot.
    """
    finished = 0
    while (begun := await store.read(lambda tx: tx.sql(_BEGUN).fetchone())) is not None:
        user_id, thread_id = begun
        await _finish(store, user_id, thread_id, runs.moment(sources))
        finished += 1
    return finished


async def _finish(store: Store, user_id: str, thread_id: str, moment: Moment) -> None:
    place: Place | None = Place()
    number = 0
    while place is not None:
        number += 1
        now = moment._replace(seed=moment.seed + number.to_bytes(4))
        place = await store.write(
            user_id, partial(take_portion, user_id=user_id, thread_id=thread_id, place=place, moment=now)
        )


def begin_deletion(tx: Tx, scope: UserScope, thread_id: str, moment: Moment, *, most_running: int) -> None:
    """End what is open, hide the thread, tell every device. Raises QuintetError `not_found`."""
    user_id = scope.user_id
    if leaving(tx, user_id, thread_id):
        return  # asked for again
    thread_of(tx, scope, thread_id)
    _end_runs(tx, user_id, thread_id, moment, most_running)
    ids = Moment(moment.now_ms, moment.seed + b"deleted").ids()
    append_in(tx, user_id, None, 0, [stands_for(ids, thread_id, moment.now_ms, "")])
    tx.sql("INSERT INTO deletions (user_id, thread_id, began_at) VALUES (?, ?, ?)", (user_id, thread_id, moment.now_ms))
    tx.wake("deleted")


def was_deleted(tx: Tx, scope: UserScope, client_id: str) -> bool:
    """Whether this was sent before, to a thread that has been deleted since."""
    query = "SELECT 1 FROM deleted_sends WHERE user_id = ? AND digest = ?"
    return tx.sql(query, (scope.user_id, spent(scope.user_id, client_id))).fetchone() is not None


def _end_runs(tx: Tx, user_id: str, thread_id: str, moment: Moment, most_running: int) -> None:
    """The last first: an ending makes the next run of the thread ready, and none of them shall be."""
    for number, (run_id, attempt) in enumerate(tx.sql(_OPEN, (user_id, thread_id)).fetchall()):
        seed = Moment(moment.now_ms, moment.seed + number.to_bytes(4))
        runs.close(tx, user_id, run_id, attempt, runs.Cancelled("user"), seed, most_running=most_running)
