"""The report for a terminal: it fits a screen, and says which command tells the rest.

Rules: the most important cause is always told whole, the others as far as the screen reaches, then one line each; nothing is wider
than the screen but a command that is to be copied; colour is the caller's, put on after everything has been measured.
"""

import textwrap
from collections.abc import Callable, Iterator

from quintet.triage.model import Analysis, Cause, Fact
from quintet.triage.normalise import shorten
from quintet.triage.reports.markdown import WHAT_TO_PASTE
from quintet.triage.reports.words import TITLES, affected, disarmed, entries, known, many, place, spans, summary

Paint = Callable[[str, str], str]
"""Puts a style (`strong`, `soft`, `good`, `proven`, `probable`, `suspect`, `unknown`) on words that are already measured."""

WIDTH, HEIGHT = 80, 40
_NARROWEST, _LOWEST = 40, 12
_BAR = 12
_UNKNOWN_SHOWN = 2


def text(analysis: Analysis, width: int = WIDTH, height: int = HEIGHT, paint: Paint = lambda _, words: words) -> str:
    """At most `height` lines, unless the first cause alone needs more."""
    if analysis.run.kind == "nothing" and not analysis.causes:
        return disarmed(WHAT_TO_PASTE.removeprefix("# "))
    page = _Page(analysis, max(width, _NARROWEST), paint)
    lines = [*page.head(), *page.causes(max(height, _LOWEST)), *page.foot()]
    return disarmed("\n".join(line.rstrip() for line in lines).rstrip("\n") + "\n")


def plain(sentence: str) -> str:
    """A sentence on one line, its code between single backticks."""
    return "".join(f"`{words}`" if is_code else words for words, is_code in spans(sentence))


class _Page:
    """One screen."""

    def __init__(self, analysis: Analysis, width: int, paint: Paint) -> None:
        self._analysis, self._width, self._paint = analysis, width, paint
        self._most = max((cause.blocks for cause in analysis.causes), default=1) or 1

    def head(self) -> list[str]:
        """The run in numbers, how many causes, and what is left."""
        said = [f"{lead} {plain(rest)}".strip() for lead, rest in summary(self._analysis)]
        real = known(self._analysis.causes)
        told = [said[0], said[1], *said[4:]] if real else said
        lines = []
        for number, sentence in enumerate(told):
            style = "strong" if number == 1 else "soft" if number else ""
            good = number == 1 and not self._analysis.run.entries and not real
            lines += self._wrapped(sentence, "", "good" if good else style)
        return [*lines, ""]

    def causes(self, height: int) -> Iterator[str]:
        """As many as there is room for: whole, then in a line."""
        everything = self._analysis.causes
        room = height - len(self.head()) - len(list(self.foot())) - 1
        whole = True
        for number, cause in enumerate(everything, 1):
            left = len(everything) - number
            lines = self._cause(number, cause)
            whole = whole and (number == 1 or len(lines) + min(left, 1) <= room)
            shown = lines if whole else [self._line(number, cause)]
            if number > 1 and len(shown) + (1 if left else 0) > room:
                rest = everything[number - 1 :]
                behind = entries(sum(one.blocks for one in rest))
                yield from (f"    and {many(len(rest), 'more cause', 'more causes')} ({behind})", "")
                return
            yield from shown
            room -= len(shown)
        if not whole:
            yield ""

    def foot(self) -> Iterator[str]:
        """What is not known, and where more is told."""
        for sentence in self._analysis.unknown[:_UNKNOWN_SHOWN]:
            yield from self._wrapped(shorten(f"Not known: {plain(sentence)}", 2 * self._width - 12), "  ", "soft")
        rest = len(self._analysis.unknown) - _UNKNOWN_SHOWN
        if rest > 0:
            yield self._paint("soft", f"Not known: {many(rest, 'thing', 'things')} more, in the other formats")

    def _cause(self, number: int, cause: Cause) -> list[str]:
        label = 8
        lines = [self._line(number, cause, bare=True)]
        lines += self._wrapped(plain(cause.statement), "    ", "strong", first="    ")
        if cause.facts:
            lines.append(self._evidence(_telling(cause), label))
        if names := affected(cause):
            more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
            name = shorten(names[0], self._width - 4 - label - len(more))
            lines.append(f"    {'Blocks':<{label}}{name}{more}")
        lines += self._wrapped(plain(cause.fix), " " * (4 + label), "", first=f"    {'Fix':<{label}}")
        if cause.verify:
            lines.append(f"    {'Check':<{label}}{cause.verify}")
        return [*lines, ""]

    def _evidence(self, fact: Fact, label: int) -> str:
        where = f"{place(fact, self._analysis.run)}: "
        words = shorten(fact.excerpt, max(self._width - 4 - label - len(where), 12))
        return f"    {'Seen':<{label}}" + self._paint("soft", where) + words

    def _line(self, number: int, cause: Cause, *, bare: bool = False) -> str:
        bar = "█" * max(1, round(cause.blocks / self._most * _BAR)) if cause.blocks else ""
        title = TITLES[cause.category] if bare else plain(cause.statement)
        begin = f"{number:>2}  "
        rest = f"{cause.blocks:>5,} {bar:<{_BAR}} "
        title = shorten(title, max(self._width - len(begin) - 9 - len(rest), 12))
        return begin + self._paint(cause.certainty, f"{cause.certainty:<9}") + rest + self._paint("strong", title)

    def _wrapped(self, words: str, indent: str, style: str, first: str = "") -> list[str]:
        """Lines no wider than the screen. Only the words are styled, never the indentation."""
        made = textwrap.wrap(
            words, self._width - len(indent or first), break_long_words=True, break_on_hyphens=False
        ) or [""]
        return [
            (indent if at else first) + (self._paint(style, line) if style else line) for at, line in enumerate(made)
        ]


def _telling(cause: Cause) -> Fact:
    """The fact that says most in a line: what was raised first."""
    by_kind = {fact.kind: fact for fact in reversed(cause.facts)}
    kinds = ("probe", "logged", "first error", "error")
    return next((by_kind[kind] for kind in kinds if kind in by_kind), cause.facts[0])
