"""A run on a terminal, or in a pipe.

On a terminal the timeline scrolls, below it moves what is under way, and the answer is set as Markdown at the end. In a pipe the answer
goes to standard output as it is said, and nothing else does; the timeline goes to standard error, a line each.
"""

import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol, TextIO

from quintet.client import Event

from .timeline import Row, Timeline, duration, shown

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live
    from rich.text import Text

__all__ = ["Screen", "screen"]

_MARKS = {"agent": "", "thought": "", "done": "✓ ", "failed": "✗ ", "stopped": "■ ", "said": ""}
_STYLES = {"agent": "bold", "thought": "dim italic", "done": "green", "failed": "red", "stopped": "yellow", "said": ""}
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_TAIL = 8  # lines of the answer that are seen while it is being said


class Screen(Protocol):
    """Shows one run after another."""

    def begin(self) -> None:
        """A message is sent."""

    def take(self, event: Event, text: str) -> None:
        """An event came; `text` is what the root agent has said by then."""

    def stopping(self) -> None:
        """A cancel was asked for."""

    def end(self) -> None:
        """Nothing comes any more."""


def screen(connected: Callable[[], bool]) -> Screen:
    """The screen that fits standard output. `connected` says whether there is a connection at this moment."""
    from rich.console import Console

    console = Console()
    if console.is_terminal and not console.is_dumb_terminal:
        return _Terminal(console, connected)
    return _Pipe(sys.stdout, Console(stderr=True, soft_wrap=True))


class _Pipe:
    def __init__(self, out: TextIO, notes: "Console") -> None:
        self._out = out
        self._notes = notes
        self._timeline = Timeline(time.monotonic)
        self._written = 0

    def begin(self) -> None:
        self._timeline = Timeline(time.monotonic)
        self._written = 0

    def take(self, event: Event, text: str) -> None:
        for row in self._timeline.take(event):
            self._notes.print(_line(row), soft_wrap=True)
        if len(text) > self._written:
            self._out.write(text[self._written :])
            self._out.flush()
            self._written = len(text)

    def stopping(self) -> None:
        self._notes.print("Stopping. Ctrl-C again leaves.")

    def end(self) -> None:
        if self._written:
            self._out.write("\n")
            self._out.flush()


class _Terminal:
    def __init__(self, console: "Console", connected: Callable[[], bool]) -> None:
        self._connected = connected
        self._console = console
        self._live: Live | None = None
        self._timeline = Timeline(time.monotonic)
        self._text = ""
        self._stopping = False
        self._begun = 0.0

    def begin(self) -> None:
        self._timeline = Timeline(time.monotonic)
        self._text, self._stopping, self._begun = "", False, time.monotonic()
        from rich.live import Live

        self._live = Live(console=self._console, get_renderable=self._moving, refresh_per_second=12, transient=True)
        self._live.start()

    def take(self, event: Event, text: str) -> None:
        self._text = text
        for row in self._timeline.take(event):
            for line in _wrapped(row, self._console):
                self._console.print(line)

    def stopping(self) -> None:
        self._stopping = True

    def end(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
        if self._text.strip():
            from rich.markdown import Markdown

            self._console.print()
            self._console.print(Markdown(shown(self._text, lines=True)))
        self._console.print()

    def _moving(self) -> "RenderableType":
        """What is under way at this moment."""
        from rich.console import Group
        from rich.text import Text

        now = time.monotonic()
        turn = _SPINNER[int(now * 12) % len(_SPINNER)]
        parts: list[RenderableType] = []
        if self._text:
            recent = Text(shown(self._text[-_TAIL * self._console.width :], lines=True).rstrip())
            parts += [Text(""), *recent.wrap(self._console, self._console.width)[-_TAIL:], Text("")]
        for one in self._timeline.running[-_TAIL:]:
            label, took = one.text, duration((now - one.since) * 1000 // 100 * 100)
            line = Text(overflow="ellipsis", no_wrap=True).append(_rails(one.depth), "dim")
            parts.append(line.append(f"{turn} ", "cyan").append(label, "").append(f"  {took}", "dim"))
        if not parts:
            parts.append(Text(f"{turn} waiting  {duration((now - self._begun) * 1000 // 100 * 100)}", style="cyan"))
        return Group(*parts, self._hint())

    def _hint(self) -> "Text":
        from rich.text import Text

        if not self._connected():
            return Text("No connection at the moment; trying again. Nothing is lost.", style="yellow")
        return Text("Stopping. Ctrl-C again leaves.", style="yellow") if self._stopping else Text("Ctrl-C stops", "dim")


def _rails(depth: int, closes: bool = False) -> str:
    return "│ " * (depth - 1) + ("└ " if closes else "├ ") if depth else ""


def _line(row: Row) -> "Text":
    from rich.text import Text

    return Text().append(_rails(row.depth, row.closes), "dim").append_text(_body(row))


def _wrapped(row: Row, console: "Console") -> "Iterator[Text]":
    """The lines of a row, with the rails of its agents beside every one of them."""
    from rich.text import Text

    rails = _rails(row.depth, row.closes)
    for number, part in enumerate(_body(row).wrap(console, max(console.width - len(rails), 20))):
        beside = rails.replace("├", "│").replace("└", " ") if number else rails
        part.rstrip()
        yield Text().append(beside, "dim").append_text(part)


def _body(row: Row) -> "Text":
    from rich.text import Text

    line = Text().append(_MARKS[row.kind] + row.text, _STYLES[row.kind])
    return line.append(f"{'  ' if row.text else ''}{row.detail}", "dim") if row.detail else line
