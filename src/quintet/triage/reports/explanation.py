"""Everything that is known about one claim, as Markdown: evidence, whys, what speaks against it, tests, who claimed and who doubted.

It is found by the id of a cause (`cause-2`, `2`), of a claim (`auth-integration:1`), of a fact (`F12`) or by the name of a failing test.
"""

from collections.abc import Iterable, Iterator, Sequence

from quintet.triage.model import Analysis, Cause, Certainty, Challenge, Claim, Fact
from quintet.triage.normalise import shorten
from quintet.triage.reports.markdown import code, prose
from quintet.triage.reports.words import TITLES, View, affected, disarmed, entries, many, place

TESTS_SHOWN = 300
_CLAIMS_SHOWN, _FACTS_SHOWN = 20, 40
MEANING: dict[Certainty, str] = {
    "proven": "the run itself, or a probe of what it ran in, states it; no other reading fits",
    "probable": "the exception's class and the frame that raised it confirm what the message says; nothing was tried out",
    "suspect": "only the words of the report speak for it",
    "unknown": "no rule fits; the entries are shown as they are",
}


def explanation(analysis: Analysis, wanted: str) -> str | None:
    """All about what `wanted` names, or None where nothing of this run has that id or name."""
    wanted = wanted.strip()
    made = _of_cause(analysis, wanted) or _of_claim(analysis, wanted) or _of_fact(analysis, wanted) or ""
    made = made or _of_test(analysis, wanted)
    return disarmed(made) if made else None


def cause_named(analysis: Analysis, wanted: str) -> tuple[int, Cause] | None:
    """The cause of this id or number, with its number."""
    number = wanted.lower().removeprefix("cause").lstrip("- #")
    found = {str(at): (at, cause) for at, cause in enumerate(analysis.causes, 1)}
    return found.get(number)


def _of_cause(analysis: Analysis, wanted: str) -> str:
    found = cause_named(analysis, wanted)
    return "\n\n".join(_whole(analysis, *found)) + "\n" if found else ""


def _whole(analysis: Analysis, number: int, cause: Cause) -> Iterator[str]:
    yield f"# {number}. {prose(cause.statement)}"
    yield certainty_of(cause)
    yield evidence_of(analysis, cause)
    yield whys_of(analysis, cause)
    yield "## Against it\n\n" + counter_of(analysis, cause)
    yield "## Who claimed, who doubted\n\n" + voices(analysis, cause)
    yield "## Affected\n\n" + tests_of(cause)
    yield f"## Fix\n\n{prose(cause.fix)}" + (f"\n\nCheck: {code(cause.verify)}" if cause.verify else "")


def certainty_of(cause: Cause) -> str:
    """Kind, certainty and what that certainty means here."""
    follows = f", {cause.downstream} of them only follow" if cause.downstream else ""
    return (
        f"**{TITLES[cause.category]}** · **{cause.certainty}** · {entries(cause.blocks)}{follows} · {cause.owner} · id {code(cause.id)}\n\n"
        f"{cause.certainty.capitalize()} means: {MEANING[cause.certainty]}."
    )


def evidence_of(analysis: Analysis, cause: Cause) -> str:
    """Every fact that the cause rests on."""
    view = View.of(analysis)
    return "## Evidence\n\n" + ("\n".join(_facts(view, cause.facts)) or "There is none.")


def _facts(view: View, facts: Sequence[Fact]) -> Iterator[str]:
    yield from (
        f"- **{fact.id}** {place(fact, view.run)}: {code(shorten(fact.excerpt, 400))}" for fact in facts[:_FACTS_SHOWN]
    )


def whys_of(analysis: Analysis, cause: Cause) -> str:
    """The chain from symptom to what a person can change, each step with the words that it rests on."""
    view, lines = View.of(analysis), ["## Why", ""]
    shown = {fact.id for fact in cause.facts[:_FACTS_SHOWN]}
    for step, why in enumerate(cause.whys, 1):
        cited = [f"[{fact.id}](#{fact.id})" if fact.id in shown else fact.id for fact in view.cited(why)[:4]]
        assumed = " **Assumed**: the report does not show this step." if why.assumed else ""
        lines.append(f"{step}. {prose(why.statement)} ({', '.join(cited)}){assumed}")
    return "\n".join(lines) if cause.whys else "## Why\n\nNothing in the report tells."


def counter_of(analysis: Analysis, cause: Cause) -> str:
    """What speaks against it."""
    said = [*cause.counter, *(one.statement for _, one in _challenges(analysis, cause))]
    lines = [f"- {prose(words)}" for words in dict.fromkeys(said)]
    return "\n".join(lines) or "Nothing in this run speaks against it."


def voices(analysis: Analysis, cause: Cause) -> str:
    """Who said what about the entries of a cause."""
    lines = [
        f"- {code(claim.id)} claims by rule {code(claim.rule)}: {prose(claim.statement)} ({claim.certainty})"
        for claim in _claims(analysis, cause)
    ]
    lines += [
        f"- {one.by} challenges {code(claim.id)}: {prose(one.statement)}" for claim, one in _challenges(analysis, cause)
    ]
    return "\n".join(lines[:_CLAIMS_SHOWN]) or f"- {cause.owner} says so; nobody doubted it."


def tests_of(cause: Cause) -> str:
    """The failing entries of a cause by name."""
    names = affected(cause)
    lines = [f"- {code(shorten(name, 300))}" for name in names[:TESTS_SHOWN]]
    rest = len(names) - TESTS_SHOWN
    return (
        "\n".join([*lines, *([f"- and {rest:,} more"] if rest > 0 else [])]) or "No entry of this run is blocked by it."
    )


def _claims(analysis: Analysis, cause: Cause) -> list[Claim]:
    """The claims about any of the cause's entries, also those that did not stand."""
    members = set(cause.members)
    clusters = {one.id for one in analysis.case.clusters if members.intersection(one.members)}
    return [claim for claim in analysis.findings.claims if clusters.intersection(claim.clusters)]


def _challenges(analysis: Analysis, cause: Cause) -> Iterable[tuple[Claim, Challenge]]:
    for claim in _claims(analysis, cause):
        yield from ((claim, one) for one in analysis.findings.challenges if one.claim == claim.id)


def _of_claim(analysis: Analysis, wanted: str) -> str:
    claim = next((one for one in analysis.findings.claims if one.id == wanted), None)
    if claim is None:
        return ""
    view = View.of(analysis)
    clusters = {name: one for one in analysis.case.clusters for name in [one.id]}
    members = {member for name in claim.clusters if name in clusters for member in clusters[name].members}
    became = [cause.id for cause in analysis.causes if members.intersection(cause.members)]
    facts = [view.facts[name] for name in claim.facts if name in view.facts]
    doubts = [f"- {one.by}: {prose(one.statement)}" for one in analysis.findings.challenges if one.claim == claim.id]
    parts = [
        f"# {prose(claim.statement)}",
        f"**{TITLES[claim.category]}** · **{claim.certainty}** · claimed by {claim.by} by rule {code(claim.rule)}",
        "## Evidence\n\n" + "\n".join(_facts(view, facts)),
        "## Challenged by\n\n" + ("\n".join(doubts) or "Nobody."),
        f"## What became of it\n\nIts entries are told under {', '.join(became) or 'no cause'}.",
    ]
    return "\n\n".join(parts) + "\n"


def _of_fact(analysis: Analysis, wanted: str) -> str:
    fact = next((one for one in analysis.case.facts if one.id.lower() == wanted.lower()), None)
    if fact is None:
        return ""
    used = [cause.id for cause in analysis.causes if any(one.id == fact.id for one in cause.facts)]
    where = f"{fact.source}, line {fact.line}" if fact.line else fact.source
    lines = [
        f"# {fact.id}",
        f"{fact.kind} · {code(where)}",
        code(fact.excerpt),
        f"Cited by {', '.join(used) or 'no cause'}.",
    ]
    return "\n\n".join(lines) + "\n"


def _of_test(analysis: Analysis, wanted: str) -> str:
    hits = [at for at, entry in enumerate(analysis.run.entries) if wanted and _is_named(entry.name, wanted)]
    causes = [(number, cause) for number, cause in enumerate(analysis.causes, 1) if set(hits) & set(cause.members)]
    if not causes:
        return ""
    lines = [
        f"- cause {number} ({cause.certainty}): {prose(cause.statement)}" for number, cause in causes[:_CLAIMS_SHOWN]
    ]
    return (
        "\n\n".join([f"# {code(wanted)}", many(len(hits), "failing entry", "failing entries"), "\n".join(lines)]) + "\n"
    )


def _is_named(name: str, wanted: str) -> bool:
    return name == wanted or name.rpartition("::")[2].partition("[")[0] == wanted
