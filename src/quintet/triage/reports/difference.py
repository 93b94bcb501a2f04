"""What has changed between two runs: causes and entries that are fixed, new, or the same.

Rules: entries are compared by name and phase; two causes are the same where they say the same of the same kind but for numbers, or,
failing that, where they are of one category and at least half of the smaller one's tests are the other's; an entry whose
test the second run did not reach is told as not reached, never as fixed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from quintet.triage.model import Analysis, Cause, Entry
from quintet.triage.normalise import shorten
from quintet.triage.reports.markdown import code, prose
from quintet.triage.reports.words import TITLES, disarmed, entries, many, numbers

NAMES_SHOWN = 20
_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Difference:
    """`same` holds pairs of the earlier and the later cause; entries are told by name."""

    before: Analysis
    after: Analysis
    fixed: tuple[Cause, ...]
    new: tuple[Cause, ...]
    same: tuple[tuple[Cause, Cause], ...]
    fixed_entries: tuple[str, ...]
    new_entries: tuple[str, ...]
    same_entries: tuple[str, ...]
    unreached: tuple[str, ...]

    @property
    def worse(self) -> bool:
        """True where the later run has a cause or a failing entry that the earlier one had not."""
        return bool(self.new or self.new_entries)


def compare(before: Analysis, after: Analysis) -> Difference:
    """The later run measured against the earlier one."""
    same = _paired(before.causes, after.causes)
    kept, found = {one.id for one, _ in same}, {other.id for _, other in same}
    earlier, later = _named(before), _named(after)
    gone = [name for name in earlier if name not in later]
    blind = _blind(after)
    return Difference(
        before,
        after,
        tuple(cause for cause in before.causes if cause.id not in kept),
        tuple(cause for cause in after.causes if cause.id not in found),
        tuple(same),
        tuple(name for name in gone if not _hidden(name, blind)),
        tuple(name for name in later if name not in earlier),
        tuple(name for name in later if name in earlier),
        tuple(name for name in gone if _hidden(name, blind)),
    )


def _named(analysis: Analysis) -> dict[str, Entry]:
    return {f"{entry.name} ({entry.phase})": entry for entry in analysis.run.entries}


def _blind(after: Analysis) -> set[str]:
    """Modules that the later run could not import, or everything where it ended before its tests."""
    early = [entry for entry in after.run.entries if entry.phase in ("collect", "session")]
    return {"" if entry.phase == "session" else entry.name.partition("::")[0] for entry in early}


def _hidden(name: str, blind: set[str]) -> bool:
    return "" in blind or name.partition("::")[0].partition(" (")[0] in blind


def _paired(before: Sequence[Cause], after: Sequence[Cause]) -> list[tuple[Cause, Cause]]:
    pairs: list[tuple[Cause, Cause]] = []
    for alike in (_says_the_same, _blocks_the_same):
        for cause in before:
            if any(cause is one for one, _ in pairs):
                continue
            left = [other for other in after if not any(other is taken for _, taken in pairs)]
            match = next((other for other in left if alike(cause, other)), None)
            if match:
                pairs.append((cause, match))
    return sorted(pairs, key=lambda pair: after.index(pair[1]))


def _says_the_same(one: Cause, other: Cause) -> bool:
    words = [_NUMBERS.sub("0", cause.statement) for cause in (one, other)]
    return one.category == other.category and words[0] == words[1]


def _blocks_the_same(one: Cause, other: Cause) -> bool:
    a, b = set(one.entries), set(other.entries)
    return one.category == other.category and bool(a and b) and 2 * len(a & b) >= min(len(a), len(b))


def difference_markdown(told: Difference) -> str:
    """The difference as Markdown."""
    causes = f"{len(told.fixed)} fixed, {len(told.new)} new, {len(told.same)} the same"
    failing = f"{len(told.fixed_entries)} fixed, {len(told.new_entries)} new, {len(told.same_entries)} the same"
    head = [
        "# What has changed",
        f"Before: {numbers(told.before.run)}  \nNow: {numbers(told.after.run)}",
        f"Causes: **{causes}**  \nFailing entries: **{failing}**"
        + (f", {len(told.unreached)} not reached" if told.unreached else ""),
    ]
    parts = [
        *head,
        _causes("Fixed", [(cause, "") for cause in told.fixed]),
        _causes("New", [(cause, "") for cause in told.new]),
        _causes("The same", [(now, _moved(was, now)) for was, now in told.same]),
        _names("New failing entries", told.new_entries),
        _names("Fixed entries", told.fixed_entries),
        _names("Not reached: their module or the whole run failed before them", told.unreached),
    ]
    return disarmed("\n\n".join(part for part in parts if part) + "\n")


def _moved(was: Cause, now: Cause) -> str:
    return "" if was.blocks == now.blocks else f", {was.blocks} before"


def _causes(title: str, causes: Sequence[tuple[Cause, str]]) -> str:
    lines = [
        f"- **{TITLES[cause.category]}** ({cause.certainty}, {entries(cause.blocks)}{more}): {prose(cause.statement)}"
        for cause, more in causes[:NAMES_SHOWN]
    ]
    rest = len(causes) - NAMES_SHOWN
    lines += [f"- and {many(rest, 'more cause', 'more causes')}"] if rest > 0 else []
    return f"## {title}\n\n" + "\n".join(lines) if lines else ""


def _names(title: str, names: Sequence[str]) -> str:
    lines = [f"- {code(shorten(name, 200))}" for name in names[:NAMES_SHOWN]]
    rest = len(names) - NAMES_SHOWN
    lines += [f"- and {rest:,} more"] if rest > 0 else []
    return f"## {title}\n\n" + "\n".join(lines) if lines else ""


def difference_data(told: Difference) -> dict[str, Any]:
    """The difference as plain data."""

    def short(cause: Cause) -> dict[str, Any]:
        return {
            "id": cause.id,
            "category": cause.category,
            "certainty": cause.certainty,
            "statement": cause.statement,
            "blocks": cause.blocks,
        }

    return {
        "causes": {
            "fixed": [short(cause) for cause in told.fixed],
            "new": [short(cause) for cause in told.new],
            "same": [{"before": short(was), "now": short(now)} for was, now in told.same],
        },
        "entries": {
            "fixed": list(told.fixed_entries),
            "new": list(told.new_entries),
            "same": list(told.same_entries),
            "not_reached": list(told.unreached),
        },
    }
