"""From what is seen to what a person can change, in two to five steps.

Rules: every step names facts; a step that the report does not show says that it is assumed; a chain ends where the knowledge
ends, it is never filled up; the last step is something a person can change.
"""

from collections.abc import Mapping, Sequence

from quintet.triage.comparing.lookups import said_of
from quintet.triage.facts import ADDED
from quintet.triage.model import Case, Claim, Cluster, Fact, Why
from quintet.triage.normalise import shorten

STEPS_LIMIT = 5


def whys_of(case: Case, claim: Claim, clusters: Sequence[Cluster], facts: Mapping[str, Fact]) -> tuple[Why, ...]:
    """The chain of one claim."""
    del case
    own = _own(claim, clusters)
    biggest = max(own, key=lambda one: len(one.members))
    seen = _of_kinds(biggest, facts, "error") or biggest.facts[:1]
    steps = [Why(_symptom(clusters, biggest, own), seen)]
    first = _of_kinds(biggest, facts, "first error")
    if first and not claim.plain:
        steps.append(
            Why(f"It wraps an earlier one: `{_short(biggest.first_exception, biggest.first_message)}`.", first)
        )
    told = _of_kinds(biggest, facts, "logged")
    if told and not claim.plain:
        words = _short(biggest.first_exception, biggest.first_message)
        steps.append(Why(f"What was logged beside it says why: `{words}`.", told))
    aside = _of_kinds(biggest, facts, "beside")
    if aside and not claim.plain:
        steps.append(
            Why(f"Printed at that moment: `{_plain(shorten(biggest.beside, 140))}`.{said_of(biggest.beside)}", aside)
        )
    frames = _of_kinds(biggest, facts, "frame")
    if frames and biggest.where:
        when = "when that is logged" if biggest.logged else f"when it happens ({_when(biggest)})"
        steps.append(Why(f"The project's own code is at `{_plain(biggest.where)}` {when}.", frames))
    steps.append(Why(claim.because, (*first, *told, *seen)[:3]))
    if claim.root:
        backing = tuple(name for name in claim.root_facts if name in facts) or seen
        steps.append(Why(claim.root, backing[:3], assumed=True))
    return tuple(step for step in steps if step.statement and step.facts)[:STEPS_LIMIT]


def _own(claim: Claim, clusters: Sequence[Cluster]) -> list[Cluster]:
    """Without those that only follow, which stand behind the others in the claim."""
    place = {name: at for at, name in enumerate(claim.clusters)}
    ordered = sorted(clusters, key=lambda one: place.get(one.id, len(place)))
    left = _size(ordered) - claim.downstream
    own: list[Cluster] = []
    for one in ordered:
        if own and _size(own) >= left:
            break
        own.append(one)
    return own


def _size(clusters: Sequence[Cluster]) -> int:
    return sum(len(one.members) for one in clusters)


def _symptom(clusters: Sequence[Cluster], biggest: Cluster, own: Sequence[Cluster]) -> str:
    number, first = _size(clusters), _size(own)
    words = _short(biggest.exception, biggest.message)
    if number == 1:
        return f"1 entry ends with `{words}`."
    if first < number:
        return f"{number} entries fail: {first} of them with `{words}`, and the others only follow."
    most = "" if len(clusters) == 1 else f", {len(biggest.members)} of them"
    return f"{number} entries fail{most} with `{words}`."


def _short(exception: str, message: str) -> str:
    name = "" if exception in ADDED and message else exception.rpartition(".")[2]
    return _plain(shorten(f"{name}: {message}" if name and message else name or message, 140))


def _plain(text: str) -> str:
    return text.replace("`", "'")


def _when(one: Cluster) -> str:
    began = any("::" in name for name in one.names)
    return {
        "session": "when the run ended" if began else "before any test",
        "collect": "while the module is imported",
        "setup": "while a fixture is made",
        "call": "in the test itself",
        "teardown": "while a fixture is taken down",
    }[one.phase]


def _of_kinds(one: Cluster, facts: Mapping[str, Fact], *kinds: str) -> tuple[str, ...]:
    found: dict[tuple[str, int], str] = {}
    for name in one.facts:
        if name in facts and facts[name].kind in kinds:
            found.setdefault((facts[name].source, facts[name].line), name)
    return tuple(found.values())[:2]
