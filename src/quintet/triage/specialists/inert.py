"""Markers that do nothing because the plugin that owns them is not loaded: pytest only warns, and the test runs without what it asked for.

Rules: only a marker that a known plugin owns counts; only failures of the file that pytest warns of, and only those that nothing else explains
and that say what the test itself expected; it is never more than a suspicion.
"""

import re
from collections.abc import Sequence

from quintet.triage.facts import of_kind
from quintet.triage.model import Case, Claim, Cluster, Fact
from quintet.triage.rules.modules import MARKERS

_UNKNOWN = re.compile(r"^(?P<file>\S{1,300}?)(?:::\S*|:\d+)? .{0,80}Unknown pytest\.mark\.(?P<marker>\w{1,60})")
_PLAIN = frozenset({"AssertionError", "Failed", ""})


def inert_markers(case: Case, taken: set[str], by: str) -> list[Claim]:
    """A claim for each such marker whose file has failures that are left."""
    told: dict[str, list[tuple[str, Fact]]] = {}
    for fact in of_kind(case.facts, "warning"):
        found = _UNKNOWN.match(fact.excerpt)
        if found and found["marker"] in MARKERS:
            told.setdefault(found["marker"], []).append((found["file"], fact))
    claims = []
    for marker, places in told.items():
        files = {file for file, _ in places}
        own = [one for one in case.clusters if one.id not in taken and _is_of(one, files)]
        taken |= {one.id for one in own}
        claims += [_claim(marker, [fact for _, fact in places], own, by)] if own else []
    return claims


def _is_of(one: Cluster, files: set[str]) -> bool:
    plain = one.exception.rpartition(".")[2] in _PLAIN and one.phase == "call" and not one.simulated
    return plain and all(name.partition("::")[0] in files for name in one.names)


def _claim(marker: str, warned: Sequence[Fact], own: Sequence[Cluster], by: str) -> Claim:
    facts = tuple(fact.id for fact in warned[:2])
    return Claim(
        "",
        by,
        "marker-inert",
        "dependencies",
        "suspect",
        f"The marker `{marker}` does nothing in this run: {MARKERS[marker]}, which owns it, is not loaded, and tests of the same file fail.",
        marker,
        tuple(one.id for one in own),
        (*facts, *(fact for one in own for fact in one.facts[:1])),
        because="pytest warns that it does not know the marker, and runs the test without what it asks for.",
        root=f"{MARKERS[marker]} is not installed in the interpreter that runs pytest (or it is switched off).",
        root_facts=facts,
        fix=f"Install {MARKERS[marker]} with the test requirements, and let unknown markers be errors (`strict_markers = true`, `--strict-markers`), "
        "so that this shows at once.",
        verify="pytest {test}",
    )
