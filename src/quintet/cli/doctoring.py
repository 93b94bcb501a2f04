"""`quintet doctor`: examines a project or a running server, shows progress, and ends with what a build needs to know."""

import json
import os
import sys
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, TypeVar

import typer

__all__ = ["doctor"]


class Ending(IntEnum):
    """The exit codes."""

    NOTHING = 0
    WRONG = 1
    USAGE = 2


Found = TypeVar("Found")
Form = Literal["text", "json", "markdown"]
Project = Annotated[Path, typer.Argument(metavar="PATH", help="The project to examine.")]
Url = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="Examine the running server at this address instead, such as https://chat.example.com."
    ),
]
Python = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The project's Python; its .venv, or the running one, if not given."),
]
Probe = Annotated[bool, typer.Option("--probe/--no-probe", help="Without probes nothing is run: files are read only.")]
Printed = Annotated[Form, typer.Option("--format", help="How to print the report.")]
Seconds = Annotated[
    float | None,
    typer.Option(
        metavar="N",
        min=1,
        max=3600,
        help="The most that one probe may take (60; at a server 10); all take four times that.",
    ),
]


def doctor(
    path: Project = Path(),
    *,
    url: Url = None,
    python: Python = None,
    probe: Probe = True,
    form: Printed = "text",
    seconds: Seconds = None,
) -> None:
    """Say what is wrong with a project's pytest configuration before its tests run, or with a running server.

    Shows which file rules for which way to start pytest. Collects the tests without running them, in the project's own Python, and writes
    nothing into the project. Importing the project's tests runs their top-level code, as pytest itself does.

    With --url it speaks to that server as its users do and changes nothing there: health, name, WebSocket, origins, headers, uploads, streams
    (with an access token in QUINTET_TOKEN), certificate, clock, version, figures.

    Ends with 0 where nothing is certainly wrong, 1 where something is, 2 where it could not examine. What is only worth a look never changes
    the exit code.
    """
    from quintet.doctor.interpreter import NoInterpreterError

    if url is not None:
        _looked(url, form, seconds or 10)
    try:
        _examined(path, python, probe, form, seconds or 60)
    except (NotADirectoryError, NoInterpreterError) as error:
        typer.echo(f"{error}.", err=True)
        raise typer.Exit(Ending.USAGE) from None


def _examined(path: Path, python: Path | None, probe: bool, form: Form, seconds: float) -> NoReturn:
    from rich.console import Console

    from quintet.doctor import examination
    from quintet.doctor.report.data import as_data
    from quintet.doctor.report.markdown import as_markdown
    from quintet.doctor.report.text import print_text

    with Console(stderr=True).status("") as status:
        found = examination(
            path, probe=probe, python=python, seconds=seconds, said=lambda words: status.update(f"{words} …")
        )
    _ended(found, found.certain, form, (as_data, as_markdown, print_text))


def _looked(url: str, form: Form, seconds: float) -> NoReturn:
    from rich.console import Console

    from quintet import __version__
    from quintet.client import parse_address
    from quintet.doctor.served import look
    from quintet.doctor.served.report import as_data, as_markdown, print_text

    try:
        address = parse_address(url)
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(Ending.USAGE) from None
    token = os.environ.get("QUINTET_TOKEN", "").strip()
    with Console(stderr=True).status("") as status:
        found = look(
            address.url,
            version=__version__,
            token=token,
            seconds=seconds,
            said=lambda words: status.update(f"{words} …"),
        )
    _ended(found, found.certain, form, (as_data, as_markdown, print_text))


def _ended(
    found: Found,
    certain: object,
    form: Form,
    ways: tuple[Callable[[Found], dict[str, Any]], Callable[[Found], str], Callable[[Found, Any], None]],
) -> NoReturn:
    """Prints it in one of its three ways (JSON, Markdown, text), and ends."""
    from rich.console import Console

    data, markdown, text = ways
    if form == "json":
        typer.echo(json.dumps(data(found), indent=2, ensure_ascii=False))
    elif form == "markdown":
        typer.echo(markdown(found), nl=False)
    else:
        text(found, Console(file=sys.stdout))
    raise typer.Exit(Ending.WRONG if certain else Ending.NOTHING)
