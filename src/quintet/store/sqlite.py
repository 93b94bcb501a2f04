"""SQLite as the store: write-ahead log, every commit synced, one writer, a lock that proves a dead server dead.

1. `synchronous=FULL`: what was answered survives a power cut.
2. The writer's connection is the only one that checkpoints; readers cannot write at all.
3. `BEGIN IMMEDIATE`: the lock is taken before the first read of a write transaction, so numbers are given under it.
4. A second server on the same file would give the same numbers twice: a kernel lock on a file beside the database refuses it, and goes away
   with its process, however it dies.
"""

import asyncio
import fcntl
import logging
import os
import sqlite3
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from quintet.errors import QuintetError
from quintet.store.asking import Asking
from quintet.store.ballast import Ballast
from quintet.store.base import FULL_SECONDS, Tx
from quintet.store.committer import Committer
from quintet.store.figures import Figures
from quintet.store.readers import Readers

__all__ = ["AlreadyServedError", "SqliteStore"]


log = logging.getLogger(__name__)

_BUSY_MS = 5000  # how long to wait for an administration command beside the server
_READERS = 3
_SCRUB_MS = 100  # how long commits wait for readers to leave the write-ahead log, when something was deleted from it
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_SHMSIZE}


class AlreadyServedError(Exception):
    """Another process holds the database."""


class _Connection:
    """One connection and the way SQLAlchemy sees it. Transactions are driven here, by hand."""

    def __init__(self, path: Path, *, writes: bool) -> None:
        self._raw = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
        try:
            self._prepare(writes)
        except BaseException:
            self._raw.close()
            raise

    def _prepare(self, writes: bool) -> None:
        self._raw.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        self._raw.execute("PRAGMA foreign_keys = ON")
        self._raw.execute("PRAGMA synchronous = FULL")
        self._raw.execute("PRAGMA temp_store = MEMORY")
        self._raw.execute("PRAGMA cache_size = -16384")
        if writes:
            if self._raw.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
                raise sqlite3.OperationalError("this file system cannot hold a write-ahead log")
            self._raw.execute("PRAGMA wal_autocheckpoint = 2000")
            self._raw.execute("PRAGMA journal_size_limit = 67108864")
            self._raw.execute("PRAGMA secure_delete = ON")  # what users delete is not to be found in free pages
        else:
            self._raw.execute("PRAGMA query_only = ON")
        self._begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        engine = create_engine(
            "sqlite+pysqlite://", creator=lambda: self._raw, poolclass=StaticPool, isolation_level="AUTOCOMMIT"
        )
        self._core = engine.connect()

    def begin(self) -> Tx:
        self.rollback()  # of a transaction that could not be taken back when it failed
        self._raw.execute(self._begin)
        return Tx(self._raw, self._core)

    def commit(self) -> None:
        self._raw.execute("COMMIT")

    def rollback(self) -> None:
        if self._raw.in_transaction:
            self._raw.execute("ROLLBACK")

    def savepoint(self) -> None:
        self._raw.execute("SAVEPOINT step")

    def release(self) -> None:
        self._raw.execute("RELEASE step")

    def rewind(self) -> None:
        self._raw.execute("ROLLBACK TO step")
        self._raw.execute("RELEASE step")

    def scrub(self) -> bool:
        self._raw.execute(f"PRAGMA busy_timeout = {_SCRUB_MS}")
        try:
            return bool(self._raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
        finally:
            self._raw.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")

    @property
    def in_transaction(self) -> bool:
        return self._raw.in_transaction

    def translate(self, error: Exception) -> Exception:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        if not isinstance(cause, sqlite3.OperationalError | sqlite3.DatabaseError) or isinstance(
            cause, sqlite3.IntegrityError | sqlite3.ProgrammingError
        ):
            return error
        code = getattr(cause, "sqlite_errorcode", 0)
        if code in _FULL:
            refusal = QuintetError("storage_full", retry_after=FULL_SECONDS)
        elif code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            refusal = QuintetError("busy", retry_after=1)
        else:
            refusal = QuintetError("unavailable", retry_after=5)
        refusal.__cause__ = error
        return refusal

    def close(self) -> None:
        self._core.close()
        self._core.engine.dispose()
        self._raw.close()


class SqliteStore(Asking):
    """A store in one file. `exclusive` takes the server's lock; administration beside a server goes without.

    `reserved` bytes of the disk are kept for endings and deletions, see `Ballast`.
    """

    def __init__(self, path: Path, *, exclusive: bool, reserved: int = 0) -> None:
        super().__init__()
        self.path = path.resolve()  # one database, one lock, whatever link led here
        self._exclusive = exclusive
        self._lock: int | None = None
        ballast = Ballast(self.path.with_name(self.path.name + ".ballast"), reserved if exclusive else 0)
        self._committer = Committer(
            lambda: _Connection(self.path, writes=True), self.wakes, self._publish, ballast=ballast
        )
        self._readers = Readers(lambda: _Connection(self.path, writes=False), _READERS)

    def lock(self) -> None:
        """Take the server's lock.

        Raises:
            AlreadyServedError: another process has it.
        """
        if not self._exclusive or self._lock is not None:
            return
        handle = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise AlreadyServedError(str(self.path)) from error
        self._lock = handle

    def unlock(self) -> None:
        """Give the server's lock back; harmless without it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def start(self) -> None:
        """Take the lock and start the threads. The database must be migrated."""
        self.lock()
        self._committer.start()  # opens the file in write-ahead mode before a reader does
        self._readers.start()

    async def close(self) -> None:
        """Commit what is queued, stop the threads, give the lock back."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._readers.close)
        if await loop.run_in_executor(None, self._committer.close):
            self.unlock()
        else:  # it may still write, so the lock goes only with the process
            log.error("the committer did not end in time")

    def figures(self) -> Figures:
        """See `Store.figures`."""
        return Figures(self._committer.times, self._committer.waiting, self._readers.waiting, self._committer.scarce)

    def _writer(self, key: str) -> Committer:
        return self._committer  # one writes for all keys
