"""Names of events that differ in their spelling only: what a test waits for, and what came instead.

Rules: both names stand in the words of one failure, and these (or the test's line, where a name is looked for among others) are about
events; equal but for case and separators is the only likeness that counts; a comparison of two texts is no matter of names.
"""

import re
from collections.abc import Sequence

from quintet.triage.model import Claim, Cluster

_LONG_ENOUGH = 6
_QUOTED = re.compile(r"['\"]([A-Za-z][\w.:/-]{4,60})['\"]")
_ABOUT_EVENTS = re.compile(
    r"(?i)\b(?:events?|messages?|frames?|received|seen|got|came|timeline|transcript|notifications?)\b|['\"](?:agent|tool)[_.]?\w"
)
_AMONG = re.compile(r"\bin [\[{(]")
_SAYS_EVENT = re.compile(r"(?i)\b(?:events?|messages?|frames?|received|notifications?|timeline|transcript)\b")


def spelling_of(one: Cluster) -> tuple[str, str] | None:
    """The first two names of the failure that are one name in two spellings."""
    if one.simulated or one.exception.rpartition(".")[2] not in ("AssertionError", "Failed", "TimeoutError"):
        return None
    among = _AMONG.search(one.message) and _ABOUT_EVENTS.search(one.home_code)
    if not among and not _ABOUT_EVENTS.search(one.message):
        return None
    seen: dict[str, str] = {}
    for name in _QUOTED.findall(one.message):
        plain = re.sub(r"[^a-z0-9]", "", name.lower())
        if len(plain) >= _LONG_ENOUGH and seen.setdefault(plain, name) != name:
            return seen[plain], name
    return None


def spellings(by: str, clusters: Sequence[Cluster]) -> list[Claim]:
    """One claim for each pair of names."""
    groups: dict[tuple[str, str], list[Cluster]] = {}
    for one in clusters:
        if found := spelling_of(one):
            groups.setdefault(found, []).append(one)
    return [_claim(f"{by}:name-{number}", by, *names, group) for number, (names, group) in enumerate(groups.items(), 1)]


def _claim(identity: str, by: str, wanted: str, came: str, group: Sequence[Cluster]) -> Claim:
    place = next((one.where for one in group if one.where and "`" not in one.where), "")
    return Claim(
        identity,
        by,
        "event-name",
        "websocket",
        "probable" if all(_SAYS_EVENT.search(one.message) for one in group) else "suspect",
        f"One event has two names: `{wanted}` and `{came}` are the same but for their spelling.",
        f"{wanted}, {came}",
        tuple(one.id for one in group),
        tuple(dict.fromkeys(fact for one in group for fact in one.facts[:3])),
        because="Both names stand in the failure itself: the one that is looked for, and the one that came.",
        root="One side was renamed, or writes the name by another convention (dots, underscores, case).",
        fix="Give the event one name in one place that both sides import, and use it in the test and where it is sent."
        + (f" Begin at `{place}`." if place else ""),
        verify="pytest {test}",
    )
