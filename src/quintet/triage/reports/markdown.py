"""The report as Markdown, as the chat shows it.

Rules: never more than 32 KiB of UTF-8; what does not fit is counted, not silently dropped; words of the input stand in code or are
escaped, so they can neither format nor link anything; a claim links to its evidence as `[line 34](#F12)`.
"""

import re
from collections.abc import Iterable, Sequence

from quintet.triage.model import Analysis, Cause, Fact, Run, Why
from quintet.triage.normalise import shorten
from quintet.triage.reports.words import (
    KINDS,
    NOTHING,
    TITLES,
    View,
    affected,
    disarmed,
    effort,
    entries,
    many,
    packages,
    place,
    spans,
    summary,
)

SIZE_LIMIT = 32 * 1024
_ENTRIES_SHOWN = 6
EVIDENCE_SHOWN = 4
STEPS_SHOWN = 12
_UNKNOWN_SHOWN = 10
_MARKUP = re.compile(r"[\\*<\[~`]|(?<![^\W_])_|_(?![^\W_])|^[#>+=|-]")


def markdown(analysis: Analysis) -> str:
    """The whole report."""
    return "".join(sections(analysis))


def sections(analysis: Analysis) -> list[str]:
    """The report in pieces, one per section, to be shown one after another. Joined they are the report."""
    if analysis.run.kind == "nothing" and not analysis.causes:
        return [WHAT_TO_PASTE]
    head = [_header(analysis), _summary(analysis)]
    tail = [piece for piece in (plan(analysis), _packages(analysis), _metrics(analysis), _unknown(analysis)) if piece]
    room = SIZE_LIMIT - sum(map(_size, [*head, *tail])) - 200
    return [disarmed(piece) for piece in _bounded([*head, *_causes(analysis, room), *tail])]


WHAT_TO_PASTE = f"""# {NOTHING}

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
    read = f"Read as {KINDS[run.kind]}." if run.kind in KINDS else "Examined without a run."
    lines = [f"# Failure analysis\n\n{read}"]
    lines += [
        code(shorten(line.text, 160)) for line in run.header if line.kind in ("platform", "configfile", "asyncio")
    ][:3]
    return "  \n".join(lines) + "\n\n"


def _summary(analysis: Analysis) -> str:
    lines = [f"**{lead}** {prose(rest)}" if lead else prose(rest) for lead, rest in summary(analysis)]
    return "## Summary\n\n" + "".join(f"{number}. {line}\n" for number, line in enumerate(lines, 1)) + "\n"


def _causes(analysis: Analysis, room: int) -> list[str]:
    if not analysis.causes:
        return []
    pieces, used, view = ["## Causes\n\n"], 0, View.of(analysis)
    for number, cause in enumerate(analysis.causes, 1):
        piece = cause_section(view, number, cause)
        left = analysis.causes[number - 1 :]
        if used + _size(piece) > room:
            behind = entries(sum(one.blocks for one in left))
            pieces.append(f"{many(len(left), 'more cause', 'more causes')} ({behind}) did not fit here.\n\n")
            break
        pieces.append(piece)
        used += _size(piece)
    return pieces


def cause_section(
    view: View, number: int, cause: Cause, shown: int = _ENTRIES_SHOWN, evidence: int = EVIDENCE_SHOWN
) -> str:
    """All about one cause, with so many of its entries and facts."""
    follows = f", {cause.downstream} of them only follow" if cause.downstream else ""
    facts = cause.facts[:evidence]
    linked = frozenset(fact.id for fact in facts)
    names = [code(shorten(name, 160)) for name in affected(cause)]
    lines = [
        f"### {number}. {prose(cause.statement)}\n",
        f"**{TITLES[cause.category]}** · {cause.certainty} · {entries(cause.blocks)}{follows} · {cause.owner}\n",
        *(["**Evidence**\n"] if facts else []),
        *(f"- **{fact.id}** {place(fact, view.run)}: {code(shorten(fact.excerpt, 300))}" for fact in facts),
        *(["\n**Affected**\n", *_some(names, shown)] if names else []),
        *(["\n**Why**\n"] if cause.whys else []),
        *(f"{step}. {_why(view, why, linked)}" for step, why in enumerate(cause.whys, 1)),
        *([f"\n**Against it**: {prose(' '.join(cause.counter))}"] if cause.counter else []),
        f"\n**Fix**: {prose(cause.fix)}",
        *([f"\n**Check**: {code(cause.verify)}\n"] if cause.verify else [""]),
    ]
    return "\n".join(lines) + "\n"


def _why(view: View, why: Why, linked: frozenset[str]) -> str:
    cited = [_cited(fact, view.run, linked) for fact in view.cited(why)[:3]]
    rests = ", ".join(dict.fromkeys(cited))
    return f"{prose(why.statement)} {'(assumed; rests on ' if why.assumed else '('}{rests})"


def _cited(fact: Fact, run: Run, linked: frozenset[str]) -> str:
    words = escaped(place(fact, run))
    return f"[{words}](#{fact.id})" if fact.id in linked else words


def _some(names: Sequence[str], shown: int) -> Iterable[str]:
    yield from (f"- {name}" for name in names[:shown])
    if len(names) > shown:
        yield f"- and {len(names) - shown:,} more"


def plan(analysis: Analysis, shown: int = STEPS_SHOWN) -> str:
    """What to do, in order."""
    if not analysis.plan:
        return ""
    lines = ["## Plan\n", "| | Do | Unblocks | Effort | Check |", "|---|---|---|---|---|"]
    for number, step in enumerate(analysis.plan[:shown], 1):
        check = cell(code(shorten(step.verify, 160))) if step.verify else ""
        lines.append(f"| {number} | {cell(prose(step.action))} | {step.unblocks} | {effort(step.effort)} | {check} |")
    rest = len(analysis.plan) - shown
    more = f"\n\n{many(rest, 'smaller step', 'smaller steps')} not shown." if rest > 0 else ""
    return "\n".join(lines) + more + "\n\n"


def _packages(analysis: Analysis) -> str:
    lines = [f"- **{owner}**: cause {which} ({entries(blocks)})" for owner, which, blocks in packages(analysis)]
    return "\n".join(["## Who takes what\n", *lines]) + "\n\n" if lines else ""


def _metrics(analysis: Analysis) -> str:
    lines = [
        f"- {metric.name}: {metric.now} now, {metric.goal} wanted ({code(metric.command)})"
        for metric in analysis.metrics
    ]
    return "\n".join(["## Done when\n", *lines]) + "\n\n" if lines else ""


def _unknown(analysis: Analysis) -> str:
    if not analysis.unknown:
        return ""
    shown = [f"- {prose(shorten(sentence, 400))}" for sentence in analysis.unknown[:_UNKNOWN_SHOWN]]
    rest = len(analysis.unknown) - len(shown)
    return "\n".join(["## What is not known\n", *shown, *([f"- and {rest} more"] if rest > 0 else [])]) + "\n"


def prose(sentence: str) -> str:
    """A sentence whose code stays code and whose other words mean nothing to Markdown."""
    return "".join(code(words) if is_code else escaped(words) for words, is_code in spans(sentence))


def escaped(words: str) -> str:
    """Words without any meaning to Markdown."""
    return _MARKUP.sub(r"\\\g<0>", words)


def code(text: str) -> str:
    """Text of the input as inline code that it cannot end: the fence is longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{pad}{text or ' '}{pad}{fence}"


def cell(text: str) -> str:
    """Text for a table cell."""
    return text.replace("|", "\\|").replace("\n", " ")
