"""Connecting: to a server that takes writes, with settings on which the promises rest, whatever the operator's defaults are.

1. A dead network is noticed within seconds, a lock that is waited for or held by a sleeping process is given up: sooner than a
   worker's life ends, for its beats must not wait for somebody who sleeps.
2. A commit is durable when it is answered: `off` and `local` become `on`, stronger settings stay.
3. The cluster is looked at with every connection, before anything is written on it.
4. After a failure the next one is answered at once for a moment: a server that starts is not stormed.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from quintet.store.postgres.lineage import Lineage, adopt, lineage_of
from quintet.store.postgres.patient import PROMPT, STATEMENT, Raw
from quintet.store.reaching import EncodingError, UnreachableError

__all__ = ["Dialing", "Raw"]

_PAUSE = 0.2  # seconds after a failure in which no other try is made
_OPTIONS: dict[str, Any] = {
    "application_name": "quintet",
    "client_encoding": "utf8",
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_SETTINGS = f"""
SET idle_in_transaction_session_timeout = '4s';
SET lock_timeout = '10s';
SET statement_timeout = '{STATEMENT}s';
SET TimeZone = 'UTC';
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')
"""


class Dialing:
    """Makes connections to one database, each with its SQLAlchemy view. From any thread."""

    def __init__(self, url: str, *, keep: bool = False, adopts: bool = True) -> None:
        """`keep`: another cluster is known to lack nothing, see `lineage`. Without `adopts` whoever looks leaves that to those who know it."""
        self._url = url
        self._keep = keep
        self._adopts = adopts
        self._lineage: Lineage | None = None
        self._adopting = threading.Lock()
        self.renewed: Callable[[], None] = lambda: None  # told when the logs have gone to another cluster
        self._mine = threading.local()
        self._failed_at, self._why = -_PAUSE, ""
        # The driver's connection is ours; SQLAlchemy asks a server what it is once, not once a connection.
        self._engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: self._mine.raw,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            use_native_hstore=False,
        )

    @property
    def name(self) -> str:
        """The cluster and the database in it, the same for every process, whatever address it has of them."""
        system = self._lineage.system if self._lineage else ""
        return f"{system}:{psycopg.conninfo.conninfo_to_dict(self._url).get('dbname', '')}"

    def dial(self) -> tuple[Raw, Connection]:
        """A new connection, outside a transaction.

        Raises:
            UnreachableError: there is none just now.
        """
        if time.monotonic() - self._failed_at < _PAUSE:
            raise UnreachableError(self._why)
        try:
            raw = self._dialed()
        except psycopg.Error as error:
            self._failed_at, self._why = time.monotonic(), str(error).strip()
            raise UnreachableError(self._why) from error
        self._mine.raw = raw
        raw.patience = None  # whoever works with it says how long an answer may take
        try:
            return raw, self._engine.connect()
        except BaseException:
            raw.close()
            raise

    def plain(self) -> Raw:
        """A connection without SQLAlchemy's view, for what is answered at once. Raises what `dial` raises."""
        try:
            return self._dialed()
        except psycopg.Error as error:
            raise UnreachableError(str(error).strip()) from error

    def _dialed(self) -> Raw:
        raw = Raw.connect(self._url, autocommit=True, **_OPTIONS)
        try:
            if (kept := raw.info.parameter_status("server_encoding")) not in ("UTF8", None):  # a pooler may not say
                raise EncodingError(f"its encoding is {kept}")
            raw.execute(_SETTINGS.encode())
            self._look_at(raw)
            raw.adapters.register_dumper(int, Int8Dumper)  # in arrays: else all of a statement are as wide as its first
            raw.adapters.register_dumper(int, Int8BinaryDumper)  # one type, so one plan, whatever the number
            raw.prepared_max = 400
        except BaseException:
            raw.close()
            raise
        return raw

    def _look_at(self, raw: Raw) -> None:
        found = lineage_of(raw)
        if found is None:
            raise psycopg.OperationalError("the server is a standby, which takes no writes")
        with self._adopting:
            if found == self._lineage or not self._adopts:
                return
            raw.patience = None  # a row for each user, perhaps
            adopt(raw, found, keep=self._keep)
            raw.patience = PROMPT
            if self._lineage is not None and not self._keep:
                self.renewed()  # before any connection to it is used: no feed may take the new numbers for the old ones
            self._lineage = found
