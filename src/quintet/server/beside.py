"""A database beside the server that may have it open: for an operator's commands, which load nothing of what serves."""

import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from quintet.server.opening import open_database, started
from quintet.settings import Settings, StartError
from quintet.store import Store
from quintet.store.schema import revision_of

__all__ = ["SQLITE", "existing_file", "opened_beside"]

SQLITE = "sqlite:///"


@asynccontextmanager
async def opened_beside(settings: Settings, *, checks: bool = True) -> AsyncIterator[Store]:
    """The store, without the server's lock. Raises `StartError`: it is not there or cannot be used. `checks`: see `open_database`."""
    # A refusal is said in one line; without this the story of a lost transaction would go to the terminal.
    logging.getLogger("quintet").addHandler(logging.NullHandler())
    if settings.database.startswith(SQLITE):
        existing_file(settings)
    store = open_database(settings, migrate=False, exclusive=False, checks=checks)
    try:
        await started(store, settings, checks=checks)
    except StartError:
        await store.close()
        raise
    except sqlite3.Error as error:
        await store.close()
        raise _unusable(error) from error
    try:
        yield store
    finally:
        await store.close()


def existing_file(settings: Settings) -> Path:
    """The file of the database. An empty one would be made by opening it, which is never what an operator meant."""
    path = Path(settings.database.removeprefix(SQLITE))
    try:
        found = revision_of(settings.database)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(error) from error
    if found is None:
        raise StartError(
            "There is no database where the settings say",
            "Name its folder with --data, or make one with: quintet migrate",
            exit_code=78,
        )
    return path


def _unusable(error: Exception) -> StartError:
    why = str(getattr(error, "strerror", None) or error)
    return StartError(
        f"The database cannot be opened ({why})", "Look at --data, and run this as the user that the server runs as."
    )
