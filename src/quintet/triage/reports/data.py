"""The analysis as plain data, under the published keys (docs/triage.schema.json), and as the text of a JSON file."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from quintet.triage.model import Analysis, Cause, Fact, Why
from quintet.triage.reports.words import View


def as_json(analysis: Analysis) -> str:
    """A JSON document. The same analysis gives the same bytes."""
    return written(as_data(analysis))


def written(data: object) -> str:
    """Plain data as a JSON file, without what a build log would obey, should it be printed into one."""
    return json.dumps(data, ensure_ascii=False, indent=2).replace("##", "#\\u0023") + "\n"


def as_data(analysis: Analysis) -> dict[str, Any]:
    """Dictionaries, lists, strings and numbers only; ready for JSON."""
    belongs = {member: cause for cause in analysis.causes for member in cause.members}
    view = View.of(analysis)
    return {
        "totals": asdict(analysis.run.totals),
        "causes": [cause_data(view, cause) for cause in analysis.causes],
        "entries": [_entry(analysis, number, belongs.get(number)) for number in range(len(analysis.run.entries))],
        "plan": [asdict(step) for step in analysis.plan],
        "metrics": [asdict(metric) for metric in analysis.metrics],
        "unknown": list(analysis.unknown),
    }


def cause_data(view: View, cause: Cause) -> dict[str, Any]:
    """One cause."""
    return {
        "id": cause.id,
        "category": cause.category,
        "certainty": cause.certainty,
        "statement": cause.statement,
        "evidence": _evidence(cause.facts),
        "blocks": cause.blocks,
        "entries": list(cause.entries),
        "whys": [_why(view, why) for why in cause.whys],
        "fix": cause.fix,
        "verify": cause.verify,
        "counter": list(cause.counter),
        "owner": cause.owner,
        "downstream": cause.downstream,
    }


def _evidence(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    return [
        {"id": fact.id, "file": fact.source} | ({"line": fact.line} if fact.line else {}) | {"excerpt": fact.excerpt}
        for fact in facts
    ]


def _why(view: View, why: Why) -> dict[str, Any]:
    step: dict[str, Any] = {"statement": why.statement, "facts": _evidence(view.cited(why))}
    return step | {"assumed": True} if why.assumed else step


def _entry(analysis: Analysis, number: int, cause: Cause | None) -> dict[str, Any]:
    entry = analysis.run.entries[number]
    found: dict[str, Any] = {"name": entry.name, "outcome": entry.outcome, "phase": entry.phase}
    if cause:
        found |= {"category": cause.category, "cause": cause.id}
    return found
