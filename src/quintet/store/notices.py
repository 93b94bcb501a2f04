"""Wake-ups between the processes on one database: what this one has committed, told to the others, and theirs heard.

1. A notice says "look again": topics and users, never data. It may be lost, doubled or late; whoever listens also polls slowly.
2. Told outside the transactions that write, every 10 ms at most; one notice stands for all that was committed since the last.
3. Telling and hearing have a thread and a connection each. A lost one is made anew, with longer and longer rests between the tries.
"""

import json
import logging
import secrets
import socket
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import Protocol

__all__ = ["PROBE", "Channel", "CutOffError", "Ear", "Notices"]

log = logging.getLogger(__name__)

PROBE = 3.0  # seconds of silence after which a connection that hears is asked whether it lives
_PAUSE = 0.01  # seconds between two notices
_REST = 0.5  # seconds before the next try to connect, doubled with every failure
_LONGEST_REST = 4.0  # seconds: no later than the slow poll
_MOST = 100_000  # users that wait to be told; beyond it the slow poll does it

Heard = Callable[[Collection[str], Collection[str]], None]


class CutOffError(Exception):
    """A connection to whoever carries the notices is gone, or cannot be made."""


class Ear(Protocol):
    """A connection that hears. Used by one thread."""

    def hear(self, ended: socket.socket) -> Sequence[str]:
        """The next payloads, waited for; none when `ended` can be read, or when nothing came and a probe was answered.

        Raises:
            CutOffError: the connection is gone.
        """

    def close(self) -> None:
        """Give the connection up."""


class Channel(Protocol):
    """Who carries the notices, and how large one may be in bytes."""

    most: int

    def tell(self, payload: str) -> None:
        """Hand one to whoever listens. Raises `CutOffError`; the next call connects anew. Called by one thread."""

    def listen(self) -> Ear:
        """Begin to hear. Raises `CutOffError`."""
        ...

    def close(self) -> None:
        """Give up the connection that tells, in the thread that told."""


class Notices:
    """Two threads, a connection each. `heard(topics, users)` is called for what others told."""

    def __init__(self, channel: Channel, heard: Heard) -> None:
        self._channel = channel
        self._heard = heard
        self.node = secrets.token_hex(6)
        self.telling = True  # the last notice could be handed over
        self.hearing = False
        self._topics: set[str] = set()
        self._users: set[str] = set()
        self._lock = threading.Lock()
        self._some = threading.Event()
        self._over = threading.Event()
        self._end: socket.socket | None = None  # closed to end the wait for what is heard
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start both threads; they connect by themselves, again and again."""
        self._end, ended = socket.socketpair()
        for work, name in ((self._tell, "quintet-notices-out"), (partial(self._listen, ended), "quintet-notices-in")):
            thread = threading.Thread(target=work, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def close(self, timeout: float = 5) -> None:
        """Tell what waits, then end. `timeout` in seconds, for each thread."""
        self._over.set()
        self._some.set()
        if self._end is not None:
            self._end.close()
        for thread in self._threads:
            thread.join(timeout)

    def add(self, topics: Iterable[str], users: Iterable[str]) -> None:
        """To be told to the others soon. From any thread."""
        with self._lock:
            if len(self._users) < _MOST:
                self._topics.update(topics)
                self._users.update(users)
        self._some.set()

    # --- telling ------------------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        rest = _REST
        while not self._over.is_set() or self._some.is_set():
            self._some.wait()
            self._some.clear()
            with self._lock:
                topics, self._topics = self._topics, set()
                users, self._users = self._users, set()
            try:
                for payload in _payloads(self.node, topics, users, self._channel.most):
                    self._channel.tell(payload)
                self.telling, rest = True, _REST
            except CutOffError as error:
                log.info("a notice could not be told: %s", error)  # the others' slow poll finds what it was about
                self.telling = False
                if self._over.wait(rest):
                    break
                rest = min(2 * rest, _LONGEST_REST)
                self.add(topics, users)
            self._over.wait(_PAUSE)
        self._channel.close()

    # --- hearing ------------------------------------------------------------------------------------------------------

    def _listen(self, ended: socket.socket) -> None:
        rest = _REST
        with ended:
            while not self._over.is_set():
                try:
                    ear = self._channel.listen()
                    self.hearing, rest = True, _REST
                    self._hear(ear, ended)
                except CutOffError as error:
                    log.info("the connection that listens was lost: %s", error)
                    self.hearing = False
                    self._over.wait(rest)
                    rest = min(2 * rest, _LONGEST_REST)

    def _hear(self, ear: Ear, ended: socket.socket) -> None:
        try:
            while not self._over.is_set():
                for payload in ear.hear(ended):
                    self._take(payload)
        finally:
            ear.close()

    def _take(self, payload: str) -> None:
        try:
            node, topics, users = json.loads(payload)
            if node != self.node:
                self._heard(topics, users)
        except Exception:  # of another version, or of somebody else: the slow poll stands behind it
            log.warning("a notice could not be read", exc_info=True)


def _payloads(node: str, topics: Collection[str], users: Collection[str], most: int) -> Iterator[str]:
    """As few as possible, each within the channel's bound."""
    words: list[str] = []
    size = head = len(json.dumps([node, sorted(topics), []]))
    for user_id in users:
        size += len(user_id) + 4  # an id of ours: ASCII
        if words and size > most:
            yield json.dumps([node, sorted(topics), words])
            topics, words, size = (), [], head + len(user_id) + 4
        words.append(user_id)
    if topics or words:
        yield json.dumps([node, sorted(topics), words])
