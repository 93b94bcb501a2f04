"""Databases of one server: made, cloned from a template in a few milliseconds, dropped. One connection, one statement at a time."""

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quintet.testing.services.handle import ServiceError

if TYPE_CHECKING:
    import psycopg

__all__ = ["Database", "Databases"]

_CONNECT_SECONDS = 10
_STATEMENT_MS = 60_000
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True)
class Database:
    """One database and how to reach it."""

    name: str
    host: str
    port: int
    user: str
    password: str

    @property
    def url(self) -> str:
        """Its address, as `postgresql://user:password@host:port/name`."""
        return self.dsn()

    def dsn(self, driver: str = "postgresql") -> str:
        """Its address for a driver, for instance `postgresql+asyncpg`."""
        return f"{driver}://{self.user}:{self.password}@{self.host}:{self.port}/{self.name}"


class Databases:
    """All databases of a server, by a connection of its own that is opened when needed."""

    def __init__(self, host: str, port: int, user: str, password: str, *, file_copy: bool) -> None:
        self.host, self.port, self.user, self.password = host, port, user, password
        self._copying = " STRATEGY FILE_COPY" if file_copy else ""
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None

    def at(self, name: str) -> Database:
        """A database by its name."""
        return Database(name, self.host, self.port, self.user, self.password)

    def create(self, name: str) -> Database:
        """An empty one."""
        self.execute(f"CREATE DATABASE {_checked(name)}")
        return self.at(name)

    def clone(self, template: str, name: str) -> Database:
        """A copy of a template, with all that is in it. Nobody may be connected to the template."""
        self.execute(f"CREATE DATABASE {_checked(name)} TEMPLATE {_checked(template)}{self._copying}")
        return self.at(name)

    def drop(self, name: str) -> None:
        """It is gone afterwards, and whoever is still connected to it is disconnected."""
        self.execute(f"DROP DATABASE IF EXISTS {_checked(name)} WITH (FORCE)")

    def seal(self, name: str) -> None:
        """Makes a database a template that nobody can connect to any more."""
        self.execute(f"ALTER DATABASE {_checked(name)} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true")

    def execute(self, statement: str) -> None:
        """One statement outside a transaction. Raises `ServiceError` with the server's words."""
        import psycopg

        with self._lock:
            try:
                self._connected().execute(statement.encode())
            except psycopg.Error as fault:
                raise ServiceError(f"PostgreSQL at {self.host}:{self.port} refused {statement!r}: {fault}") from None

    def answers(self) -> str:
        """Empty when a connection can be made, else what stood in the way."""
        import psycopg

        try:
            with self._lock:
                self._connected()
        except psycopg.OperationalError as fault:
            return str(fault).strip()
        return ""

    def close(self) -> None:
        """Closes the connection; another is opened when needed."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _connected(self) -> "psycopg.Connection[tuple[object, ...]]":
        import psycopg

        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                host=self.host,
                port=self.port,
                user=self.user,
                password=self.password,
                dbname="postgres",
                autocommit=True,
                connect_timeout=_CONNECT_SECONDS,
                sslmode="disable",
                gssencmode="disable",
                options=f"-c statement_timeout={_STATEMENT_MS}",
            )
        return self._connection


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a name for a database: {name!r}")
    return name
