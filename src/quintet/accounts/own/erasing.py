"""Deleting an account: in one moment it is nobody's, then everything that belonged to it is taken away in portions.

1. The first transaction ends sessions and running work and empties the user's row, so the address is free and nobody can enter.
2. What is owned is asked of the schema, never listed by hand: every table with a user. A new one is deleted with the rest.
3. Where the conversations are in a cell they go first and the account last: what is left of it says that there is more to do.
4. Portions follow, each a short transaction, so that others' writes go between them; the last takes the user and has the files of the
   database cleaned. What a dead process had begun is finished at the next start, before anything is served, and now and then.
5. The audit keeps ids and actions, nothing else.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import Column, Table, delete, select

from quintet import runs
from quintet.accounts import audit
from quintet.accounts.people.users import DELETED
from quintet.accounts.sessions import sessions
from quintet.errors import QuintetError
from quintet.log import Forgotten
from quintet.periodic import Periodic
from quintet.runs import Cancelled, Moment
from quintet.sources import Sources
from quintet.store import Store, Tx
from quintet.store.tables import metadata

__all__ = ["DELETED", "Erasing", "begin", "owned_tables", "take_portion"]

PERIOD = 600.0
ROWS = 400  # in one transaction
_LARGE = {"attachments": 4, "messages": 40, "events": 200}  # rows that may be large

_EMPTY = (
    "UPDATE users SET email = '', email_key = id, name = NULL, password_hash = '', role = ?, disabled_at = ?"
    " WHERE id = ? AND role <> ? RETURNING id"
)
_KEY = "SELECT email_key FROM users WHERE id = ?"
_OPEN = "SELECT id, attempt FROM runs WHERE user_id = ? AND state IN ('queued', 'running') ORDER BY first_seq DESC"
_BEGUN = "SELECT id FROM users WHERE role = ? AND id > ? ORDER BY id LIMIT 1"
_LEAVING = "UPDATE users SET role = ? WHERE id = ?"

logger = logging.getLogger(__name__)


def owned_tables() -> list[Table]:
    """Every table whose rows belong to a user; what refers to others comes before them."""
    return [table for table in reversed(metadata.sorted_tables) if "user_id" in table.c]


def begin(tx: Tx, user_id: str, moment: Moment) -> bool:
    """Make the account nobody's. False when there is none, or this was done before."""
    key = tx.sql(_KEY, (user_id,)).fetchone()
    if key is None or tx.sql(_EMPTY, (DELETED, moment.now_ms, user_id, DELETED)).fetchone() is None:
        return False
    tx.sql("DELETE FROM invites WHERE email_key = ?", (key[0],))
    sessions.end_all(tx, user_id, (row.id for row in sessions.live(tx, user_id, 0)), DELETED, moment.now_ms)
    tx.revoke(user_id)  # also where no session stands: whoever has read the user before looks again
    _end_runs(tx, user_id, moment)
    audit.record(tx, "deletion", moment.now_ms, subject_id=user_id)
    audit.erase(tx, user_id)
    tx.wake(DELETED)
    return True


def leave(tx: Tx, user_id: str, moment: Moment) -> None:
    """In a cell: end running work, and let portions take away the user's place. Does no harm when it was done before."""
    _end_runs(tx, user_id, moment)
    tx.sql(_LEAVING, (DELETED, user_id))
    tx.wake(DELETED)


def take_portion(tx: Tx, user_id: str) -> bool:
    """Take away what fits into one transaction. True when nothing is left."""
    for table in owned_tables():
        most = _LARGE.get(table.name, ROWS)
        if _take(tx, table, user_id, most) >= most:
            tx.publish(Forgotten(user_id))
            return False
    audit.erase(tx, user_id)
    tx.sql("DELETE FROM users WHERE id = ? AND role = ?", (user_id, DELETED))
    tx.publish(Forgotten(user_id))
    tx.scrub()
    return True


def _take(tx: Tx, table: Table, user_id: str, most: int) -> int:
    mine = table.c.user_id == user_id
    keys = _keys(table)
    if not keys:
        tx.core.execute(delete(table).where(mine))
        return 0
    found = tx.core.execute(select(table.c.user_id, *keys).where(mine).limit(most)).all()
    one = " AND ".join(f"{name} = ?" for name in ("user_id", *(key.name for key in keys)))
    tx.many(f"DELETE FROM {table.name} WHERE {one}", [tuple(row) for row in found])  # noqa: S608 - the schema's own names
    return len(found)


def _keys(table: Table) -> list[Column[object]]:
    """What tells the rows of one user apart."""
    columns = list(table.primary_key.columns) or [table.c.user_id, table.c.seq]
    return [column for column in columns if column.name != "user_id"]


def _end_runs(tx: Tx, user_id: str, moment: Moment) -> None:
    """The last first: an ending makes the next run ready, and none shall be. A run without a row is stopped by its worker at once."""
    for number, (run_id, attempt) in enumerate(tx.sql(_OPEN, (user_id,)).fetchall()):
        seed = Moment(moment.now_ms, moment.seed + number.to_bytes(4))
        runs.close(tx, user_id, run_id, attempt, Cancelled("user"), seed)
        tx.sql("DELETE FROM runs WHERE user_id = ? AND id = ?", (user_id, run_id))


class Erasing:
    """Deletes accounts, and finishes what was begun."""

    def __init__(self, store: Store, sources: Sources) -> None:
        self._store = store
        self._sources = sources
        self.finishing = Periodic("deletions of accounts", self._finish_all, PERIOD, at_once=False)

    async def erase(self, user_id: str, check: Callable[[Tx], None] = lambda tx: None) -> bool:
        """Delete an account; nothing of it is left when this returns. False when there is none. `check` may refuse, in the first transaction.

        Raises:
            QuintetError: the store's, and what `check` raises. Once it was begun it is finished later.
        """
        moment = runs.moment(self._sources)

        def first(tx: Tx) -> bool:
            check(tx)
            return begin(tx, user_id, moment)

        begun = await self._store.write(user_id, first)
        if begun:
            await self._finish(user_id)
        return begun

    async def catch_up(self) -> None:
        """Finish what a dead process had begun: before anything is served. Raises QuintetError: the store cannot."""
        await self._finish_all()

    async def _finish_all(self) -> None:
        last = ""
        while (row := await self._store.read(partial(_begun_after, last=last))) is not None:
            last = row[0]
            try:
                await self._finish(last)
            except QuintetError:
                if self._store.apart(last) is None:
                    raise
                logger.warning("the deletion of an account waits for its cell")
            else:
                logger.warning("the deletion of an account that had been begun is finished")

    async def _finish(self, user_id: str) -> None:
        cell = self._store.apart(user_id)
        if cell is not None:
            moment = runs.moment(self._sources)
            await cell.write(user_id, lambda tx: leave(tx, user_id, moment))
            await _take_all(cell, user_id)
        await _take_all(self._store, user_id)


def _begun_after(tx: Tx, last: str) -> Any:
    return tx.sql(_BEGUN, (DELETED, last)).fetchone()


async def _take_all(store: Store, user_id: str) -> None:
    while not await store.write(user_id, lambda tx: take_portion(tx, user_id)):
        pass
