"""Is the database of this version, and how to bring it there. Alembic is imported only when there is something to do."""

import sqlite3
from pathlib import Path

__all__ = ["REVISION", "NotMigratedError", "check", "migrate", "revision_of"]

REVISION = "0001"  # the newest revision in migrations/versions; a test compares them


class NotMigratedError(Exception):
    """The database's tables are of another version. `found` is its revision, None for an empty one."""

    def __init__(self, found: str | None) -> None:
        self.found = found
        super().__init__(f"the database is at revision {found or 'none'}, this version needs {REVISION}")


def revision_of(path: Path) -> str | None:
    """The revision of the database at `path`; None when it is empty or not there."""
    if not path.exists():
        return None
    connection = sqlite3.connect(path)
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return None
    finally:
        connection.close()
    return str(row[0]) if row else None


def check(path: Path) -> None:
    """Refuse a database of another version.

    Raises:
        NotMigratedError: it is.
    """
    found = revision_of(path)
    if found != REVISION:
        raise NotMigratedError(found)


def migrate(url: str) -> None:
    """Bring the database to `REVISION`. Does nothing, fast, when it is there."""
    path = Path(url.removeprefix("sqlite:///"))
    if revision_of(path) == REVISION:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "quintet.store:migrations")
    config.attributes["url"] = url
    command.upgrade(config, "head")
