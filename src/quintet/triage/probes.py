"""What could be tried out before a claim is called proven, and what the answer changes. Pure: others do the trying.

Rules: a probe is asked for by its kind and a subject of a narrow form, never by a command that was read; an answer is a fact like any
other; it lifts a claim by one step where it confirms, lowers it where it contradicts, and adds or removes no entry.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from quintet.triage.judging.plan import metrics_of, plan_of, unknown_of
from quintet.triage.model import Analysis, Category, Cause, Certainty, Fact, Why

Kind = Literal["variable", "port", "host", "module"]
PROBES = 12
_PER_CAUSE = 4
HIGHER: dict[Certainty, Certainty] = {"suspect": "probable", "probable": "proven"}
_LOWER: dict[Certainty, Certainty] = {"proven": "suspect", "probable": "suspect"}
_FORMS: dict[Kind, re.Pattern[str]] = {
    "variable": re.compile(r"[A-Z][A-Z0-9_]{2,80}"),
    "port": re.compile(r"(?:localhost|127\.0\.0\.\d{1,3}|::1):\d{1,5}"),  # nobody's log may send us to another machine
    "host": re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}"),  # a name without a dot is asked of the local resolver only
    "module": re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,80}"),
}
_OF_RULE: dict[str, Kind] = {"missing-package": "module", "host-unknown": "host"}
_OF_CATEGORY: dict[Category, Kind] = {
    "environment": "variable",
    "services": "port",
    "database": "port",
    "websocket": "port",
}


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing to try out for a cause."""

    cause: str
    kind: Kind
    subject: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was seen. `confirms` is None where the probe could tell nothing."""

    probe: Probe
    confirms: bool | None
    words: str


def probes_of(analysis: Analysis) -> tuple[Probe, ...]:
    """What is worth trying, the most important cause first, at most twelve."""
    wanted = [probe for cause in analysis.causes for probe in _of(cause)]
    return tuple(wanted[:PROBES])


def _of(cause: Cause) -> Iterable[Probe]:
    kind = _OF_RULE.get(cause.rule) or _OF_CATEGORY.get(cause.category)
    if kind is None or cause.plain:
        return []
    subjects = re.split(r", | and ", cause.subject.replace("'", ""))
    fitting = [subject for subject in subjects if _FORMS[kind].fullmatch(subject)]
    return [Probe(cause.id, kind, subject) for subject in fitting[:_PER_CAUSE]]


def probed(analysis: Analysis, answers: Sequence[Answer]) -> Analysis:
    """The analysis with what the probes saw. A cause about several subjects is confirmed where all its probes confirm."""
    told = [answer for answer in answers if answer.confirms is not None]
    facts = {number: Fact(f"P{number + 1}", "probe", "probe", 0, answer.words) for number, answer in enumerate(told)}
    causes = tuple(
        _changed(cause, [(answer, facts[at]) for at, answer in enumerate(told) if answer.probe.cause == cause.id])
        for cause in analysis.causes
    )
    return with_causes(analysis, causes, tuple(facts.values()))


def with_causes(analysis: Analysis, causes: tuple[Cause, ...], facts: tuple[Fact, ...]) -> Analysis:
    """The analysis with other causes: plan, metrics and what is unknown follow from them."""
    run = analysis.run
    case = replace(analysis.case, facts=analysis.case.facts + facts)
    unknown = unknown_of(run, causes, analysis.dropped)
    return replace(
        analysis, case=case, causes=causes, plan=plan_of(causes), metrics=metrics_of(run, causes), unknown=unknown
    )


def _changed(cause: Cause, seen: Sequence[tuple[Answer, Fact]]) -> Cause:
    if not seen:
        return cause
    facts = tuple(fact for _, fact in seen)
    against = [answer.words for answer, _ in seen if not answer.confirms]
    if against:
        counter = (*cause.counter, *(f"A probe speaks against it: {words}" for words in against))
        return replace(
            cause, certainty=_LOWER.get(cause.certainty, cause.certainty), facts=(*facts, *cause.facts), counter=counter
        )
    why = Why("A probe of what the tests ran in shows the same.", tuple(fact.id for fact in facts))
    # The run's own interpreter says what the run said: there is nothing left to suspect.
    certain = all(answer.probe.kind == "module" for answer, _ in seen)
    certainty = "proven" if certain else HIGHER.get(cause.certainty, cause.certainty)
    counter = tuple(words for words in cause.counter if not words.startswith("Only the words"))
    shown = (*cause.facts[:1], *facts, *cause.facts[1:])
    whys = _with(cause.whys, why)
    return replace(cause, certainty=certainty, facts=shown, whys=whys, counter=counter)


def _with(whys: tuple[Why, ...], why: Why) -> tuple[Why, ...]:
    """Before the last step, which is what a person can change; the chain stays within five."""
    kept = whys if len(whys) < 5 else (*whys[:3], whys[-1])
    return (*kept[:-1], why, *kept[-1:])
