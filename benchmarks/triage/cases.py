"""A folder of runs whose causes are known: each folder holds a report and a `case.json` that says what was truly wrong."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Known", "Label", "cases_in"]

_NUMBERS = ("tests", "failures", "errors", "skipped", "passed")


@dataclass(frozen=True, slots=True)
class Label:
    """One true cause. `accepted` are all categories that are fair names for it, the best one first."""

    accepted: tuple[str, ...]
    evidence: str
    blocks: int
    bundle: bool = False
    statement: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """One run. `totals` are the report's own numbers, only those that it gives; `wanted` are words of the next fix, if told."""

    name: str
    files: tuple[Path, ...]
    labels: tuple[Label, ...]
    totals: dict[str, int] = field(default_factory=dict)
    never: frozenset[str] = frozenset()
    unlabelled: int = 0


def cases_in(folder: Path) -> list[Known]:
    """All cases under the folder, by name. Raises `OSError` or `ValueError` when one cannot be read."""
    return [_known(path) for path in sorted(folder.glob("*/case.json"))]


def _known(path: Path) -> Known:
    data = json.loads(path.read_text(encoding="utf-8"))
    files = data.get("files") or [data["file"]]
    return Known(
        path.parent.name,
        tuple(path.parent / name for name in files),
        tuple(_label(one) for one in data["causes"]),
        {name: data["totals"][name] for name in _NUMBERS if name in data["totals"]},
        frozenset(data.get("must_not_claim", ())),
        data.get("unlabelled", 0),
    )


def _label(data: dict[str, Any]) -> Label:
    accepted = (data["category"], *data.get("also_accept", ()))
    return Label(
        accepted, data.get("evidence", ""), data["blocks"], data.get("bundle", False), data.get("statement", "")
    )
