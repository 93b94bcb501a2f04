"""Opening and migrating the database that the settings name, and what stands in the way, in words for the operator."""

import contextlib
import secrets
from collections.abc import Callable, Iterator
from functools import partial

from quintet.errors import QuintetError
from quintet.settings import Settings, StartError
from quintet.store import (
    AlreadyServedError,
    CellStore,
    EncodingError,
    LentError,
    MapError,
    Store,
    UnreachableError,
    digest_of,
    has_all,
    open_store,
    schema,
)
from quintet.store.schema import NotMigratedError

__all__ = ["map_digest", "migrated", "open_database", "started", "unreachable"]

_EXTRAS = {"psycopg": "postgres", "redis": "postgres,valkey"}  # what brings a package


def open_database(settings: Settings, *, migrate: bool, exclusive: bool = True, checks: bool = True) -> Store:
    """The store, not started yet, with its cells where there are any; locked for this process unless `exclusive` is off, for work beside a server.

    Without `checks` the map of cells is not compared with what they know, for whoever only looks.

    Raises:
        StartError: another server has it, its tables are of another version, or it is of an unknown kind.
    """
    shared = partial(
        open_store,
        migrate=migrate,
        keep=settings.failover_keeps_epochs,
        wakes_url=settings.wakes_url.get_secret_value() if settings.wakes_url else None,
    )
    with _in_words(migrate=migrate):
        home = shared(settings.database, exclusive=exclusive, reserved=settings.reserved_bytes)
        return _with_cells(home, settings, shared, migrate=migrate, checks=checks) if settings.cells else home


@contextlib.contextmanager
def _in_words(*, migrate: bool) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get(error.name or "")
        if extra is None:
            raise
        raise StartError(
            "A package is missing that the settings ask for", f"Run: pip install 'quintet[server,{extra}]'"
        ) from error
    except UnreachableError as error:
        raise unreachable(error) from error
    except MapError as error:
        raise _misplaced(error) from error
    except AlreadyServedError as error:
        raise StartError(
            "Another server has this database open", "End it, or choose another folder with --data."
        ) from error
    except NotMigratedError as error:
        if migrate:
            raise _newer() from error
        raise StartError("The database is not of this version", "Run: quintet migrate", exit_code=78) from error
    except ValueError as error:
        raise StartError(
            "QUINTET_DATABASE_URL is of a kind that this version does not know",
            "Use sqlite:///… or postgresql://…",
            exit_code=78,
        ) from error


async def started(store: Store, settings: Settings, *, checks: bool = True) -> None:
    """Start it. Raises `StartError`: the database does not answer, or the map of the cells is not what they know."""
    try:
        await store.start()
        if checks and store.shared and not settings.cells:
            await has_all(store)
    except UnreachableError as error:
        raise unreachable(error) from error
    except QuintetError as error:
        raise StartError("The database does not answer", "Look at its own log.", exit_code=1) from error
    except MapError as error:
        raise _misplaced(error) from error


def _with_cells(
    home: Store, settings: Settings, shared: Callable[[str], Store], *, migrate: bool, checks: bool
) -> Store:
    """Beside the accounts' store. A cell that is away is no hindrance, one of another version is."""
    places = _places(settings)
    for url in set(filter(None, places)):
        with contextlib.suppress(UnreachableError):
            (schema.migrate if migrate else schema.check)(url)
    if migrate:
        from quintet.store.cells.enrolling import enrol

        enrol(
            settings.database,
            places,
            keep=settings.failover_keeps_epochs,
            life_ms=settings.worker_life_seconds * 1000,
            new_name=lambda: secrets.token_hex(6),
        )
    cells = {url: partial(shared, url) for url in dict.fromkeys(filter(None, places))}
    return CellStore(home, cells, places, checks=checks)


def _places(settings: Settings) -> list[str | None]:
    return ["" if url == settings.database else url for url in settings.places]


def map_digest(settings: Settings) -> str:
    """By which processes compare their maps of the cells."""
    return digest_of(_places(settings))


def _misplaced(error: MapError) -> StartError:
    """The map of the cells is not what they know, in words for the operator."""
    return StartError(error.what, error.fix, exit_code=78)


def unreachable(error: UnreachableError) -> StartError:
    """PostgreSQL does not let us in, in words for the operator."""
    why = next(iter(str(error).splitlines()), "").strip()
    if isinstance(error, LentError):
        return StartError(
            f"The database cannot be used so ({why})",
            "Name PostgreSQL itself in QUINTET_DATABASE_URL, or a pooler in session mode.",
            exit_code=78,
        )
    if isinstance(error, EncodingError):
        return StartError(
            f"The database cannot hold every text ({why})",
            "Make it with: CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'",
            exit_code=78,
        )
    return StartError(
        f"The database does not answer ({why})", "Start PostgreSQL, or correct QUINTET_DATABASE_URL.", exit_code=1
    )


def migrated(settings: Settings) -> str:
    """Bring the database to this version; answers a sentence. The lock goes with the process. Raises `StartError`."""
    others = {url for url in settings.places if url} - {settings.database}
    for url in others:
        try:
            schema.migrate(url)
        except UnreachableError as error:
            raise unreachable(error) from error
        except NotMigratedError as error:
            raise _newer() from error
    open_database(settings, migrate=True)
    return f"The database is at revision {schema.REVISION}{f', and so are {len(others)} cells' if others else ''}."


def _newer() -> StartError:
    return StartError("The database is of a newer version", "Install that version of Quintet.", exit_code=78)
