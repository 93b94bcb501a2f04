"""What every form of the report says in the same words.

Rules: sentences are plain, with code between backticks, and each form writes code in its own way; what was read is never longer than
it is useful; nothing here or in the forms looks at a clock, so the same analysis gives the same bytes.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from quintet.triage.comparing.hollow import hollow_of
from quintet.triage.model import Analysis, Cause, Fact, Run, Why
from quintet.triage.normalise import shorten

TITLES = {
    "environment": "Environment", "markers-config": "pytest configuration", "services": "Services", "websocket": "WebSocket",
    "auth": "Authentication", "async": "Async", "database": "Database", "dependencies": "Dependencies", "imports": "Imports",
    "fixtures": "Fixtures", "drift": "Tests and product moved apart", "assertion": "Expectation or product", "isolation": "Test isolation",
    "resources": "Resources",
}  # fmt: skip
KINDS = {
    "console": "pytest's console output", "junit": "JUnit XML", "reportlog": "a pytest report log", "json-report": "a pytest JSON report",
    "ctrf": "a CTRF report", "unittest": "unittest's console output", "traceback": "a Python traceback",
}  # fmt: skip
NOTHING = "I could not find a test report in this text"
SUMMARY_LINES = 5

_SPANS = re.compile(r"(`+)(.+?)\1", re.DOTALL)
# What a build log of GitHub, Azure or TeamCity acts upon when it is printed there.
_ORDERS = re.compile(r"##(?=\w*\[)")
_ORDER_LINES = re.compile(r"(?m)^(\s*)::")


class Span(NamedTuple):
    """A piece of a sentence."""

    words: str
    is_code: bool = False


class View(NamedTuple):
    """What the telling of a cause needs of its analysis: the run, and the facts by their ids."""

    run: Run
    facts: Mapping[str, Fact]

    @classmethod
    def of(cls, analysis: Analysis) -> "View":
        return cls(analysis.run, {fact.id: fact for fact in analysis.case.facts})

    def cited(self, why: Why) -> list[Fact]:
        """The facts that a step rests on."""
        return [self.facts[name] for name in why.facts if name in self.facts]


class Sentence(NamedTuple):
    """A sentence of the summary; `lead` are its first words where they matter most."""

    lead: str
    rest: str


def spans(sentence: str) -> list[Span]:
    """The sentence cut at its code."""
    flat, made, at = " ".join(sentence.split()), [], 0
    for found in _SPANS.finditer(flat):
        made += [Span(flat[at : found.start()]), Span(found[2].strip(), True)]
        at = found.end()
    return [span for span in (*made, Span(flat[at:])) if span.words]


def many(number: int, one: str, more: str) -> str:
    """`1 cause`, `2 causes`."""
    return f"{number:,} {one if number == 1 else more}"


def entries(number: int) -> str:
    """`1 entry`, `2 entries`."""
    return many(number, "entry", "entries")


def effort(number: int) -> str:
    """The effort of a fix in a word."""
    return ("small", "medium", "large")[max(0, min(number - 1, 2))]


def disarmed(text: str) -> str:
    """The text without what a build log would obey where it is printed (`::set-output`, `##vso[`)."""
    return _ORDER_LINES.sub(r"\1: :", _ORDERS.sub("# #", text))


def known(causes: Sequence[Cause]) -> list[Cause]:
    """The causes that are more than one failure standing alone."""
    return [cause for cause in causes if not cause.plain]


def place(fact: Fact, run: Run) -> str:
    """Where a fact stands: `line 34` of the one report, otherwise with the name of the report or file."""
    if not fact.line:
        return shorten(fact.source, 80)
    return f"line {fact.line}" if fact.source == run.source else f"{shorten(fact.source, 80)} line {fact.line}"


def affected(cause: Cause) -> list[str]:
    """The names of the failing entries, each once."""
    return list(dict.fromkeys(cause.entries))


def numbers(run: Run) -> str:
    """The report's own numbers."""
    totals = run.totals
    if not any((totals.tests, totals.passed, totals.failures, totals.errors, totals.skipped)):
        if run.kind == "nothing":
            return "No report of a run was read."
        return "The report has no numbers: the run ended before pytest counted any test."
    return (
        f"{many(totals.tests, 'test', 'tests')}: {totals.passed:,} passed, {totals.failures:,} failed,"
        f" {many(totals.errors, 'error', 'errors')}, {totals.skipped:,} skipped."
    )


def summary(analysis: Analysis) -> list[Sentence]:
    """At most five sentences; the first is the run in numbers, the second the number of causes."""
    run = analysis.run
    said = [Sentence("", numbers(run))]
    if run.entries or analysis.causes:
        said += _found(run, analysis.causes)
    elif run.gaps:
        said += [
            Sentence("", "No failing entry is in this part of the text."),
            *(Sentence("", gap) for gap in run.gaps),
        ]
    else:
        said.append(Sentence("", "No failing entry was found, so there is nothing to explain."))
        said += [Sentence("", words) for words in hollow_of(run)]
    return said[:SUMMARY_LINES]


def _found(run: Run, causes: Sequence[Cause]) -> list[Sentence]:
    failing = many(len(run.entries), "failing entry", "failing entries")
    if not causes:
        return [Sentence("", f"The {failing} could not be examined: no specialist answered.")]
    real = known(causes)
    if not real:
        alone = f"for the {failing}: they are plain failures of what the tests expect, not of their surroundings."
        return [
            Sentence("No common cause was found", alone),
            Sentence("", f"Look first at: {causes[0].statement}"),
        ]
    explained = sum(cause.blocks for cause in real)
    whole = f"for {explained:,} of {failing}." if run.entries else "found without a run."
    most = f"{real[0].statement} ({real[0].certainty}, {entries(real[0].blocks)})"
    said = [
        Sentence(many(len(real), "cause", "causes"), whole),
        Sentence("", f"Most important: {most}"),
        Sentence("", f"First step: {real[0].fix}"),
    ]
    left = _left(real, len(run.entries) - explained)
    return [*said, Sentence("", left)] if left else said


def _left(real: Sequence[Cause], rest: int) -> str:
    guessed = sum(1 for cause in real if cause.certainty in ("suspect", "unknown"))
    parts = [f"{guessed} of the causes {'is' if guessed == 1 else 'are'} only suspected"] if guessed else []
    parts += [f"{entries(rest)} without a common cause"] if rest else []
    words = "; ".join(parts)
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def packages(analysis: Analysis) -> list[tuple[str, str, int]]:
    """Who takes what: a specialist, the numbers of the causes, the entries they block."""
    made = []
    for owner in dict.fromkeys(step.owner for step in analysis.plan):
        mine = [(number, cause) for number, cause in enumerate(analysis.causes, 1) if cause.owner == owner]
        numbered = ", ".join(str(number) for number, _ in mine[:20]) + (", …" if len(mine) > 20 else "")
        made.append((owner, numbered, sum(cause.blocks for _, cause in mine)))
    return made
