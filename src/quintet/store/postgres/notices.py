"""Wake-ups between the processes on one database: what this one has committed, told to the others, and theirs heard.

1. A notice says "look again": topics and users, never data. It may be lost, doubled or late; whoever listens also polls slowly.
2. Told from a connection of its own and outside the transactions that write, every 10 ms at most: NOTIFY holds a lock of the whole
   database while it commits.
3. Heard on a connection of its own, which is probed: a network that swallows everything looks like silence.
"""

import json
import logging
import secrets
import selectors
import socket
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial

import psycopg

from quintet.store.postgres.dialing import Dialing, Raw
from quintet.store.reaching import UnreachableError

__all__ = ["Notices"]

log = logging.getLogger(__name__)

_CHANNEL = "quintet"
_PAUSE = 0.01  # seconds between two notices
_PROBE = 3.0  # seconds of silence after which the listening connection is asked whether it lives
_REST = 0.5  # seconds before the next try to connect
_BYTES = 7_000  # of a payload; PostgreSQL takes less than 8,000
_MOST = 100_000  # topics and users that wait to be told; beyond it the slow poll does it

Heard = Callable[[Collection[str], Collection[str]], None]


class Notices:
    """Two threads, a connection each. `heard(topics, users)` is called for what others told."""

    def __init__(self, dialing: Dialing, heard: Heard) -> None:
        self._dialing = dialing
        self._heard = heard
        self.node = secrets.token_hex(6)
        self._topics: set[str] = set()
        self._users: set[str] = set()
        self._lock = threading.Lock()
        self._some = threading.Event()
        self._over = threading.Event()
        self._end: socket.socket | None = None  # closed to end the wait for the other connection
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
        raw: Raw | None = None
        while not self._over.is_set() or self._some.is_set():
            self._some.wait()
            self._some.clear()
            with self._lock:
                topics, self._topics = self._topics, set()
                users, self._users = self._users, set()
            try:
                raw = raw if raw is not None and not raw.closed else self._dialing.plain()
                for payload in _payloads(self.node, topics, users):
                    raw.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, payload))
            except (psycopg.Error, UnreachableError) as error:
                log.info("a notice was lost: %s", error)  # the others' slow poll finds what it was about
                _close(raw)
                raw = None
                self._over.wait(_REST)
            self._over.wait(_PAUSE)
        _close(raw)

    # --- hearing ------------------------------------------------------------------------------------------------------

    def _listen(self, ended: socket.socket) -> None:
        with ended:
            self._listen_until(ended)

    def _listen_until(self, ended: socket.socket) -> None:
        while not self._over.is_set():
            raw: Raw | None = None
            try:
                raw = self._dialing.plain()
                raw.execute(f"LISTEN {_CHANNEL}")
                self._hear(raw, ended)
            except (psycopg.Error, UnreachableError) as error:
                log.info("the connection that listens was lost: %s", error)
                self._over.wait(_REST)
            finally:
                _close(raw)

    def _hear(self, raw: Raw, ended: socket.socket) -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(raw.fileno(), selectors.EVENT_READ)
            waiting.register(ended, selectors.EVENT_READ)
            while not self._over.is_set():
                if not waiting.select(_PROBE):
                    raw.execute("SELECT 1")
                for notice in raw.notifies(timeout=0):
                    self._take(notice.payload)

    def _take(self, payload: str) -> None:
        try:
            node, topics, users = json.loads(payload)
            if node != self.node:
                self._heard(topics, users)
        except Exception:  # of another version, or of somebody else: the slow poll stands behind it
            log.warning("a notice could not be read", exc_info=True)


def _payloads(node: str, topics: Collection[str], users: Collection[str]) -> Iterator[str]:
    """As few as possible, each within PostgreSQL's bound."""
    words, size = [], 0
    for user_id in users:
        words.append(user_id)
        size += len(user_id.encode()) + 4
        if size > _BYTES:
            yield json.dumps([node, sorted(topics), words])
            topics, words, size = (), [], 0
    if topics or words:
        yield json.dumps([node, sorted(topics), words])


def _close(raw: Raw | None) -> None:
    if raw is not None:
        raw.close()
