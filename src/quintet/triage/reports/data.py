"""The analysis as plain data, under the published keys."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from quintet.triage.causes import evidence
from quintet.triage.model import Analysis, Cause, Fact, Why


def as_data(analysis: Analysis) -> dict[str, Any]:
    """Dictionaries, lists, strings and numbers only; ready for JSON."""
    facts = {fact.id: fact for fact in analysis.case.facts}
    belongs = {member: cause for cause in analysis.causes for member in cause.members}
    return {
        "totals": asdict(analysis.run.totals),
        "causes": [_cause(cause, facts) for cause in analysis.causes],
        "entries": [_entry(analysis, number, belongs.get(number)) for number in range(len(analysis.run.entries))],
        "plan": [asdict(step) for step in analysis.plan],
        "metrics": [asdict(metric) for metric in analysis.metrics],
        "unknown": list(analysis.unknown),
    }


def _cause(cause: Cause, facts: Mapping[str, Fact]) -> dict[str, Any]:
    return {
        "id": cause.id,
        "category": cause.category,
        "certainty": cause.certainty,
        "statement": cause.statement,
        "evidence": evidence(cause.facts),
        "blocks": cause.blocks,
        "entries": list(cause.entries),
        "whys": [_why(why, facts) for why in cause.whys],
        "fix": cause.fix,
        "verify": cause.verify,
    }


def _why(why: Why, facts: Mapping[str, Fact]) -> dict[str, Any]:
    step: dict[str, Any] = {
        "statement": why.statement,
        "facts": evidence([facts[name] for name in why.facts if name in facts]),
    }
    return step | {"assumed": True} if why.assumed else step


def _entry(analysis: Analysis, number: int, cause: Cause | None) -> dict[str, Any]:
    entry = analysis.run.entries[number]
    found: dict[str, Any] = {"name": entry.name, "outcome": entry.outcome, "phase": entry.phase}
    if cause:
        found |= {"category": cause.category, "cause": cause.id}
    return found
