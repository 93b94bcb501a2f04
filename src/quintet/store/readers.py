"""Readers: a few threads, a connection each. One read sees one consistent state of the database."""

import contextlib
import threading
from collections.abc import Callable

from quintet.store.committer import Database
from quintet.store.inbox import Inbox
from quintet.store.work import Item, settle

__all__ = ["Readers"]


class Readers:
    """`count` threads that take reads from one queue."""

    def __init__(self, connect: Callable[[], Database], count: int) -> None:
        self._connect = connect
        self._inbox = Inbox()
        self.put = self._inbox.put
        self._count = count
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Connect, and start the threads. Raises what the driver raises when the database cannot be opened."""
        for number in range(self._count):
            thread = threading.Thread(
                target=self._run, args=(self._connect(),), name=f"quintet-reader-{number}", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    @property
    def waiting(self) -> int:
        """How much is queued."""
        return len(self._inbox)

    def close(self, timeout: float = 10) -> None:
        """Finish what is queued, then end the threads. `timeout` in seconds, for each."""
        self._inbox.close(takers=len(self._threads))
        for thread in self._threads:
            thread.join(timeout)

    def _run(self, database: Database) -> None:
        try:
            while (item := self._inbox.take()) is not None:
                _read(database, item)
                settle([item])
        finally:
            database.close()


def _read(database: Database, item: Item) -> None:
    assert item.fn is not None
    try:
        item.result = item.fn(database.begin())
    except BaseException as error:  # also what is no Exception: this thread serves everybody
        item.error = database.translate(error) if isinstance(error, Exception) else error
    finally:
        with contextlib.suppress(Exception):  # the next `begin` tries again
            database.rollback()
