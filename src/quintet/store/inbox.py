"""What waits for the threads that own a connection: bounded, and closed so that nothing is left unanswered behind the end."""

import queue
import threading

from quintet.errors import QuintetError
from quintet.store.work import Item

__all__ = ["MAX_QUEUED", "Inbox"]

MAX_QUEUED = 8192  # items waiting; beyond it whoever asks is told to come back


class Inbox:
    """A queue with an end. Any thread puts; the owner threads take."""

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._gate = threading.Lock()  # nothing is put behind the end, where nobody would answer it
        self._closed = False

    def __len__(self) -> int:
        return self._items.qsize()

    def put(self, item: Item) -> None:
        """Queue `item`.

        Raises:
            QuintetError: `busy` when too much is waiting, `unavailable` after the end.
        """
        with self._gate:
            if self._closed:
                raise QuintetError("unavailable")
            if self._items.qsize() >= MAX_QUEUED:
                raise QuintetError("busy", retry_after=1)
            self._items.put(item)

    def close(self, takers: int) -> None:
        """Put the end behind what waits, once for each thread that takes."""
        with self._gate:
            self._closed = True
            for _ in range(takers):
                self._items.put(None)

    def take(self) -> Item | None:
        """The next item, waited for; None at the end."""
        return self._items.get()

    def take_all(self, most: int) -> list[Item] | None:
        """Everything that waits, at most `most`, at least one; None at the end. For a single taker."""
        first = self._items.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < most:
            try:
                item = self._items.get_nowait()
            except queue.Empty:
                break
            if item is None:
                self._items.put(None)  # the end is for the next time
                break
            batch.append(item)
        return batch
