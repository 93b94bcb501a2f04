"""Planted defects of a fleet on PostgreSQL: of what one process tells the others, and of what keeps them from each other's numbers."""

import time
from collections.abc import Callable
from typing import Any

from quintet.engine.pulse import Pulse
from quintet.log import numbers
from support.patching import replace

__all__ = ["DEFECTS_OF_FLEETS"]


def deaf_to_notices() -> None:
    """What other processes tell is heard and forgotten; the slow poll is left."""
    from quintet.store.notices import Notices

    replace(Notices, "_take", lambda _self, _payload: None)


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


def number_without_the_lock() -> None:
    """A transaction does not lock the heads of its users, is slow to write, and no index refuses a number that is given twice."""
    from quintet.store.postgres import connection, transaction

    def begin(self: Any) -> Any:
        tx = old(self)
        if not dropped:
            dropped.append(True)
            tx.sql("SET LOCAL lock_timeout = '2s'")
            tx.sql("DROP INDEX IF EXISTS uq_events_user_id_seq")
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


DEFECTS_OF_FLEETS: dict[str, Callable[[], None]] = {
    "deaf_to_notices": deaf_to_notices,
    "keep_epochs_after_a_loss": keep_epochs_after_a_loss,
    "number_without_the_lock": number_without_the_lock,
    "outlive_the_lease": outlive_the_lease,
    "write_after_the_lease": write_after_the_lease,
}
