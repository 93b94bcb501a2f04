"""PostgreSQL's own way to carry notices: NOTIFY on one connection, LISTEN on another.

1. Told outside the transactions that write: NOTIFY holds a lock of the whole database while it commits.
2. The connection that hears is probed: a network that swallows everything looks like silence.
"""

import selectors
import socket
from collections.abc import Sequence

import psycopg

from quintet.store.notices import PROBE, CutOffError
from quintet.store.postgres.dialing import Dialing, Raw
from quintet.store.reaching import UnreachableError

__all__ = ["PostgresChannel"]

_NAME = "quintet"
_LISTEN = f"LISTEN {_NAME}"  # the probe as well: once more does nothing, and pg_stat_activity goes on saying what the connection is for


class PostgresChannel:
    """See `Channel`."""

    most = 7_000  # bytes; PostgreSQL takes less than 8,000

    def __init__(self, dialing: Dialing) -> None:
        self._dialing = dialing
        self._raw: Raw | None = None

    def tell(self, payload: str) -> None:
        """See `Channel`."""
        try:
            if self._raw is None or self._raw.closed:
                self._raw = self._dialing.plain()
            self._raw.execute("SELECT pg_notify(%s, %s)", (_NAME, payload))
        except (psycopg.Error, UnreachableError) as error:
            self.close()
            raise CutOffError(str(error)) from error

    def listen(self) -> "PostgresEar":
        """See `Channel`."""
        try:
            return PostgresEar(self._dialing.plain())
        except (psycopg.Error, UnreachableError) as error:
            raise CutOffError(str(error)) from error

    def close(self) -> None:
        """See `Channel`."""
        if self._raw is not None:
            self._raw.close()
            self._raw = None


class PostgresEar:
    """See `Ear`."""

    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        self._waiting = selectors.DefaultSelector()
        try:
            raw.execute(_LISTEN)
            self._waiting.register(raw.fileno(), selectors.EVENT_READ)
        except BaseException:
            self.close()
            raise

    def hear(self, ended: socket.socket) -> Sequence[str]:
        """See `Ear`."""
        if len(self._waiting.get_map()) == 1:
            self._waiting.register(ended, selectors.EVENT_READ)
        try:
            if not self._waiting.select(PROBE):
                self._raw.execute(_LISTEN)
            return [notice.payload for notice in self._raw.notifies(timeout=0)]
        except psycopg.Error as error:
            raise CutOffError(str(error)) from error

    def close(self) -> None:
        """See `Ear`."""
        self._waiting.close()
        self._raw.close()
