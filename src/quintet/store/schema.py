"""Is the database of this version, and how to bring it there. Alembic is imported only when there is something to do."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

__all__ = ["REVISION", "NotMigratedError", "check", "is_postgres", "migrate", "revision_of"]

REVISION = "0008"  # the newest revision in migrations/versions; a test compares them

_SQLITE = "sqlite:///"


class NotMigratedError(Exception):
    """The database's tables are of another version. `found` is its revision, None for an empty one."""

    def __init__(self, found: str | None) -> None:
        self.found = found
        super().__init__(f"the database is at revision {found or 'none'}, this version needs {REVISION}")


def is_postgres(url: str) -> bool:
    """Whether it names a PostgreSQL database."""
    return url.startswith(("postgresql://", "postgres://"))


def revision_of(url: str) -> str | None:
    """The revision of the database; None when it is empty or not there.

    Raises:
        sqlite3.DatabaseError: it cannot be read, or is no database.
        quintet.store.reaching.UnreachableError: it cannot be reached.
    """
    if is_postgres(url):
        from quintet.store.postgres.revision import revision_at

        return revision_at(url)
    path = Path(url.removeprefix(_SQLITE))
    if not path.exists():
        return None
    with closing(sqlite3.connect(path)) as connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = known and connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def check(url: str) -> None:
    """Refuse a database of another version.

    Raises:
        NotMigratedError: it is.
    """
    found = revision_of(url)
    if found != REVISION:
        raise NotMigratedError(found)


def migrate(url: str) -> None:
    """Bring the database to `REVISION`, all or nothing. Does nothing, fast, when it is there.

    Raises:
        NotMigratedError: it is of a version that this one does not know.
    """
    found = revision_of(url)
    if found == REVISION:
        return
    if not is_postgres(url):
        # What users wrote is nobody else's on this machine; the files beside it take over the mode.
        path = Path(url.removeprefix(_SQLITE))
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", "quintet.store:migrations")
    config.attributes["url"] = url
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise NotMigratedError(found) from error
