"""Planted defects of a fleet on PostgreSQL: of what one process tells the others, of what keeps them from each other's numbers, of who is
taken for dead, and of what a database may do to a commit."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from quintet import runs
from quintet.engine.outbox import Outbox
from quintet.engine.pulse import Pulse
from quintet.engine.reaper import Reaper
from quintet.engine.worker import Worker
from quintet.log import Log, numbers
from quintet.store import Renewed
from quintet.store.notices import CutOffError, Notices
from support.patching import replace

__all__ = ["DEFECTS_OF_FLEETS"]


# --- what one process tells the others --------------------------------------------------------------------------------


def deaf_to_notices() -> None:
    """What other processes tell is heard and forgotten; the slow poll is left."""
    replace(Notices, "_take", lambda _self, _payload: None)


def never_look_at_heads() -> None:
    """A gateway believes that it hears everything."""

    async def look(_self: Log) -> None:
        return

    replace(Log, "look", look)


def deaf_for_good() -> None:
    """Once the connection that hears is gone, nobody makes another."""

    def listen(self: Notices, ended: Any) -> None:
        with ended:
            try:
                ear = self._channel.listen()
                self.hearing = True
                self._hear(ear, ended)
            except CutOffError:
                self.hearing = False

    replace(Notices, "_listen", listen)


def trust_silence() -> None:
    """A connection that says nothing has nothing to say."""
    from quintet.store.postgres import channel

    replace(channel, "PROBE", 3600.0)


def send_away_in_silence() -> None:
    """A gateway that its database does not answer sends everybody away, as if the logs had begun anew."""

    async def look(self: Log) -> None:
        try:
            async with asyncio.timeout(2):
                await old(self)
        except TimeoutError:
            self._renew(Renewed())

    old = replace(Log, "look", look)


# --- who is dead ------------------------------------------------------------------------------------------------------


def bury_late() -> None:
    """Two lives without a beat, instead of one."""

    def init(self: Reaper, *parts: Any, life: float, **more: Any) -> None:
        old(self, *parts, life=2 * life, **more)

    old = replace(Reaper, "__init__", init)


def begin_it_again() -> None:
    """What a dead worker left is given to the next."""

    def end_orphan(tx: Any, orphan: Any, _moment: Any, **_options: Any) -> str:
        tx.sql(
            "UPDATE runs SET state = 'queued', ready = 1"
            " WHERE user_id = ? AND id = ? AND attempt = ? AND state = 'running'",
            orphan,
        )
        tx.wake("work")
        return "queued"

    replace(runs, "end_orphan", end_orphan)


def never_wait_for_the_log() -> None:
    """An agent may say as much as it likes, whatever has been stored of it."""
    replace(Outbox, "_full", lambda _self: False)


def leave_at_once() -> None:
    """A worker that is told to stop waits for nothing."""

    async def empty_out(self: Worker, _timeout: float) -> None:
        await old(self, 0.0)

    old = replace(Worker, "_empty_out", empty_out)


def outlive_the_lease() -> None:
    """No defect of the log: a worker that does not notice that it was taken for dead. Only the fence is left."""

    def look_away(self: Pulse) -> None:
        self._cut_off = lambda: None

    async def begin(self: Pulse) -> None:
        look_away(self)
        await old(self)

    old = replace(Pulse, "begin", begin)


def write_after_the_lease() -> None:
    """The same worker, and an append is stored whatever became of its attempt."""
    outlive_the_lease()
    replace(numbers._Fence, "refusal", lambda _self, _append: None)


# --- the database -----------------------------------------------------------------------------------------------------


def number_without_the_lock() -> None:
    """A transaction does not lock the heads of its users, is slow to write, and no index refuses a number that is given twice."""
    from quintet.store.postgres import connection, transaction

    def begin(self: Any) -> Any:
        tx = old(self)
        if not dropped:
            dropped.append(True)
            tx.sql("SET LOCAL lock_timeout = '2s'")
            tx.sql("DROP INDEX IF EXISTS uq_events_segment_user_id_seq")
        return tx

    def many(self: Any, statement: str, rows: Any) -> None:
        time.sleep(0.03)
        old_many(self, statement, rows)

    dropped: list[bool] = []
    old_many = replace(transaction.PostgresTx, "many", many)
    replace(connection, "_MARK_AND_LOCK", connection._MARK_AND_LOCK.replace(" FOR UPDATE", ""))
    replace(connection, "_LOCK_KEYS", "SELECT 1 WHERE $1::text[] IS NULL")
    old = replace(connection.WritingConnection, "begin", begin)


def keep_epochs_after_a_loss() -> None:
    """Whatever the new primary lacks, numbers go on where it stands."""
    from quintet.store.postgres import dialing

    def adopt(raw: Any, lineage: Any, *, keep: bool) -> bool:
        del keep
        return bool(old(raw, lineage, keep=True))

    old = replace(dialing, "adopt", adopt)
    dialing.Dialing.renewed = property(lambda _: lambda: None, lambda _, __: None)  # type: ignore[assignment]


def keep_what_was_open() -> None:
    """What was open at the loss is still open: nobody asks what may have become of it."""
    from quintet.store.postgres import lineage

    replace(lineage, "_OPEN", "SELECT 1")


def forget_the_vouching() -> None:
    """Whatever the operator vouches for, a failover is taken for a loss."""
    from quintet.store.postgres.dialing import Dialing

    def init(self: Dialing, url: str, **more: Any) -> None:
        old(self, url, **more | {"keep": False})

    old = replace(Dialing, "__init__", init)


def answer_before_the_log() -> None:
    """A commit is answered before the database has written it down."""
    from quintet.store.postgres import dialing

    replace(dialing, "_SETTINGS", f"{dialing._SETTINGS}; SET synchronous_commit = 'off'")


def impatient() -> None:
    """An answer of the database that takes longer than a second is none."""
    from quintet.store.postgres import patient

    replace(patient, "_PATIENT", 1.0)


def believe_a_lost_commit() -> None:
    """When the connection goes during a commit, that has taken place."""
    from quintet.store.postgres.connection import WritingConnection

    replace(WritingConnection, "_took_place", lambda _self: True)


def repeat_a_lost_commit() -> None:
    """When the connection goes during a commit, that has not taken place."""
    from quintet.store.postgres.connection import WritingConnection

    replace(WritingConnection, "_took_place", lambda _self: False)


DEFECTS_OF_FLEETS: dict[str, Callable[[], None]] = {
    defect.__name__: defect
    for defect in (
        deaf_to_notices,
        never_look_at_heads,
        deaf_for_good,
        trust_silence,
        send_away_in_silence,
        outlive_the_lease,
        write_after_the_lease,
        bury_late,
        begin_it_again,
        never_wait_for_the_log,
        leave_at_once,
        number_without_the_lock,
        keep_epochs_after_a_loss,
        keep_what_was_open,
        forget_the_vouching,
        answer_before_the_log,
        impatient,
        believe_a_lost_commit,
        repeat_a_lost_commit,
    )
}
