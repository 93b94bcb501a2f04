"""The options of the administration commands. They work on the database itself, so they are run on its host, beside the server or without."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["backup", "users"]

users = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Add, invite, list, disable, enable and delete users, also beside a running server.",
)

Dev = Annotated[bool, typer.Option("--dev", help="Read the settings as `serve --dev` does, .env too.")]
Data = Annotated[Path | None, typer.Option(metavar="DIR", help="The server's data folder; .quintet if not given.")]
Database = Annotated[
    str | None, typer.Option(metavar="URL", help="The database; a file in the data folder if not given.")
]
Who = Annotated[str, typer.Argument(metavar="EMAIL|ID", help="The user's e-mail address or id.", show_default=False)]


class Role(StrEnum):
    """What a user may do."""

    user = "user"
    admin = "admin"


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


@users.command()
def delete(
    who: Who,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: Data = None,
    database: Database = None,
    dev: Dev = False,
) -> None:
    """Delete an account and everything that belongs to it, for good, as its owner can.

    Work that goes on is stopped, a running server closes the user's connections within 5 seconds. The audit keeps the id and the actions.
    """
    from .user import delete as delete_user
    from .user import place

    raise typer.Exit(delete_user(place(dev, data, database), who, sure=yes))


@users.command()
def invite(
    email: Annotated[
        str | None,
        typer.Argument(metavar="[EMAIL]", help="Whom it is for; nobody else can use it.", show_default=False),
    ] = None,
    *,
    role: Annotated[Role, typer.Option(help="The role that it gives.")] = Role.user,
    days: Annotated[int, typer.Option(min=1, max=90, help="How long it is good.")] = 7,
    data: Data = None,
    database: Database = None,
    dev: Dev = False,
) -> None:
    """Invite somebody to make an account, once. Prints the link; where a mail server is set it goes to EMAIL too.

    Whoever holds a link that is for nobody in particular can use it.
    """
    from .inviting import invite as invite_user
    from .user import place

    raise typer.Exit(invite_user(place(dev, data, database), email, role=role.value, days=days))


@users.command()
def role(
    who: Who,
    role: Annotated[str, typer.Argument(metavar="user|admin", help="The role.", show_default=False)],
    *,
    data: Data = None,
    database: Database = None,
    dev: Dev = False,
) -> None:
    """Give a user the role `admin`, or take it away.

    An administrator sees users, their sessions and open work, and may disable and sign out; never what anybody has written.
    """
    from .user import place, set_role

    raise typer.Exit(set_role(place(dev, data, database), who, role))


@users.command("audit")
def show_audit(
    who: Annotated[str | None, typer.Argument(metavar="[EMAIL|ID]", help="Whose; everybody's if not given.")] = None,
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many rows, the newest.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
    data: Data = None,
    database: Database = None,
    dev: Dev = False,
) -> None:
    """Show what was done with accounts: by whom, when, from where. The newest first.

    Rows are kept for 400 days. Of a deleted account they have its id and the actions; name it by its id.
    """
    from .user import place
    from .user_audit import show_audit as show_rows

    raise typer.Exit(show_rows(place(dev, data, database), who, limit, as_json=as_json))


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
