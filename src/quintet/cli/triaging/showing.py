"""Puts the report where it is wanted: a file, standard output, the step summary of GitHub Actions."""

import contextlib
import os
import re
import shutil
import sys
from pathlib import Path

from quintet.triage import Analysis
from quintet.triage.reports import FORMATS, annotations, text

from .formats import Format

__all__ = ["NotWritten", "say", "show", "show_markdown", "show_text", "to_file"]

_STYLES = {
    "strong": "1", "soft": "2", "good": "32", "proven": "1;31", "probable": "33", "suspect": "35", "unknown": "2",
}  # fmt: skip
_LEFT_FOR_PROMPT = 3
_WITHIN = re.compile(r"\[([^\]\n]{1,200})\]\(#[A-Z]\d{1,6}\)")
_TITLE = re.compile(r"^# ", re.MULTILINE)


class NotWritten(Exception):  # noqa: N818 - what happened, in one line
    """The file cannot be written."""


def say(words: str) -> None:
    """One line for the person, beside the report."""
    print(words, file=sys.stderr)  # noqa: T201


def show(analysis: Analysis, form: Format, out: Path | None, below: str = "") -> None:
    """Write the report, and what stands below it (Markdown, for the forms that people read).

    Raises:
        NotWritten: `out` cannot be written.
    """
    if form == "github":
        _show_github(analysis, out, _apart(below))
    elif form == "text":
        words = _apart(_set(below, plain=out is not None or not sys.stdout.isatty())) if below else ""
        to_file((_on_screen(analysis) if out is None else FORMATS[form](analysis)) + words, out)
    else:
        to_file(FORMATS[form](analysis) + _apart(below), out)


def _apart(words: str) -> str:
    return f"\n{words}" if words else ""


def show_text(words: str) -> None:
    """Standard output in UTF-8, whatever the machine's locale says; a reader that has gone is no failure."""
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stdout.buffer.write(words.encode())
        sys.stdout.buffer.flush()
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at its end


def show_markdown(words: str, form: Format, out: Path | None) -> None:
    """A piece of Markdown: as it is where Markdown is wanted, set for the terminal otherwise."""
    if form == "text":
        words = _set(words, plain=out is not None or not sys.stdout.isatty())
    to_file(words, out)


def to_file(words: str, out: Path | None) -> None:
    """To a file, whole or not at all, or to standard output."""
    if out is None:
        show_text(words)
        return
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        draft.write_bytes(words.encode())
        draft.replace(out)
    except OSError as fault:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise NotWritten(f"{out} cannot be written: {fault.strerror or fault}") from None


def _on_screen(analysis: Analysis) -> str:
    if not sys.stdout.isatty():
        return text(analysis)
    size = shutil.get_terminal_size()
    if "NO_COLOR" in os.environ:
        return text(analysis, size.columns, size.lines - _LEFT_FOR_PROMPT)
    return text(
        analysis,
        size.columns,
        size.lines - _LEFT_FOR_PROMPT,
        lambda style, words: f"\x1b[{_STYLES.get(style, '0')}m{words}\x1b[0m",
    )


def _set(words: str, *, plain: bool) -> str:
    import io

    from rich.console import Console
    from rich.markdown import Markdown

    columns = 100 if plain else shutil.get_terminal_size().columns
    page = io.StringIO()
    console = Console(file=page, width=columns, force_terminal=not plain, no_color=plain or None, legacy_windows=False)
    # A terminal has no links within a text, and a centred title is hard to find.
    console.print(Markdown(_TITLE.sub("## ", _WITHIN.sub(r"\1", words)), hyperlinks=False))
    return "\n".join(line.rstrip() for line in page.getvalue().split("\n")).strip("\n") + "\n"


def _show_github(analysis: Analysis, out: Path | None, below: str) -> None:
    """The summary goes where Actions looks for it, the annotations to the log, where Actions finds them."""
    summary = FORMATS["github"](analysis) + below
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if out is None and place:
        try:
            with Path(place).open("ab") as file:
                file.write(summary.encode())
        except OSError as fault:
            raise NotWritten(f"GITHUB_STEP_SUMMARY cannot be written: {fault.strerror or fault}") from None
    else:
        to_file(summary, out)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        show_text("".join(f"{line}\n" for line in annotations(analysis)))
