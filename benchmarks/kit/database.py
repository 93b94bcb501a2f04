"""A PostgreSQL for the benchmarks, started by the test kit, with what an operator has: commits forced to the disk, vacuuming, checkpoints."""

import contextlib
import shutil
from collections.abc import Iterator

from benchmarks.kit.usage import Cpu, cpu_of
from quintet.store import schema
from quintet.testing.services.postgres import account, folders
from quintet.testing.services.postgres.databases import Databases
from quintet.testing.services.postgres.server import TEMPLATE, PostgresServer

__all__ = ["Database", "database"]

_SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "wal_level": "replica",
    "autovacuum": "on",
    "checkpoint_timeout": "5min",
    "max_wal_size": "2GB",
    "shared_buffers": "512MB",
}


class Database:
    """One database on a server of its own. Its CPU is that of the server with all of its processes."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        assert isinstance(server.databases, Databases)
        self.url = server.databases.clone(TEMPLATE, "bench").url
        self.version = server.version

    def cpu(self) -> Cpu:
        """What it has used since it started."""
        assert self._server.pid is not None
        return cpu_of(self._server.pid)


@contextlib.contextmanager
def database() -> Iterator[Database]:
    """Started, migrated and empty; nothing of it is left afterwards."""
    folder = folders.run_folder(account.ours())
    server = PostgresServer(
        "postgres", folder / "postgres", settings=_SETTINGS, migrate=lambda one: schema.migrate(one.url)
    )
    try:
        server.start()
        yield Database(server)
    finally:
        server.end()
        shutil.rmtree(folder, ignore_errors=True)
