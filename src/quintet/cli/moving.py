"""`quintet move`: an installation from one database to another, or shards from cell to cell, with what a person wants to know of it."""

from pathlib import Path
from typing import Annotated

import typer

from .saying import say
from .serving import Wish

__all__ = ["move"]

_LARGE = 5_000  # rows: fewer are moved before a bar could be read
_FILE = "sqlite:"


def move(
    *,
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="URL", help="sqlite:FILE or postgresql://…; the file in the data folder if not given."
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--to", metavar="URL", help="postgresql://… or sqlite:FILE; QUINTET_DATABASE_URL if not given."),
    ] = None,
    shards: Annotated[
        str | None,
        typer.Option(metavar="A-B", help="Only the conversations in these shards, between two cells."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The server's data folder; .quintet if not given.")
    ] = None,
) -> None:
    """Move a whole installation to another database: users, keys, sessions, logs, files, runs. With --shards, some users' conversations.

    The servers must be stopped. All is compared before it counts: the target is complete, or as empty as before; the source stays as it is.
    A password need not stand here: set QUINTET_DATABASE_URL to the target.

    Keep QUINTET_SECRET_KEY (for --dev, the data folder) and everybody stays signed in. Cursors get `resync` once: clients read anew.

    With --shards the servers go on: QUINTET_CELLS gives these shards to nobody, in every process and here, and they go from one cell to another.
    Numbers and cursors stay. What was stopped is finished by the same command.
    """
    from .user import administered, place

    if shards is None:
        raise typer.Exit(administered(place(False, data, target), lambda wish: _moved(wish, source)))
    raise typer.Exit(administered(place(False, data, None), lambda wish: _shards_moved(wish, shards, source, target)))


def _moved(wish: Wish, source: str | None) -> int:
    from .bar import bar
    from .timeline import duration

    theirs, ours = _databases(wish, source)
    from quintet.server.moving import moved

    with bar(_LARGE) as progress:
        made = moved(theirs, ours, progress)
    rows = made.rows
    say(
        f"Moved {rows['users']} users, {rows['events']} events, {rows['messages']} messages and {rows['attachments']} files"
        f" ({sum(rows.values())} rows in all) in {duration(made.seconds * 1000)}. Read back and compared: nothing is missing."
    )
    say(
        "The old database is as it was. Serve only the new one from now on: what is written to the old one stays there."
    )
    return 0


def _databases(wish: Wish, source: str | None) -> tuple[str, str]:
    """The one to move and the one to fill. Raises SettingsError: they are not two, or there are cells."""
    from quintet.settings import Fault, SettingsError

    from .user import settings_of

    if wish.database is not None:
        wish = wish._replace(database=_written(wish.database))
    settings = settings_of(wish)
    if settings.cells:
        fault = Fault(
            "QUINTET_CELLS",
            "is set",
            "Move shards (--shards), or move into one database without it; docs/scale.md says how shards go on from there.",
        )
        raise SettingsError([fault])
    theirs = f"sqlite:///{settings.data / 'quintet.db'}" if source is None else _url("--from", source)
    if theirs == settings.database:
        fault = Fault("--to", "is the database to move itself", "Name another, or set QUINTET_DATABASE_URL.")
        raise SettingsError([fault])
    return theirs, settings.database


def _shards_moved(wish: Wish, shards: str, source: str | None, target: str | None) -> int:
    from quintet.settings import Fault, SettingsError
    from quintet.settings.faults import UnfitError
    from quintet.settings.fleet import shard_range

    from .bar import bar
    from .timeline import duration
    from .user import settings_of

    settings = settings_of(wish)
    missing = [name for name, url in (("--from", source), ("--to", target)) if not (url and url.startswith("postgres"))]
    if missing or source is None or target is None:
        faults = [Fault(name, "must be the PostgreSQL of a cell", "Write it as postgresql://….") for name in missing]
        raise SettingsError(faults)
    try:
        moving = shard_range(shards)
    except UnfitError as unfit:
        raise SettingsError([Fault("--shards", unfit.what, unfit.fix)]) from None
    from quintet.server.moving import shards_moved

    with bar(_LARGE) as progress:
        made = shards_moved(settings, _url("--from", source), _url("--to", target), moving, progress)
    if made.rows:
        say(
            f"Moved {made.rows['heads']} logs with {made.rows['events']} events ({sum(made.rows.values())} rows in all)"
            f" in {duration(made.seconds * 1000)}. Read back and compared: nothing is missing."
        )
    say(f"The new cell holds shards {shards}. Give them to it in QUINTET_CELLS, and restart every process.")
    return 0


def _url(option: str, text: str) -> str:
    """An option as an address. Raises SettingsError."""
    from quintet.settings import Fault, SettingsError
    from quintet.settings.faults import UnfitError
    from quintet.settings.forms import database

    try:
        return database(_written(text))
    except UnfitError as unfit:
        raise SettingsError([Fault(option, unfit.what, unfit.fix)]) from None


def _written(url: str) -> str:
    """`sqlite:FILE` in the form of the settings."""
    rest = url.removeprefix(_FILE)
    return url if rest == url or rest.startswith("//") else f"sqlite:///{rest}"
