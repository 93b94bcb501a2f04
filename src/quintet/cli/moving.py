"""`quintet move`: an installation from one database to another, with what a person wants to know of it."""

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
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The server's data folder; .quintet if not given.")
    ] = None,
) -> None:
    """Move a whole installation to another database: users, keys, sessions, logs, files, runs.

    The servers must be stopped. All is compared before it counts: the target is complete, or as empty as before; the source stays as it is.
    A password need not stand here: set QUINTET_DATABASE_URL to the target.

    Keep QUINTET_SECRET_KEY (for --dev, the data folder) and everybody stays signed in. Cursors get `resync` once: clients read anew.
    """
    from .user import administered, place

    raise typer.Exit(administered(place(False, data, target), lambda wish: _moved(wish, source)))


def _moved(wish: Wish, source: str | None) -> int:
    from quintet.settings import Fault, SettingsError
    from quintet.settings.faults import UnfitError
    from quintet.settings.forms import database

    from .bar import bar
    from .timeline import duration
    from .user import settings_of

    if wish.database is not None:
        wish = wish._replace(database=_written(wish.database))
    settings = settings_of(wish)
    if settings.cells:
        fault = Fault(
            "QUINTET_CELLS",
            "is set",
            "Move into one database without it; docs/scale.md says how shards go on from there.",
        )
        raise SettingsError([fault])
    theirs = f"sqlite:///{settings.data / 'quintet.db'}"
    if source is not None:
        try:
            theirs = database(_written(source))
        except UnfitError as unfit:
            raise SettingsError([Fault("--from", unfit.what, unfit.fix)]) from None
    if theirs == settings.database:
        fault = Fault("--to", "is the database to move itself", "Name another, or set QUINTET_DATABASE_URL.")
        raise SettingsError([fault])
    from quintet.server.moving import moved

    with bar(_LARGE) as progress:
        made = moved(theirs, settings.database, progress)
    rows = made.rows
    say(
        f"Moved {rows['users']} users, {rows['events']} events, {rows['messages']} messages and {rows['attachments']} files"
        f" ({sum(rows.values())} rows in all) in {duration(made.seconds * 1000)}. Read back and compared: nothing is missing."
    )
    say(
        "The old database is as it was. Serve only the new one from now on: what is written to the old one stays there."
    )
    return 0


def _written(url: str) -> str:
    """`sqlite:FILE` in the form of the settings."""
    rest = url.removeprefix(_FILE)
    return url if rest == url or rest.startswith("//") else f"sqlite:///{rest}"
