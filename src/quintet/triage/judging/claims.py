"""From matches to claims: matches of one rule about one subject are one claim, with all its clusters and facts."""

import re
from collections.abc import Iterable, Sequence

from quintet.triage.comparing.quoting import advice, beside
from quintet.triage.judging.doubts import weighed
from quintet.triage.judging.fixes import fix_of, in_command, said
from quintet.triage.model import Case, Certainty, Claim, Cluster, Fact
from quintet.triage.signatures import SURENESS, Match, Rule, fitting

_SUBJECTS_NAMED = 3


def matches(rules: Sequence[Rule], clusters: Iterable[Cluster]) -> list[Match]:
    """The first rule of every cluster that fits and stands after the test was heard."""
    firsts = (next((kept for found in fitting(rules, one) if (kept := weighed(found))), None) for one in clusters)
    return [found for found in firsts if found]


def claims_of(case: Case, by: str, found: Sequence[Match]) -> tuple[Claim, ...]:
    """One claim per rule, or per rule and subject where the rule keeps its subjects apart."""
    groups: dict[tuple[str, str], list[Match]] = {}
    for one in found:
        groups.setdefault((one.rule.id, "" if one.rule.together else _kind_of(one.subject)), []).append(one)
    return tuple(_claim(case, f"{by}:{number}", by, group) for number, group in enumerate(groups.values(), 1))


def _kind_of(subject: str) -> str:
    """Paths of temporary folders differ in numbers only."""
    return re.sub(r"\d+", "0", subject) if re.match(r"/|[A-Za-z]:[\\/]", subject) else subject


def _claim(case: Case, identity: str, by: str, group: Sequence[Match]) -> Claim:
    rule = group[0].rule
    subject = listed([one.subject for one in group])
    first = in_command(group[0].subject)
    context = tuple(fact.id for fact in case.facts if fact.kind in rule.context)
    root, first_step = advice(group[0].cluster)
    return Claim(
        identity,
        by,
        rule.id,
        rule.category,
        sure(one.certainty for one in _real(group)),
        said(rule.statement, subject) + beside(group[0], subject),
        subject,
        tuple(one.cluster.id for one in group),
        tuple(dict.fromkeys(fact for one in group for fact in one.cluster.facts[:3])),
        said(rule.because, subject),
        root or said(rule.root, subject),
        context,
        not rule.proven,
        f"{first_step} {fix_of(rule, group, subject)}{_swallowed(group[0])}".strip(),
        rule.verify.replace("{subject}", first) if first or "{subject}" not in rule.verify else "pytest {test}",
        rule.effort,
        general=rule.general,
        counter=tuple(dict.fromkeys(one.doubt for one in group if one.doubt)),
    )


def _swallowed(first: Match) -> str:
    """Where a value is missing because of an error that was only told, the next one would be hidden as well."""
    one = first.cluster
    hidden = one.logged and "NoneType" in one.message
    return " Let the code that met this error raise it, instead of going on with `None`." if hidden else ""


def sure(certainties: Iterable[Certainty]) -> Certainty:
    """The weakest: a claim about many is as sure as about the least sure of them."""
    return min(certainties, key=SURENESS.__getitem__)


def listed(subjects: Sequence[str]) -> str:
    """`a, b, c and 4 more`, most frequent first."""
    names = sorted(dict.fromkeys(filter(None, subjects)), key=lambda name: -subjects.count(name))
    rest = len(names) - _SUBJECTS_NAMED
    return ", ".join(names[:_SUBJECTS_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _real(group: Sequence[Match]) -> Sequence[Match]:
    """Without what a mock raised: that part of the claim is challenged, and what is left is as sure as it is by itself."""
    return [one for one in group if not one.cluster.simulated] or group


def clusters_of(case: Case, claim: Claim) -> list[Cluster]:
    """The clusters of a claim."""
    wanted = set(claim.clusters)
    return [one for one in case.clusters if one.id in wanted]


def fact_of(case: Case, identity: str) -> Fact | None:
    """A fact by its id."""
    return next((fact for fact in case.facts if fact.id == identity), None)
