"""Where facts are kept: tables, migrations, the committer, and the databases behind it."""

from pathlib import Path

from quintet.store.base import Revision, Store, Tx
from quintet.store.figures import Figures, Histogram
from quintet.store.sqlite import AlreadyServedError, SqliteStore
from quintet.store.wakes import Wakes

__all__ = ["AlreadyServedError", "Figures", "Histogram", "Revision", "Store", "Tx", "Wakes", "open_store"]

_SQLITE = "sqlite:///"


def open_store(url: str, *, migrate: bool = False, exclusive: bool = True, reserved: int = 0) -> Store:
    """The store behind `url` (`sqlite:///path`), not started yet.

    `migrate` brings the tables up to date; without it a database that is not is refused. `exclusive` takes the lock of the one
    server, which keeps `reserved` bytes of the disk for endings and deletions.

    Raises:
        AlreadyServedError: another server has this database.
        quintet.store.schema.NotMigratedError: the tables are not of this version.
        ValueError: no store for such a URL.
    """
    if not url.startswith(_SQLITE):
        raise ValueError("only sqlite:///… databases are known")
    from quintet.store import schema

    path = Path(url.removeprefix(_SQLITE))
    store = SqliteStore(path, exclusive=exclusive, reserved=reserved)
    store.lock()
    try:
        if migrate:
            schema.migrate(url)
        else:
            schema.check(path)
    except BaseException:
        store.unlock()
        raise
    return store
