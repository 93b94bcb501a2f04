"""The commands and their options."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from quintet import __version__

from . import administration, triaging
from .arguments import spread
from .client import clients
from .contracting import contract
from .doctoring import doctor
from .keys import keys
from .moving import move
from .status import status

__all__ = ["main"]

# Typer's own crash report would print the local variables of every frame, and with them secrets.
app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, context_settings={"help_option_names": ["--help", "-h"]}
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line; ends with its exit code. `arguments` are those of the process if not given."""
    app(spread(sys.argv[1:] if arguments is None else arguments, "--agents"), prog_name="quintet")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"quintet {__version__}")
        raise typer.Exit


@app.callback()
def _quintet(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """A backend for multi-user AI-agent chat: every event in order, once, nobody else's, none lost."""


@app.command()
def serve(
    *,
    dev: Annotated[
        bool, typer.Option("--dev", help="Development: makes a secret, loopback only, open sign-up, migrates.")
    ] = False,
    host: Annotated[str | None, typer.Option(metavar="H", help="Where to listen; localhost if not given.")] = None,
    port: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, max=65_535, help="The port, 8750 if not given; 0 picks a free one."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The folder of everything that is kept; .quintet if not given.")
    ] = None,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="The database; a file in the data folder if not given.")
    ] = None,
    agents: Annotated[
        list[str] | None, typer.Option(metavar="PKG.MODULE ...", help="Modules with agents, added to the shipped ones.")
    ] = None,
    role: Annotated[Literal["all", "gateway", "worker"], typer.Option(help="The part of the work done here.")] = "all",
    workers: Annotated[
        int, typer.Option(metavar="N", min=1, max=64, help="Processes on this port; more than one needs PostgreSQL.")
    ] = 1,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Start the server. Settings are QUINTET_* variables; an option wins over its variable.

    Without --dev the environment is production, where QUINTET_SECRET_KEY and QUINTET_PUBLIC_URL must be set.

    SIGTERM and Ctrl-C wait for running runs and end with 0. Bad settings end with 78, one line per problem.
    """
    from .serving import Wish, serve_until_stopped

    wish = Wish(dev, host, port, data, database, tuple(agents or ()), role, workers)
    raise typer.Exit(serve_until_stopped(wish, parent))


@app.command()
def migrate(
    *,
    dev: Annotated[bool, typer.Option("--dev", help="Read the settings as `serve --dev` does.")] = False,
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="The folder of everything that is kept.")] = None,
    database: Annotated[str | None, typer.Option(metavar="URL", help="The database.")] = None,
) -> None:
    """Bring the database to this version. With SQLite the server must be stopped; `serve --dev` does it by itself."""
    from .serving import Wish, migrate_once

    raise typer.Exit(migrate_once(Wish(dev, None, None, data, database, (), "all")))


Url = Annotated[str | None, typer.Option(metavar="U", help="The server; the one signed in to last if not given.")]


@app.command()
def login(
    *,
    url: Annotated[
        str | None, typer.Option(metavar="U", help="The server; http://localhost:8750 if not given.")
    ] = None,
    email: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The e-mail address; asked for if not given.")
    ] = None,
    register: Annotated[bool, typer.Option("--register", help="Make a new account.")] = False,
) -> None:
    """Sign this terminal in.

    Asks for e-mail address and password; from a pipe they are two lines. Machines set QUINTET_TOKEN instead.
    """
    from .login import login as sign_in

    raise typer.Exit(sign_in(url, email, register=register))


@app.command()
def logout(*, url: Url = None) -> None:
    """Sign this terminal out, at the server too."""
    from .login import logout as sign_out

    raise typer.Exit(sign_out(url))


@app.command()
def chat(
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT]", help="One message; - reads it from standard input.")
    ] = None,
    *,
    url: Url = None,
    agent: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who answers; the server's default if not given.")
    ] = None,
) -> None:
    """Talk with agents and watch them work.

    Ctrl-C cancels the run, again leaves. With a TEXT, or with one piped in, ends after the answer: 0 where the run completed, else 1.
    """
    from .chat import chat as talk

    raise typer.Exit(talk(url, agent, text))


@app.command()
def events(
    *,
    url: Url = None,
    after: Annotated[
        str, typer.Option(metavar="CURSOR", help="Begin after this event; 0 is the beginning, $ is now.")
    ] = "0",
) -> None:
    """Print the log as JSON lines, and go on as it grows. Reconnects by itself."""
    from .events import events as print_events

    raise typer.Exit(print_events(url, after))


app.add_typer(administration.users, name="user")
app.add_typer(clients, name="client")
app.add_typer(keys, name="keys")
app.add_typer(triaging.app, name="triage")
app.command()(administration.backup)
app.command()(move)
app.command()(status)
app.command()(doctor)
app.command()(contract)
