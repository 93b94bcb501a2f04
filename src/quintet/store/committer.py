"""The one writer: takes what is queued, commits it as one, then tells.

1. One transaction for everything that queued during the last commit; lingering for more only adds delay.
2. A savepoint for each function; payloads for the same gathering function that stand next to each other go through it in one call.
3. A batch lost whole (a full disk rolls everything back) is run again one by one, so that one bad function harms nobody else.
4. Facts and answers leave only after COMMIT returned.
5. Without room on the disk the ballast is given up and the batch run again, now `scarce`; it is taken back when there is room.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from quintet.errors import QuintetError
from quintet.store.ballast import Ballast
from quintet.store.base import Tx
from quintet.store.figures import Histogram
from quintet.store.inbox import Inbox
from quintet.store.wakes import Wakes
from quintet.store.work import Item, settle

__all__ = ["MAX_BATCH", "Committer", "Database"]

log = logging.getLogger(__name__)

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_SCRUB_PAUSE = 5.0  # seconds, at most, between two tries
_SCARCE_PAUSE = 1.0  # seconds between two looks for room
MAX_BATCH = 1024  # items in one commit; bounds how long one may take


class Database(Protocol):
    """One database connection that the committer owns."""

    def begin(self) -> Tx:
        """Start a write transaction; take back one that could not be."""
        ...

    def commit(self) -> None:
        """Make it durable."""

    def rollback(self) -> None:
        """Take it back; harmless when there is none."""

    def savepoint(self) -> None:
        """Mark a place to come back to."""

    def release(self) -> None:
        """Forget the mark."""

    def rewind(self) -> None:
        """Come back to the mark, and forget it."""

    def scrub(self) -> bool:
        """Take what was deleted out of the files; False when readers are in the way just now."""
        ...

    @property
    def in_transaction(self) -> bool:
        """False once the database has taken the transaction back by itself."""
        ...

    def translate(self, error: Exception) -> Exception:
        """The refusal that a driver's error means to a caller; other errors as they are."""
        ...

    def close(self) -> None:
        """Close the connection."""


class _LostError(Exception):
    """The database took the whole transaction back."""


class _NotBegunError(Exception):
    """No transaction could be started, so no function is to blame."""


class Committer:
    """Owns a connection and a thread. `publish` is called in that thread with the facts of each commit."""

    def __init__(
        self,
        connect: Callable[[], Database],
        wakes: Wakes,
        publish: Callable[[Sequence[Any]], None],
        clock: Callable[[], float] = time.perf_counter,
        ballast: Ballast | None = None,
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._wakes = wakes
        self._publish = publish
        self._inbox = Inbox()
        self.put = self._inbox.put
        self._thread: threading.Thread | None = None
        self.commits = 0
        self.times = Histogram(_SECONDS)
        self._scrubs = False  # something that was deleted may still be in the files
        self._scrub_at = 0.0  # not before: a long reader (a backup) must not slow every commit
        self._scrub_pause = 0.0
        self._ballast = ballast
        self._scarce_until = 0.0  # not looked for room before
        self.scarce = False

    def start(self) -> None:
        """Connect, and start the thread. Raises what the driver raises when the database cannot be opened."""
        if self._ballast is not None and not self._ballast.take():
            self._run_short()
        self._thread = threading.Thread(
            target=self._run, args=(self._connect(),), name="quintet-committer", daemon=True
        )
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How much is queued."""
        return len(self._inbox)

    def close(self, timeout: float = 30) -> bool:
        """Commit what is queued, then end the thread. `timeout` in seconds; False when it was not enough."""
        self._inbox.close(takers=1)
        if self._thread is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self, database: Database) -> None:
        try:
            while (batch := self._inbox.take_all(MAX_BATCH)) is not None:
                self._commit(database, batch)
        finally:
            database.close()

    def _commit(self, database: Database, batch: list[Item]) -> None:
        began = self._clock()
        if self.scarce and began >= self._scarce_until:
            self._look_for_room(database)
        try:
            tx = transact(database, batch, scarce=self.scarce)
        except Exception as error:
            self._lost(database, batch, error)
            return
        self.commits += 1
        self.times.add(self._clock() - began)
        self._tell(tx, batch)
        self._scrubs = self._scrubs or tx.scrubs
        if self._scrubs and self._clock() >= self._scrub_at:
            self._scrub(database)

    def _scrub(self, database: Database) -> None:
        try:
            self._scrubs = not database.scrub()  # else after a later commit
        except Exception:
            log.warning("what was deleted could not be taken out of the files yet", exc_info=True)
        self._scrub_at = self._clock() + self._scrub_pause
        self._scrub_pause = min(_SCRUB_PAUSE, self._scrub_pause * 2 or 0.2) if self._scrubs else 0.0

    def _lost(self, database: Database, batch: list[Item], error: Exception) -> None:
        try:
            database.rollback()
        except Exception:  # the next `begin` tries again; the committer must live
            log.exception("a transaction could not be taken back")
        cause = (error.__cause__ or error) if isinstance(error, _LostError | _NotBegunError) else error
        begun = not isinstance(error, _NotBegunError)
        if self._gave_room(database, cause) or (begun and len(batch) > 1):
            for item in batch:
                self._commit(database, [item])
            return
        log.warning("a transaction was lost", exc_info=cause)
        for item in batch:
            item.error = database.translate(cause) if isinstance(cause, Exception) else cause
        settle(batch)

    # --- room on the disk ---------------------------------------------------------------------------------------------

    def _gave_room(self, database: Database, cause: BaseException) -> bool:
        """Whether a batch was lost for want of room, and there is some now."""
        if not isinstance(cause, Exception) or not _is_full(database.translate(cause)):
            return False
        if self._ballast is None or not self._ballast.give_up():
            return False
        self._run_short()
        return True

    def _run_short(self) -> None:
        self.scarce = True
        self._scarce_until = self._clock() + _SCARCE_PAUSE
        log.error("the disk has no room: nothing new is taken, what ends or deletes goes on")

    def _look_for_room(self, database: Database) -> None:
        self._scarce_until = self._clock() + _SCARCE_PAUSE
        with contextlib.suppress(Exception):
            database.scrub()  # a write that was too large has left its size in the write-ahead log
        if self._ballast is not None and self._ballast.take(again=True):
            self.scarce = False
            log.warning("the disk has room again")

    def _tell(self, tx: Tx, batch: list[Item]) -> None:
        try:
            if tx.facts:
                self._publish(tx.facts)
            self._wakes.wake(tx.topics)
        except Exception:  # what was committed will be read by the slow poll; the committer must live
            log.exception("telling of a commit failed")
        settle(batch)


def _is_full(error: BaseException) -> bool:
    return isinstance(error, QuintetError) and error.code == "storage_full"


def transact(database: Database, batch: list[Item], *, scarce: bool = False) -> Tx:
    """Run `batch` as one transaction and commit it."""
    try:
        tx = database.begin()
    except Exception as error:
        raise _NotBegunError from error
    tx.scarce = scarce
    at = 0
    while at < len(batch):
        item = batch[at]
        if item.apply is None:
            _call(database, tx, item)
            at += 1
            continue
        end = at + 1
        while end < len(batch) and batch[end].apply is item.apply:
            end += 1
        group = batch[at:end]
        for member, refusal in zip(group, item.apply(tx, [member.payload for member in group]), strict=True):
            member.error = refusal
        at = end
    database.commit()
    return tx


def _call(database: Database, tx: Tx, item: Item) -> None:
    assert item.fn is not None
    facts, topics = len(tx.facts), set(tx.topics)
    item.error = item.result = None
    database.savepoint()
    try:
        item.result = item.fn(tx)
    except BaseException as error:  # also what is no Exception: this thread serves everybody
        if not database.in_transaction:
            raise _LostError from error
        database.rewind()
        del tx.facts[facts:]
        tx.topics = topics
        item.error = database.translate(error) if isinstance(error, Exception) else error
        if item.error is not error and _is_full(item.error):
            raise _LostError from error  # room may be made for it
    else:
        database.release()
