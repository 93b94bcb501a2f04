"""`quintet client …`: programs that speak for themselves. The secret goes to standard output, this once, everything said to standard error."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .serving import Wish

if TYPE_CHECKING:
    import asyncio

    from quintet.accounts.machines.keeping import ClientKeeping

__all__ = ["clients"]

clients = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Add, list, disable and enable service clients, also beside a running server.",
)

Dev = Annotated[bool, typer.Option("--dev", help="Read the settings as `serve --dev` does, .env too.")]
Data = Annotated[Path | None, typer.Option(metavar="DIR", help="The server's data folder; .quintet if not given.")]
Database = Annotated[
    str | None, typer.Option(metavar="URL", help="The database; a file in the data folder if not given.")
]
Which = Annotated[str, typer.Argument(metavar="ID", help="The client's id.", show_default=False)]


@clients.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.", show_default=False)],
    *,
    scope: Annotated[
        list[str],
        typer.Option(metavar="SCOPE", help="What it may do: metrics:read, users:read, users:write. Repeatable."),
    ],
    data: Data = None,
    database: Database = None,
    dev: Dev = False,
) -> None:
    """Add a client and print its id and its secret, this once.

    It trades them for a token of five minutes: POST /v1/auth/token, grant_type=client_credentials (RFC 6749, 4.4).
    """

    def work(kept: "ClientKeeping", loop: "asyncio.Runner") -> int:
        from .saying import say

        client, secret = loop.run(kept.add(name, [word for words in scope for word in words.split()]))
        say(f"Added {client.name}, which may {client.scopes}. Id and secret, shown this once:")
        print(f"{client.id}\n{secret}", flush=True)  # noqa: T201 - the command's result
        return 0

    raise typer.Exit(_with_clients(dev, data, database, work))


@clients.command("list")
def show(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
    data: Data = None,
    database: Database = None,
    dev: Dev = False,
) -> None:
    """List the clients."""
    raise typer.Exit(_with_clients(dev, data, database, lambda kept, loop: _show(kept, loop, as_json=as_json)))


@clients.command()
def disable(which: Which, *, data: Data = None, database: Database = None, dev: Dev = False) -> None:
    """Disable a client. Its tokens are dead at once."""
    raise typer.Exit(_with_clients(dev, data, database, lambda kept, loop: _set(kept, loop, which, disabled=True)))


@clients.command()
def enable(which: Which, *, data: Data = None, database: Database = None, dev: Dev = False) -> None:
    """Let a disabled client in again."""
    raise typer.Exit(_with_clients(dev, data, database, lambda kept, loop: _set(kept, loop, which, disabled=False)))


def _set(kept: "ClientKeeping", loop: "asyncio.Runner", which: str, *, disabled: bool) -> int:
    from .saying import say

    before = loop.run(kept.set_disabled(which, disabled=disabled))
    changed = (before.disabled_at is not None) != disabled
    said = {(True, True): "Disabled", (True, False): "Was disabled already:", (False, True): "Enabled"}
    say(f"{said.get((disabled, changed), 'Was not disabled:')} {before.name} ({before.id}).")
    return 0


def _show(kept: "ClientKeeping", loop: "asyncio.Runner", *, as_json: bool) -> int:
    from .tables import minute, print_table

    found = loop.run(kept.clients())
    if as_json:
        import json

        from quintet.events import timestamp

        items = [
            {
                **{"id": client.id, "name": client.name, "scopes": client.scopes.split()},
                **{
                    field: timestamp(at)
                    for field in ("created_at", "disabled_at", "used_at")
                    if (at := getattr(client, field)) is not None
                },
            }
            for client in found
        ]
        print(json.dumps(items, ensure_ascii=False, indent=2), flush=True)  # noqa: T201 - the command's result
        return 0
    rows = [
        (
            (
                client.id,
                client.name,
                client.scopes,
                *map(minute, (client.created_at, client.disabled_at, client.used_at)),
            ),
            client.disabled_at is not None,
        )
        for client in found
    ]
    print_table(("Id", "Name", "Scopes", "Created (UTC)", "Disabled", "Last used"), rows)
    return 0


def _with_clients(
    dev: bool, data: Path | None, database: str | None, work: Callable[["ClientKeeping", "asyncio.Runner"], int]
) -> int:
    from .user import administered, place, settings_of

    def run(wish: Wish) -> int:
        from quintet.server.administration import client_keeping

        from .beside import with_opened

        return with_opened(client_keeping(settings_of(wish)), work)

    return administered(place(dev, data, database), run)
