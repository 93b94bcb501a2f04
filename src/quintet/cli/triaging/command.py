"""The options of `quintet triage`.

`triage run` and `triage diff` are commands, anything else that follows is a file or a folder: a file called `run` is named `./run`.
"""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .formats import Format

__all__ = ["app"]

_READ = "read"


class _Files(TyperGroup):
    """A group whose default command takes files."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = [_READ, *args]
        parsed: list[str] = super().parse_args(ctx, args)
        return parsed


app = typer.Typer(
    cls=_Files,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    subcommand_metavar="FILE… | DIR | run | diff",
    help="""Explain a broken test run: its causes, the proof of each, and what to do first.

    FILE is a report of the run: JUnit XML, pytest-reportlog, json-report, CTRF or what pytest printed; - is standard input. Several
    files are reports of one run. DIR is a project: it is examined without being run, and reports that lie in it are read.

    Exit code: 0 nothing was found, 1 causes were found, 2 wrong usage. Options of FILE and DIR: quintet triage read --help.""",
)

Form = Annotated[Format, typer.Option("--format", help="The form of the report.")]
Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report to FILE.")]
Claim = Annotated[
    str | None,
    typer.Option(
        metavar="CLAIM", help="All about one cause (cause-2), claim, fact (F12) or failing test, instead of the report."
    ),
]
Python = Annotated[
    str | None, typer.Option(metavar="PYTHON", help="The interpreter of the project, where it is not found by itself.")
]
Probe = Annotated[
    bool, typer.Option("--probe/--no-probe", help="Try out what a claim says before it is called proven.")
]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        envvar="QUINTET_MODEL",
        help="A language model that words summary and whys once more below the report, marked as its own, such as openai:gpt-5; none for none.",
    ),
]


@app.command(_READ)
def read(
    names: Annotated[
        list[str],
        typer.Argument(metavar="FILE... | DIR", help="Reports of one run, - for standard input; or a project."),
    ],
    *,
    form: Form = "text",
    out: Out = None,
    explain: Claim = None,
    probe: Probe = True,
    python: Python = None,
    model: Model = None,
    seconds: Annotated[
        float, typer.Option(metavar="N", min=1, max=240, help="The most that all probes of a project may take.")
    ] = 60,
) -> None:
    """Explain reports, or examine a project. The word `read` can be left out.

    Exit code: 0 nothing was found, 1 causes were found, 2 wrong usage.
    """
    from .work import Wish, from_files

    raise typer.Exit(from_files(names, Wish(form, out, explain, probe, python, model, seconds)))


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def run(
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="The command, such as pytest -q.")],
    *,
    form: Form = "text",
    out: Out = None,
    explain: Claim = None,
    within: Annotated[float, typer.Option(metavar="SECONDS", min=1, max=86_400, help="Stop it after so long.")] = 3600,
    probe: Probe = True,
    python: Python = None,
    model: Model = None,
) -> None:
    """Run the tests, keep what a JUnit file loses, and explain what went wrong.

    The output is seen as usual, on standard error where the report goes to standard output in another form than text.
    What the claims say about variables, ports, packages and configuration is tried out before it is called proven.

    Exit code: 0 the command ended with 0 and nothing was found, 1 causes were found or it ended otherwise, 2 wrong usage.
    """
    from .work import Wish, from_run

    raise typer.Exit(from_run(command, within, Wish(form, out, explain, probe, python, model)))


@app.command()
def diff(
    before: Annotated[
        str, typer.Argument(metavar="A", help="The earlier run: a report, or a folder with its reports.")
    ],
    after: Annotated[str, typer.Argument(metavar="B", help="The later run.")],
    *,
    form: Form = "text",
    out: Out = None,
) -> None:
    """What has changed between two runs: causes and failing entries that are fixed, new, or the same.

    Exit code: 0 nothing is new, 1 a cause or a failing entry is new, 2 wrong usage. Formats: text, markdown, json.
    """
    from .work import Wish
    from .work import diff as compare

    raise typer.Exit(compare(before, after, Wish(form, out)))
