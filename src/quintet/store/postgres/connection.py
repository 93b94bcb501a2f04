"""A connection and its transactions, driven by hand; a lost one is made anew at the next beginning.

1. A write locks what it is about before the first read: the head rows of its users in the order of their ids, then other keys as
   advisory locks. So the functions of one user see each other's commits and never each other's halves, on whatever node.
2. Numbers are read by statements that begin after the lock is held: READ COMMITTED sees what the last holder committed.
3. Each commit leaves its number in a row of the lane. When the connection is lost during a COMMIT, that row says whether it took place.
   A lane whose row is not there knows nothing: it was pruned while this process slept, or the database is another one.
"""

import contextlib
import secrets
import time
from collections.abc import Sequence

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection

from quintet.store.base import Tx
from quintet.store.postgres.dialing import Dialing, Raw
from quintet.store.postgres.faults import OutcomeUnknownError, translated
from quintet.store.postgres.marks import ENROL, NOW
from quintet.store.postgres.transaction import PostgresTx
from quintet.store.reaching import UnreachableError

__all__ = ["ReadingConnection", "WritingConnection"]

_SETTLING = 15.0  # seconds in which a lost commit is asked after; a server that crashed is back by then
_MARK_AND_LOCK = (
    f"WITH mark AS (INSERT INTO commit_marks (lane, number, at) VALUES ($2, $3, {NOW})"  # noqa: S608 - of constants
    " ON CONFLICT (lane) DO UPDATE SET number = excluded.number, at = excluded.at)"
    " SELECT user_id FROM heads WHERE user_id = ANY($1::text[]) ORDER BY user_id FOR UPDATE"
)
_LOCK_KEYS = "SELECT pg_advisory_xact_lock(20837, hashtext(key)) FROM unnest($1::text[]) AS keys (key) ORDER BY key"


class _Connection:
    """What readers and writers share."""

    beginning = ""

    def __init__(self, dialing: Dialing) -> None:
        self._dialing = dialing
        self._raw: Raw
        self._core: Connection
        self._dial()

    def _dial(self) -> None:
        self._raw, self._core = self._dialing.dial()
        self._raw.work()

    def _again(self) -> None:
        self.close()
        self._dial()

    def _begin(self) -> None:
        """Start a transaction, on a new connection where the old one is gone: nothing has been done on it yet."""
        self.rollback()
        try:
            self._raw.execute(self.beginning.encode())
        except psycopg.OperationalError:
            if not self.lost:
                raise
            self._again()
            self._raw.execute(self.beginning.encode())

    @property
    def lost(self) -> bool:
        """The connection is gone."""
        return self._raw.closed or self._raw.broken

    @property
    def in_transaction(self) -> bool:
        """See `Database`."""
        return self._raw.info.transaction_status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}

    def rollback(self) -> None:
        """See `Database`."""
        if self.in_transaction:
            self._raw.execute(b"ROLLBACK")

    def translate(self, error: Exception) -> Exception:
        """See `Database`."""
        return translated(error)

    def close(self) -> None:
        """See `Database`."""
        with contextlib.suppress(Exception):  # also of a connection that is gone
            self._core.invalidate()
            self._core.close()
        with contextlib.suppress(Exception):
            self._raw.close()


class ReadingConnection(_Connection):
    """Each transaction sees one state of the database, and cannot write."""

    beginning = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

    def begin(self) -> Tx:
        """See `Database`."""
        self._begin()
        return PostgresTx(self._raw, self._core)

    def commit(self) -> None:
        """See `Database`."""
        self.rollback()

    savepoint = release = rewind = commit

    def scrub(self) -> bool:
        """See `Database`."""
        return True


class WritingConnection(_Connection):
    """One lane's. `keys` of the next transaction are set before it begins."""

    beginning = (
        "BEGIN ISOLATION LEVEL READ COMMITTED"  # whoever makes the database read-only has a reason: a disk that fills
    )

    def __init__(self, dialing: Dialing) -> None:
        super().__init__(dialing)
        self._lane = secrets.token_hex(16)
        self._number = 0
        self.keys: Sequence[str] = ()
        try:
            self._raw.execute(ENROL, (self._lane,))
        except psycopg.Error as error:  # also that it may not write
            self.close()
            raise UnreachableError(str(error).strip()) from error

    def begin(self) -> Tx:
        """See `Database`. Holds the locks of `keys`."""
        self._begin()
        self._number += 1
        tx = PostgresTx(self._raw, self._core)
        keys = sorted(set(self.keys))
        mark = (keys, self._lane, self._number)
        heads = {row[0] for row in tx.numbered(_MARK_AND_LOCK, mark).fetchall()}
        others = [key for key in keys if key not in heads]
        if others:
            tx.numbered(_LOCK_KEYS, (others,))
        return tx

    def commit(self) -> None:
        """See `Database`.

        Raises:
            OutcomeUnknownError: it may have taken place or not.
        """
        try:
            self._raw.execute(b"COMMIT")
        except psycopg.OperationalError as error:
            if not self.lost:
                raise
            if not self._took_place():
                raise UnreachableError("the connection was lost before the commit") from error

    def _took_place(self) -> bool:
        """Whether the last commit is stored, asked for on a new connection."""
        until = time.monotonic() + _SETTLING
        while time.monotonic() < until:
            with contextlib.suppress(psycopg.Error, UnreachableError):
                self._again()
                # Whoever still holds the row is the old connection, at the end of its commit: the lock waits for it.
                row = self._raw.execute(
                    "SELECT number FROM commit_marks WHERE lane = %s FOR UPDATE", (self._lane,)
                ).fetchone()
                if row is None:
                    break
                return bool(row[0] == self._number)
            time.sleep(0.1)
        raise OutcomeUnknownError

    def savepoint(self) -> None:
        """See `Database`."""
        self._raw.execute(b"SAVEPOINT step")

    def release(self) -> None:
        """See `Database`."""
        self._raw.execute(b"RELEASE step")

    def rewind(self) -> None:
        """See `Database`."""
        self._raw.execute(b"ROLLBACK TO step")
        self._raw.execute(b"RELEASE step")

    def scrub(self) -> bool:
        """See `Database`. Nothing to do here: what is deleted goes with the next vacuum."""
        return True
