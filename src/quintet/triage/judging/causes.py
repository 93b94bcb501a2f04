"""Claims are weighed and become causes.

Rules: a withdrawn claim is dropped and said to be; of two claims about the same entries the more certain wins, then the more
upstream one; entries that only follow fold under their cause; many small ones of a kind become one bundle at the end.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from quintet.triage.judging.claims import clusters_of
from quintet.triage.judging.commands import in_words_of, runner_of
from quintet.triage.judging.folding import folded
from quintet.triage.judging.whys import whys_of
from quintet.triage.model import Case, Category, Cause, Challenge, Claim, Cluster, Fact, Findings
from quintet.triage.signatures import SURENESS

# Upstream first: what must work before the next can.
UPSTREAM: tuple[Category, ...] = (
    "markers-config", "dependencies", "imports", "environment", "resources", "services", "database",
    "fixtures", "async", "auth", "websocket", "isolation", "drift", "assertion",
)  # fmt: skip
_FACTOR = {"proven": 1.0, "probable": 0.9, "suspect": 0.7, "unknown": 0.4}
_BUNDLE_FROM = 3
FACTS_SHOWN = 8
ENTRIES_SHOWN = 5_000


def weight(category: Category, certainty: str, blocks: int) -> float:
    """Tests blocked × certainty × how far upstream (1.0 to 1.4)."""
    upstream = 1.4 - 0.4 * UPSTREAM.index(category) / (len(UPSTREAM) - 1)
    return blocks * _FACTOR[certainty] * upstream


def weigh(case: Case, findings: Findings) -> tuple[tuple[Claim, ...], tuple[str, ...]]:
    """The claims that stand, each with the clusters that remain its own, and sentences about those that fell."""
    doubts: dict[str, list[Challenge]] = {}
    for challenge in findings.challenges:
        doubts.setdefault(challenge.claim, []).append(challenge)
    standing, dropped = [], []
    for claim in findings.claims:
        against = doubts.get(claim.id, [])
        doubted = {name for challenge in against for name in challenge.clusters}
        left = tuple(name for name in claim.clusters if name not in doubted)
        if left:
            standing.append(replace(claim, clusters=left))
        else:
            dropped.append(f"Considered and dropped: {claim.statement} {against[0].statement}")
    return tuple(_shared_out(case, standing)), tuple(dropped)


def _shared_out(case: Case, claims: Sequence[Claim]) -> list[Claim]:
    """Every cluster goes to one claim."""
    order = sorted(
        range(len(claims)),
        key=lambda at: (claims[at].general, -SURENESS[claims[at].certainty], UPSTREAM.index(claims[at].category), at),
    )
    owner: dict[str, int] = {}
    for at in order:
        for name in claims[at].clusters:
            owner.setdefault(name, at)
    kept = [
        replace(claim, clusters=tuple(name for name in claim.clusters if owner[name] == at))
        for at, claim in enumerate(claims)
    ]
    return folded(case, [claim for claim in kept if claim.clusters])


def causes_of(
    case: Case, claims: Sequence[Claim], challenges: Sequence[Challenge], tests: Sequence[str]
) -> tuple[Cause, ...]:
    """The causes, most important first. `tests` are the names of all entries, in order."""
    single, bundles = _bundled(case, claims)
    ordered = sorted(single, key=lambda claim: -weight(claim.category, claim.certainty, _size(case, claim)))
    ordered += sorted(bundles, key=lambda claim: -_size(case, claim))
    ordered.sort(key=lambda claim: claim.rule == "unseen")  # of these the text shows nothing but names
    return tuple(_cause(case, f"cause-{number}", claim, challenges, tests) for number, claim in enumerate(ordered, 1))


def _size(case: Case, claim: Claim) -> int:
    return sum(len(one.members) for one in clusters_of(case, claim))


def _bundled(case: Case, claims: Sequence[Claim]) -> tuple[list[Claim], list[Claim]]:
    """Many drifts (or plain failures) of one or two entries each are one heading, not a page of causes."""
    small = [
        claim
        for claim in claims
        if claim.category in ("drift", "assertion") and claim.rule != "unseen" and _size(case, claim) < _BUNDLE_FROM
    ]
    bundles, gone = [], set()
    for category in ("drift", "assertion"):
        group = [claim for claim in small if claim.category == category]
        if len(group) >= _BUNDLE_FROM:
            bundles.append(_bundle(group))
            gone |= {claim.id for claim in group}
    return [claim for claim in claims if claim.id not in gone], bundles


def _bundle(group: Sequence[Claim]) -> Claim:
    first = group[0]
    plain = first.category == "assertion"
    statement = (
        f"{len(group)} separate failures of the tests' own expectations; no common cause was found."
        if plain
        else f"{len(group)} separate places where tests and product have moved apart."
    )
    return replace(
        first,
        rule="bundle",
        statement=statement,
        subject="",
        certainty="unknown" if plain else min((claim.certainty for claim in group), key=SURENESS.__getitem__),
        clusters=tuple(name for claim in group for name in claim.clusters),
        facts=tuple(fact for claim in group for fact in claim.facts[:1]),
        because="Each entry has its own message, and none of them explains another.",
        root="",
        root_facts=(),
        fix="Take them one by one: decide which side is right, and change the other.",
        verify="pytest {test}",
        effort=3,
        plain=plain,
    )


def _cause(case: Case, identity: str, claim: Claim, challenges: Sequence[Challenge], tests: Sequence[str]) -> Cause:
    clusters = _heads_first(claim, clusters_of(case, claim))
    members = tuple(sorted(member for one in clusters for member in one.members))
    names = tuple(tests[member] for member in members[:ENTRIES_SHOWN])
    by_id = {fact.id: fact for fact in case.facts}
    wanted = _wanted(claim, clusters)
    return Cause(
        identity,
        claim.category,
        claim.certainty,
        claim.statement,
        claim.by,
        _telling(by_id[name] for name in wanted if name in by_id),
        names,
        members,
        whys_of(case, claim, clusters, by_id),
        _counter(claim, challenges),
        claim.fix,
        in_words_of(runner_of(case), claim.verify, _first(claim, clusters, tests)),
        claim.effort,
        claim.downstream,
        claim.plain,
        claim.rule,
        claim.subject,
    )


def _heads_first(claim: Claim, clusters: Sequence[Cluster]) -> Sequence[Cluster]:
    """What only follows stands behind what it follows from."""
    place = {name: at for at, name in enumerate(claim.clusters)}
    return sorted(clusters, key=lambda one: place.get(one.id, len(place))) if claim.downstream else clusters


def _first(claim: Claim, clusters: Sequence[Cluster], tests: Sequence[str]) -> str:
    """The test that shows best whether the cause is gone: the first, or the first that does not only follow."""
    return tests[min(clusters[0].members if claim.downstream else (m for one in clusters for m in one.members))]


def _telling(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Facts that say the same words are shown once."""
    return tuple({fact.excerpt: fact for fact in reversed(list(facts))}.values())[::-1][:FACTS_SHOWN]


def _wanted(claim: Claim, clusters: Sequence[Cluster]) -> list[str]:
    order = [one.facts[0] for one in clusters if one.facts]
    return list(dict.fromkeys([*order[:4], *claim.facts, *claim.root_facts, *order]))


def _counter(claim: Claim, challenges: Sequence[Challenge]) -> tuple[str, ...]:
    said = [*(challenge.statement for challenge in challenges if challenge.claim == claim.id), *claim.counter]
    if claim.certainty == "suspect" and not said:
        said.append(
            "Only the words of the report speak for it; the exception's class or the frame that raised it do not confirm it."
        )
    return tuple(said)
