"""How claims go to the one that they follow from."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from quintet.triage.judging.claims import clusters_of
from quintet.triage.model import Case, Claim, Cluster

Host = Callable[[Claim, Sequence[Cluster]], Claim | None]
"""Where a claim with these clusters goes, if anywhere."""


def moved(case: Case, claims: list[Claim], host: Host, counter: str = "") -> list[Claim]:
    """Every claim that has a host goes to it."""
    goes: dict[str, list[Claim]] = {}
    for claim in claims:
        found = host(claim, clusters_of(case, claim))
        if found is not None and found.id != claim.id:
            goes.setdefault(found.id, []).append(claim)
    gone = {claim.id for group in goes.values() for claim in group}
    # What moves is no host itself: a chain of moves is made step by step.
    stays = {claim.id for claim in claims if claim.id in goes and claim.id in gone}
    return [
        _with(case, claim, goes.get(claim.id, []) if claim.id not in stays else [], counter)
        for claim in claims
        if claim.id not in gone or claim.id in stays
    ]


def _with(case: Case, claim: Claim, more: Sequence[Claim], counter: str) -> Claim:
    if not more:
        return claim
    names = tuple(name for one in more for name in one.clusters)
    joined = replace(claim, clusters=(*claim.clusters, *names))
    number = sum(len(one.members) for one in clusters_of(case, joined) if one.id in set(names))
    return replace(
        joined,
        downstream=claim.downstream + number,
        certainty="probable" if counter and claim.certainty == "proven" else claim.certainty,
        counter=(*claim.counter, *((counter.format(number=number),) if counter else ())),
    )
