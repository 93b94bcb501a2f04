"""Where facts are kept: tables, migrations, the committer, and the databases behind it."""

from pathlib import Path

from quintet.store.base import Elsewhere, Renewed, Revision, Store, Tx
from quintet.store.cells import CLOSED, SHARDS, CellStore, MapError, digest_of, has_all, holds, of_all, shard_of
from quintet.store.figures import Figures, Histogram
from quintet.store.reaching import EncodingError, LentError, UnreachableError
from quintet.store.sqlite import AlreadyServedError, SqliteStore
from quintet.store.wakes import Wakes

__all__ = [
    "CLOSED",
    "SHARDS",
    "AlreadyServedError",
    "CellStore",
    "Elsewhere",
    "EncodingError",
    "Figures",
    "Histogram",
    "LentError",
    "MapError",
    "Renewed",
    "Revision",
    "Store",
    "Tx",
    "UnreachableError",
    "Wakes",
    "digest_of",
    "has_all",
    "holds",
    "of_all",
    "open_store",
    "shard_of",
]

_SQLITE = "sqlite:///"


def open_store(
    url: str,
    *,
    migrate: bool = False,
    exclusive: bool = True,
    reserved: int = 0,
    keep: bool = False,
    wakes_url: str | None = None,
) -> Store:
    """The store behind `url` (`sqlite:///path` or `postgresql://…`), not started yet.

    `migrate` brings the tables up to date; without it a database that is not is refused. `exclusive` takes the lock of the one
    server, which keeps `reserved` bytes of the disk for endings and deletions; both are for SQLite. PostgreSQL is for
    several; `keep` says that another cluster of it is known to lack nothing, so that cursors outlast a failover, and `wakes_url` is
    a Valkey or Redis that carries the notices between them instead of the database.

    Raises:
        AlreadyServedError: another server has this database.
        quintet.store.schema.NotMigratedError: the tables are not of this version.
        UnreachableError: PostgreSQL does not answer.
        ValueError: no store for such a URL.
    """
    from quintet.store import schema

    bring = schema.migrate if migrate else schema.check
    if schema.is_postgres(url):
        from quintet.store.postgres import PostgresStore

        bring(url)
        return PostgresStore(url, keep=keep, wakes_url=wakes_url)
    if not url.startswith(_SQLITE):
        raise ValueError("only sqlite:///… and postgresql://… databases are known")
    store = SqliteStore(Path(url.removeprefix(_SQLITE)), exclusive=exclusive, reserved=reserved)
    store.lock()
    try:
        bring(url)
    except BaseException:
        store.unlock()
        raise
    return store
