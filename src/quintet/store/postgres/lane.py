"""A committer for some of the keys: with its own connection, beside others.

1. A key is always in the same lane, so its writes keep their order.
2. What the database took back for its own reasons (a deadlock, a lost connection) is run again, a bounded number of times.
3. What may have been stored is never run again: its callers are told that nobody knows.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from quintet.store.base import Tx
from quintet.store.committer import Committer, _LostError, _NotBegunError, transact
from quintet.store.notices import Notices
from quintet.store.postgres.connection import WritingConnection
from quintet.store.postgres.faults import AgainError, OutcomeUnknownError, cause_of, is_again
from quintet.store.reaching import UnreachableError
from quintet.store.wakes import Wakes
from quintet.store.work import Item, settle

__all__ = ["Lane"]

log = logging.getLogger(__name__)

_TRIES = 5
_PAUSE = 0.005  # seconds
_SAY_EVERY = 5.0  # seconds: a database that is away for hours must not fill the disk of the log


class Lane(Committer):
    """See `Committer`."""

    def __init__(
        self,
        connect: Callable[[], WritingConnection],
        wakes: Wakes,
        publish: Callable[[Sequence[Any]], None],
        notices: Notices,
    ) -> None:
        super().__init__(connect, wakes, publish)
        self._notices = notices
        self._lost_since, self._say_at = 0, 0.0  # transactions since the last line about one

    def _commit(self, database: Any, batch: list[Item], tries: int = 1) -> None:
        began = self._clock()
        database.keys = [item.key for item in batch]
        try:
            tx = transact(database, batch)
        except Exception as error:
            self._lost(database, batch, error, tries)
            return
        self.commits += 1
        self.times.add(self._clock() - began)
        again = [item for item in batch if item.error is not None and is_again(item.error)]
        self._tell(tx, [item for item in batch if item not in again] if again else batch)
        for item in again:
            self._once_more(database, item, item.error, tries)

    def _tell(self, tx: Tx, batch: list[Item]) -> None:
        super()._tell(tx, batch)
        if tx.facts or tx.topics:
            users = {fact.user_id for fact in tx.facts if hasattr(fact, "user_id")}
            self._notices.add(tx.topics, users)

    def _lost(self, database: Any, batch: list[Item], error: Exception, tries: int = 1) -> None:
        cause = (error.__cause__ or error) if isinstance(error, _LostError | _NotBegunError) else error
        try:
            database.rollback()
        except Exception as failed:
            log.warning("a transaction could not be taken back: %s", failed)
        if isinstance(cause, OutcomeUnknownError) or (isinstance(error, _NotBegunError) and not is_again(cause)):
            self._refuse(database, batch, cause)
        elif len(batch) > 1:
            for item in batch:
                self._commit(database, [item])
        elif is_again(cause) or isinstance(cause, UnreachableError) or database.lost:
            self._once_more(database, batch[0], cause, tries)
        else:
            self._refuse(database, batch, cause)

    def _once_more(self, database: Any, item: Item, cause: BaseException | None, tries: int) -> None:
        if tries < _TRIES:
            time.sleep(_PAUSE * tries)  # whom it has met goes first
            self._commit(database, [item], tries + 1)
        else:
            self._refuse(database, [item], cause or AgainError())

    def _refuse(self, database: Any, batch: list[Item], cause: BaseException) -> None:
        self._lost_since += 1
        if time.monotonic() >= self._say_at:
            log.warning("a transaction was lost (%d since the last such line): %s", self._lost_since, cause_of(cause))
            self._lost_since, self._say_at = 0, time.monotonic() + _SAY_EVERY
        for item in batch:
            if isinstance(cause, OutcomeUnknownError) and item.apply is not None:
                item.error = cause  # an append is not asked for again: its events would stand there twice
            else:
                item.error = database.translate(cause) if isinstance(cause, Exception) else cause
        settle(batch)
