"""Readers: a few threads, a connection each. One read sees one consistent state of the database."""

import queue
import threading
from collections.abc import Callable

from quintet.errors import QuintetError
from quintet.store.committer import MAX_QUEUED, Database
from quintet.store.work import Item, settle

__all__ = ["Readers"]


class Readers:
    """`count` threads that take reads from one queue."""

    def __init__(self, connect: Callable[[], Database], count: int) -> None:
        self._connect = connect
        self._queue: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"quintet-reader-{number}", daemon=True) for number in range(count)
        ]
        self._closed = False

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def put(self, item: Item) -> None:
        """Queue a read.

        Raises:
            QuintetError: `busy` when too much is waiting, `unavailable` after the end.
        """
        if self._closed:
            raise QuintetError("unavailable")
        if self._queue.qsize() >= MAX_QUEUED:
            raise QuintetError("busy", retry_after=1)
        self._queue.put(item)

    def close(self, timeout: float = 10) -> None:
        """Finish what is queued, then end the threads. `timeout` in seconds, for each."""
        self._closed = True
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(timeout)

    def _run(self) -> None:
        database = self._connect()
        try:
            while (item := self._queue.get()) is not None:
                _read(database, item)
                settle([item])
        finally:
            database.close()


def _read(database: Database, item: Item) -> None:
    assert item.fn is not None
    try:
        item.result = item.fn(database.begin())
    except Exception as error:
        item.error = database.translate(error)
    finally:
        database.rollback()
