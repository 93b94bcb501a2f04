"""PostgreSQL as a service: a copied cluster, nothing durable, the project's migrations in a template.

Names on a server: `template_app` has been migrated and is sealed; `app` is a clone for this process and for services that are told of
`{postgres.url}`; a worker of pytest-xdist has `app_gw0`; a test with the fixture `database` has `app_t1` or `app_gw0_t1`.
"""

import re
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from quintet.testing.services import ports
from quintet.testing.services.handle import ServiceError
from quintet.testing.services.owned import Owned
from quintet.testing.services.postgres import account, binaries, cluster
from quintet.testing.services.postgres.databases import Databases
from quintet.testing.services.processes import Plan
from quintet.testing.services.readiness import Evidence, await_all

__all__ = ["MAIN", "TEMPLATE", "PostgresServer"]

MAIN = "app"
TEMPLATE = "template_app"
_START_SECONDS = 30.0
# A crash of the machine may lose everything: the cluster dies with the run. A killed server loses nothing that was committed, for a test
# may kill it to see just that; so commits are still written, only not forced to the disk. No vacuuming, which would be connected to a
# template while it is cloned.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "checkpoint_timeout": "1d",
    "max_connections": "200",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "dynamic_shared_memory_type": "mmap",  # files of the cluster, gone with it
    "unix_socket_directories": "",
    "listen_addresses": ports.HOST,
}


class PostgresServer(Owned):
    """The server of a run. `url` is the database of this process; `shared_url` the one that services use."""

    kind = "postgres"

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        flags: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
        migrate: "Callable[[PostgresServer], None]" = lambda _: None,
    ) -> None:
        super().__init__(name, folder)
        self.database = MAIN
        self._flags = flags
        self._settings = settings or {}
        self._migrate = migrate
        self._account = account.ours()
        self._programs = binaries.find(self._account)
        self.version = self._programs.version
        self.databases: Databases | None = None

    def start(self) -> None:
        """See `Owned`. The first time makes the cluster, the template and this process's own database."""
        if self.databases is not None:
            self.databases.close()
            self._run(self.databases)
            return
        password = cluster.copied(self._programs, self._flags, self._account, self.folder / "cluster")
        self.databases = self._settle(password)
        self._fill(self.databases)

    def _settle(self, password: str) -> Databases:
        for left in reversed(range(ports.TRIES)):
            since = self.log_size()
            self.port = ports.free()
            made = Databases(self.host, self.port, cluster.USER, password, file_copy=self._programs.major >= 15)
            try:
                self._run(made)
            except ServiceError:
                if left == 0 or self.alive or not ports.taken(self.logged(since)):
                    raise
            else:
                return made
        raise AssertionError("the last try has raised")

    def end(self) -> None:
        """See `Owned`."""
        if self.databases is not None:
            self.databases.close()
        super().end()

    def _run(self, made: Databases) -> None:
        since = self.log_size()
        settings = _SETTINGS | ({"io_method": "sync"} if self._programs.major >= 18 else {}) | dict(self._settings)
        self.process.start(
            Plan(
                argv=[
                    *(
                        str(self._programs.folder / "postgres"),
                        "-D",
                        str(self.folder / "cluster"),
                        "-p",
                        str(self.port),
                    ),
                    *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
                ],
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
                cwd=str(self.folder / "cluster"),
                log=str(self.log),
                uid=self._account.uid,
                gid=self._account.gid,
                stop=signal.SIGQUIT,  # its word for: at once, and leave no shared memory behind
                remove=[str(self.folder)],
            )
        )
        listening = Evidence(
            "its listening line in its log",
            lambda _: "" if re.search(r"ready to accept (read-only )?connections", self.logged(since)) else "not there",
        )
        answering = Evidence(f"PostgreSQL to answer at {self.host}:{self.port}", lambda _: made.answers())
        await_all(self, iter([listening, answering]), _START_SECONDS)

    def _fill(self, made: Databases) -> None:
        self.url = made.create(TEMPLATE).url
        self._migrate(self)
        made.seal(TEMPLATE)
        self.url = made.clone(TEMPLATE, MAIN).url
        self.facts = {"shared_url": self.url, "password": made.password, "user": made.user}
