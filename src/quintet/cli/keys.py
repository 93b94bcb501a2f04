"""`quintet keys …`: the keys that sign access tokens. Needs the server's secret, for a key is stored sealed under it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .serving import Wish, env_file

if TYPE_CHECKING:
    import asyncio

    from quintet.accounts.keys.keeping import KeyKeeping
    from quintet.settings import Settings

__all__ = ["keys"]

keys = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="List and rotate the keys that sign access tokens, also beside a running server.",
)

Dev = Annotated[
    bool, typer.Option("--dev", help="Read the settings as `serve --dev` does, .env and the kept secret too.")
]
Data = Annotated[Path | None, typer.Option(metavar="DIR", help="The server's data folder; .quintet if not given.")]
Database = Annotated[
    str | None, typer.Option(metavar="URL", help="The database; a file in the data folder if not given.")
]


@keys.command("list")
def show(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
    data: Data = None,
    database: Database = None,
    dev: Dev = False,
) -> None:
    """List the keys: the one that signs, the next, those that retire, and the last that are gone."""
    from .user import place

    raise typer.Exit(_with_keys(place(dev, data, database), lambda kept, loop: _show(kept, loop, as_json=as_json)))


@keys.command()
def rotate(
    *,
    now: Annotated[
        bool, typer.Option("--now", help="Also when the next key was published so lately that others may not know it.")
    ] = False,
    drop: Annotated[
        bool,
        typer.Option("--drop", help="Believe the old key no longer, from this moment: it was stolen. Implies --now."),
    ] = False,
    data: Data = None,
    database: Database = None,
    dev: Dev = False,
) -> None:
    """Let the next key sign. Nobody is signed out: the old key is believed as long as its tokens live.

    A running server does it within 5 seconds. With --drop access tokens of the old key are dead by then, and clients renew them by themselves.
    """
    from .user import place

    def work(kept: "KeyKeeping", loop: "asyncio.Runner") -> int:
        from .saying import say

        kid = loop.run(kept.rotate(at_once=now or drop, drop=drop))
        say(f"From now on {kid} signs. A running server notices within 5 s.")
        return 0

    raise typer.Exit(_with_keys(place(dev, data, database), work))


def _show(kept: "KeyKeeping", loop: "asyncio.Runner", *, as_json: bool) -> int:
    from .tables import minute, print_table

    found = loop.run(kept.keys())
    if as_json:
        import json

        from quintet.events import timestamp

        items = [
            {
                "kid": key.kid,
                "state": key.state,
                "created_at": timestamp(key.created_at),
                "since": timestamp(key.changed_at),
            }
            for key in found
        ]
        print(json.dumps(items, indent=2), flush=True)  # noqa: T201 - the command's result
        return 0
    rows = [
        (
            (
                key.kid,
                key.state if key.opens is not False else f"{key.state}, of another secret",
                *map(minute, key[2:4]),
            ),
            key.state == "gone",
        )
        for key in found
    ]
    print_table(("Key", "State", "Created (UTC)", "Since"), rows)
    return 0


def _with_keys(wish: Wish, work: Callable[["KeyKeeping", "asyncio.Runner"], int]) -> int:
    from .user import administered

    def run(_: Wish) -> int:
        from quintet.server.administration import key_keeping

        from .beside import with_opened

        return with_opened(key_keeping(_settings(wish)), work)

    return administered(wish, run)


def _settings(wish: Wish) -> "Settings":
    """The settings with the secret of the server, which is not made here. Raises `SettingsError` where there is none."""
    from quintet.settings import Options, SettingsError, load
    from quintet.settings.loading import REQUIRED

    from .development import FILE_NAME, kept_secret

    def secret(folder: Path) -> str:
        if not wish.dev or not (folder / FILE_NAME).exists():
            raise SettingsError([REQUIRED["secret_key"]])
        return kept_secret(folder)

    return load(os.environ, env_file() if wish.dev else None, Options(*wish), secret, serves=False)
