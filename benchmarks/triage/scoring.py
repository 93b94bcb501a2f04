"""What the analysis said, compared with what is known.

An entry belongs to the label whose evidence stands in its own text; the others are shared out so that as many as possible
are right, since a label tells only how many. A cause is a label's when its category fits and it shows the evidence, or
holds most of the entries that show it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.triage.cases import Known, Label

__all__ = ["Score", "score"]


@dataclass(frozen=True, slots=True)
class Score:
    """One case. `first` and `third` are None where nothing was to be found."""

    name: str
    labelled: int
    right: int
    labels: int
    found: int
    first: bool | None
    third: bool | None
    false_proven: tuple[str, ...]
    forbidden: tuple[str, ...]
    totals: tuple[str, ...]
    wrong: tuple[str, ...]


def score(known: Known, data: Mapping[str, Any], texts: Sequence[str]) -> Score:
    """`data` is the analysis as JSON, `texts` is the own text of every entry, in its order."""
    entries, causes = data["entries"], data["causes"]
    shown = _shown(known.labels, texts)
    owner = _shared_out(known, entries, shown)
    right = {at for at, label in owner.items() if _fits(known.labels[label], entries[at])}
    members = _members(data)
    hits = [
        [_is(cause, label, shown[number], members[cause["id"]]) for cause in causes]
        for number, label in enumerate(known.labels)
    ]
    labelled = min(sum(label.blocks for label in known.labels), len(entries)) or 0
    return Score(
        known.name,
        labelled,
        min(len(right), labelled),
        len(known.labels),
        sum(any(row) for row in hits),
        hits[0][0] if hits and hits[0] else (False if hits else None),
        any(hits[0][:3]) if hits else None,
        tuple(
            _false(known, cause, [row[at] for row in hits])
            for at, cause in enumerate(causes)
            if _is_false(cause, [row[at] for row in hits])
        ),
        tuple(f"{cause['category']}: {cause['statement']}" for cause in causes if cause["category"] in known.never),
        tuple(
            f"{name}: {data['totals'][name]}, not {number}"
            for name, number in known.totals.items()
            if data["totals"][name] != number
        ),
        tuple(_wrong(known, entries, owner, right)),
    )


def _shown(labels: Sequence[Label], texts: Sequence[str]) -> list[set[int]]:
    """The entries that show each label's evidence."""
    flat = [" ".join(text.split()) for text in texts]
    found = []
    for label in labels:
        words = " ".join(label.evidence.split())[:200]
        found.append({at for at, text in enumerate(flat) if words and words in text})
    return found


def _fits(label: Label, entry: Mapping[str, Any]) -> bool:
    return entry.get("category") in label.accepted


def _shared_out(known: Known, entries: Sequence[Mapping[str, Any]], shown: Sequence[set[int]]) -> dict[int, int]:
    """Which label each entry belongs to: a matching with as many right ones as the labels' sizes allow."""
    owner: dict[int, int] = {}
    left = [label.blocks for label in known.labels]
    for number, label in enumerate(known.labels):
        for at in sorted(shown[number], key=lambda at: not _fits(label, entries[at])):
            if left[number] and at not in owner and not label.bundle:
                owner[at], left[number] = number, left[number] - 1
    holders: list[list[int]] = [[] for _ in known.labels]
    for at, entry in enumerate(entries):
        if at not in owner:
            _place(at, entry, known.labels, entries, left, holders, set())
    for number, ats in enumerate(holders):
        owner |= dict.fromkeys(ats, number)
    return owner


def _place(
    at: int,
    entry: Mapping[str, Any],
    labels: Sequence[Label],
    entries: Sequence[Mapping[str, Any]],
    left: list[int],
    holders: list[list[int]],
    tried: set[int],
) -> bool:
    """Kuhn's step: find a place for the entry, moving others if they have another one."""
    for number, label in enumerate(labels):
        if number in tried or not _fits(label, entry):
            continue
        tried.add(number)
        if len(holders[number]) < left[number]:
            holders[number].append(at)
            return True
        for other in list(holders[number][:1]):
            if _place(other, entries[other], labels, entries, left, holders, tried):
                holders[number].remove(other)
                holders[number].append(at)
                return True
    return False


def _members(data: Mapping[str, Any]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {cause["id"]: set() for cause in data["causes"]}
    for at, entry in enumerate(data["entries"]):
        if entry.get("cause"):
            found[entry["cause"]].add(at)
    return found


def _is(cause: Mapping[str, Any], label: Label, shown: set[int], members: set[int]) -> bool:
    if cause["category"] not in label.accepted:
        return False
    words = " ".join(label.evidence.split())
    quoted = any(words in " ".join(str(fact["excerpt"]).split()) for fact in cause["evidence"])
    return quoted or bool(shown and len(shown & members) * 2 >= len(shown)) or label.bundle


def _is_false(cause: Mapping[str, Any], hits: Sequence[bool]) -> bool:
    return cause["certainty"] == "proven" and not any(hits)


def _false(known: Known, cause: Mapping[str, Any], hits: Sequence[bool]) -> str:
    del known, hits
    return f"{cause['category']}: {cause['statement']}"


def _wrong(known: Known, entries: Sequence[Mapping[str, Any]], owner: Mapping[int, int], right: set[int]) -> list[str]:
    said = []
    for at, entry in enumerate(entries):
        if at in right or (at not in owner and known.unlabelled):
            continue
        label = f", not {known.labels[owner[at]].accepted[0]}" if at in owner else ""
        said.append(f"{entry['name'][-90:]}: {entry.get('category')}{label}")
    return said
