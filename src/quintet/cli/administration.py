"""The options of the administration commands. They work on the database itself, so they are run on its host, beside the server or without."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["backup", "users"]

users = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Add, list, disable and enable users, also beside a running server.",
)

Dev = Annotated[bool, typer.Option("--dev", help="Read the settings as `serve --dev` does, .env too.")]
Data = Annotated[Path | None, typer.Option(metavar="DIR", help="The server's data folder; .quintet if not given.")]
Database = Annotated[
    str | None, typer.Option(metavar="URL", help="The database; a file in the data folder if not given.")
]
Who = Annotated[str, typer.Argument(metavar="EMAIL|ID", help="The user's e-mail address or id.", show_default=False)]


@users.command()
def add(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="The e-mail address.", show_default=False)],
    *,
    name: Annotated[str | None, typer.Option(metavar="N", help="The name that is shown.")] = None,
    admin: Annotated[bool, typer.Option("--admin", help="Give the role admin.")] = False,
    generate: Annotated[bool, typer.Option("--generate", help="Make a password and print it, this once.")] = False,
    data: Data = None,
    database: Database = None,
    dev: Dev = False,
) -> None:
    """Add a user, also where sign-up is closed. The address counts as confirmed.

    Asks for the password twice; from a pipe it is the first line. Needs the settings of `serve`, but neither the secret nor the public URL.
    """
    from .user import add as add_user
    from .user import place

    raise typer.Exit(add_user(place(dev, data, database), email, name, admin=admin, generate=generate))


@users.command("list")
def show(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
    data: Data = None,
    database: Database = None,
    dev: Dev = False,
) -> None:
    """List all users with their sessions."""
    from .user import place, show

    raise typer.Exit(show(place(dev, data, database), as_json=as_json))


@users.command()
def disable(who: Who, *, data: Data = None, database: Database = None, dev: Dev = False) -> None:
    """Sign a user out everywhere and let them in no more.

    Tokens are dead at once, a running server closes the user's connections within 5 seconds. Runs go on to their end.
    """
    from .user import disable as disable_user
    from .user import place

    raise typer.Exit(disable_user(place(dev, data, database), who))


@users.command()
def enable(who: Who, *, data: Data = None, database: Database = None, dev: Dev = False) -> None:
    """Let a disabled user sign in again. Earlier sessions stay ended."""
    from .user import enable as enable_user
    from .user import place

    raise typer.Exit(enable_user(place(dev, data, database), who))


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The copy to make.", show_default=False)],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
    data: Data = None,
    database: Database = None,
    dev: Dev = False,
) -> None:
    """Copy the database into one file, while the server goes on. The copy is checked, and readable by you alone.

    It holds everything committed before it began, hashes of passwords too. It does not hold QUINTET_SECRET_KEY (nor the secret that --dev
    keeps in the data folder). Without the same secret all works on, but access tokens end, and clients renew them by themselves.

    To restore: stop the server, remove quintet.db-wal and quintet.db-shm from the data folder, put the copy in place of quintet.db, start.

    After that a client whose cursor lies in the copy goes on exactly there. One that has read further is told `resync` (`future`, or `epoch`
    once other events have taken those places) and loads the snapshot, so nothing is mixed up. Whoever has renewed a token since has to sign in again.

    What was signed out, disabled or deleted after the copy is back: do it again.
    """
    from .backup import backup as copy
    from .user import place

    raise typer.Exit(copy(place(dev, data, database), file, force=force))
