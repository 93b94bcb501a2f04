"""The report as Markdown.

Rules: never more than 32 KiB of UTF-8; what does not fit is counted, not silently dropped; words of the input stand in code,
where they can neither format nor link anything; the same analysis gives the same bytes.
"""

from collections.abc import Iterable, Sequence

from quintet.triage.model import Analysis, Cause, Fact, Run
from quintet.triage.normalise import shorten

SIZE_LIMIT = 32 * 1024
_END_RESERVE = 6 * 1024
_ENTRIES_SHOWN = 6
_EVIDENCE_SHOWN = 4
_STEPS_SHOWN = 12

_TITLES = {
    "environment": "Environment", "markers-config": "pytest configuration", "services": "Services", "websocket": "WebSocket",
    "auth": "Authentication", "async": "Async", "database": "Database", "dependencies": "Dependencies", "imports": "Imports",
    "fixtures": "Fixtures", "drift": "Tests and product moved apart", "assertion": "Expectation or product", "isolation": "Test isolation",
    "resources": "Resources",
}  # fmt: skip


def markdown(analysis: Analysis) -> str:
    """The whole report."""
    return "".join(sections(analysis))


def sections(analysis: Analysis) -> list[str]:
    """The report in pieces, one per section, to be shown one after another. Joined they are the report."""
    if analysis.run.kind == "nothing":
        return [_NOTHING]
    head = [_header(analysis), _summary(analysis)]
    tail = [piece for piece in (_plan(analysis), _packages(analysis), _metrics(analysis), _unknown(analysis)) if piece]
    room = SIZE_LIMIT - sum(map(_size, [*head, *tail])) - 200
    return _bounded([*head, *_causes(analysis, room), *tail])


_NOTHING = """# I could not find a test report in this text

It does not look like pytest's output: there is no session header, no failure section, no summary line and no JUnit XML.

Please paste one of these:

- the whole output of `pytest -ra --tb=short` (the last line with the numbers matters, and so do the lines that begin with `E`);
- a JUnit file, made with `pytest --junitxml=report.xml`;
- when pytest stops at once: everything it printed, from the command to the prompt.

Nothing in your text was executed, and nothing was concluded from it.
"""


def _size(text: str) -> int:
    """UTF-8 bytes, or two thirds of the same as JSON where that is more: the event that carries the report holds 48 KiB of JSON."""
    plain = len(text.encode())
    escaped = plain + text.count("\n") + text.count('"') + text.count("\\")
    return max(plain, escaped * 2 // 3 + 1)


def _bounded(pieces: Sequence[str]) -> list[str]:
    kept, used = [], 0
    for piece in pieces:
        if used + _size(piece) > SIZE_LIMIT:
            break
        kept.append(piece)
        used += _size(piece)
    return kept


def _header(analysis: Analysis) -> str:
    run = analysis.run
    what = {"console": "pytest console output", "junit": "JUnit XML", "traceback": "a Python traceback"}.get(
        run.kind, run.kind
    )
    lines = [f"# Failure analysis\n\nRead as {what}."]
    lines += [
        f"{code(shorten(line.text, 160))}" for line in run.header if line.kind in ("platform", "configfile", "asyncio")
    ][:3]
    return "  \n".join(lines) + "\n\n"


def _summary(analysis: Analysis) -> str:
    run, causes = analysis.run, analysis.causes
    lines = [_numbers(run)]
    if not run.entries:
        lines.append(
            "No failing entry was found, so there is nothing to explain."
            if not run.gaps
            else "No failing entry is in this part of the text."
        )
        lines += list(run.gaps)
    else:
        lines += _what_was_found(run, causes)
    return "## Summary\n\n" + "".join(f"{number}. {line}\n" for number, line in enumerate(lines[:5], 1)) + "\n"


def _numbers(run: Run) -> str:
    totals = run.totals
    if not any((totals.tests, totals.passed, totals.failures, totals.errors, totals.skipped)):
        return "The report has no numbers: the run ended before pytest counted any test."
    return f"{totals.tests} tests: {totals.passed} passed, {totals.failures} failed, {totals.errors} errors, {totals.skipped} skipped."


def _what_was_found(run: Run, causes: Sequence[Cause]) -> list[str]:
    known = [cause for cause in causes if not cause.plain]
    explained = sum(cause.blocks for cause in known)
    failing = _many(len(run.entries), "failing entry", "failing entries")
    if not causes:
        return [f"The {failing} could not be examined: no specialist answered."]
    if not known:
        return [
            f"**No common cause was found** for the {failing}: they are plain failures of what the tests expect, not of their surroundings.",
            f"Look first at: {causes[0].statement}",
        ]
    lines = [f"**{_many(len(known), 'cause', 'causes')}** for {explained} of {failing}."]
    lines.append(
        f"Most important: {known[0].statement} ({known[0].certainty}, {_many(known[0].blocks, 'entry', 'entries')})"
    )
    lines.append(f"First step: {known[0].fix}")
    guessed = sum(1 for cause in known if cause.certainty in ("suspect", "unknown"))
    rest = len(run.entries) - explained
    parts = [f"{guessed} of the causes {'is' if guessed == 1 else 'are'} only suspected"] if guessed else []
    parts += [f"{_many(rest, 'entry', 'entries')} without a common cause"] if rest else []
    return [*lines, "; ".join(parts)[:1].upper() + "; ".join(parts)[1:] + "."] if parts else lines


def _many(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def _causes(analysis: Analysis, room: int) -> list[str]:
    if not analysis.causes:
        return []
    facts = {fact.id: fact for fact in analysis.case.facts}
    pieces, used = ["## Causes\n\n"], 0
    for number, cause in enumerate(analysis.causes, 1):
        piece = _cause(number, cause, facts)
        left = analysis.causes[number - 1 :]
        if used + _size(piece) > room:
            pieces.append(
                f"{_many(len(left), 'more cause', 'more causes')} ({_many(sum(c.blocks for c in left), 'entry', 'entries')}) did not fit here.\n\n"
            )
            break
        pieces.append(piece)
        used += _size(piece)
    return pieces


def _cause(number: int, cause: Cause, facts: dict[str, Fact]) -> str:
    follows = f", {cause.downstream} of them only follow" if cause.downstream else ""
    lines = [
        f"### {number}. {cause.statement}\n",
        f"**{_TITLES[cause.category]}** · {cause.certainty} · {_many(cause.blocks, 'entry', 'entries')}{follows} · {cause.owner}\n",
        "**Evidence**\n",
        *(f"- line {fact.line}: {code(shorten(fact.excerpt, 300))}" for fact in cause.facts[:_EVIDENCE_SHOWN]),
        "\n**Affected**\n",
        *_some([code(shorten(name, 160)) for name in dict.fromkeys(cause.entries)]),
        "\n**Why**\n",
        *(
            _why(step, why.statement, [facts[name] for name in why.facts if name in facts], assumed=why.assumed)
            for step, why in enumerate(cause.whys, 1)
        ),
        *([f"\n**Against it**: {' '.join(cause.counter)}"] if cause.counter else []),
        f"\n**Fix**: {cause.fix}",
        f"\n**Check**: {code(cause.verify)}\n",
    ]
    return "\n".join(lines) + "\n"


def _why(step: int, statement: str, facts: Sequence[Fact], *, assumed: bool) -> str:
    lines = ", ".join(dict.fromkeys(str(fact.line) for fact in facts[:3]))
    return f"{step}. {statement} {'(assumed; rests on' if assumed else '('}{' ' if assumed else ''}line {lines})"


def _some(names: Sequence[str]) -> Iterable[str]:
    yield from (f"- {name}" for name in names[:_ENTRIES_SHOWN])
    if len(names) > _ENTRIES_SHOWN:
        yield f"- and {len(names) - _ENTRIES_SHOWN} more"


def _plan(analysis: Analysis) -> str:
    if not analysis.plan:
        return ""
    lines = ["## Plan\n", "| | Do | Unblocks | Effort | Check |", "|---|---|---|---|---|"]
    for number, step in enumerate(analysis.plan[:_STEPS_SHOWN], 1):
        cells = [
            cell(step.action),
            str(step.unblocks),
            ["small", "medium", "large"][min(step.effort, 3) - 1],
            cell(code(shorten(step.verify, 160))),
        ]
        lines.append(f"| {number} | " + " | ".join(cells) + " |")
    rest = len(analysis.plan) - _STEPS_SHOWN
    return (
        "\n".join(lines)
        + (f"\n\n{_many(rest, 'smaller step', 'smaller steps')} not shown." if rest > 0 else "")
        + "\n\n"
    )


def _packages(analysis: Analysis) -> str:
    owners = dict.fromkeys(step.owner for step in analysis.plan)
    if not owners:
        return ""
    lines = ["## Who takes what\n"]
    for owner in owners:
        mine = [(number, cause) for number, cause in enumerate(analysis.causes, 1) if cause.owner == owner]
        numbers = ", ".join(f"{number}" for number, _ in mine[:20])
        lines.append(
            f"- **{owner}**: cause {numbers} ({_many(sum(cause.blocks for _, cause in mine), 'entry', 'entries')})"
        )
    return "\n".join(lines) + "\n\n"


def _metrics(analysis: Analysis) -> str:
    if not analysis.metrics:
        return ""
    lines = ["## Done when\n"]
    lines += [
        f"- {metric.name}: {metric.now} now, {metric.goal} wanted ({code(metric.command)})"
        for metric in analysis.metrics
    ]
    return "\n".join(lines) + "\n\n"


def _unknown(analysis: Analysis) -> str:
    if not analysis.unknown:
        return ""
    shown = [f"- {shorten(sentence, 400)}" for sentence in analysis.unknown[:10]]
    rest = len(analysis.unknown) - len(shown)
    return "\n".join(["## What is not known\n", *shown, *([f"- and {rest} more"] if rest > 0 else [])]) + "\n"


def code(text: str) -> str:
    """Text of the input as inline code that it cannot end: the fence is longer than any run of backticks in it."""
    longest = max((len(run) for run in _runs(text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{pad}{text or ' '}{pad}{fence}"


def _runs(text: str) -> Iterable[str]:
    return (run for run in "".join(letter if letter == "`" else " " for letter in text).split())


def cell(text: str) -> str:
    """Text for a table cell."""
    return text.replace("|", "\\|").replace("\n", " ")
