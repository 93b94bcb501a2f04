"""From matches to claims: matches of one rule about one subject are one claim, with all its clusters and facts."""

from collections.abc import Iterable, Sequence

from quintet.triage.model import Case, Certainty, Claim, Cluster, Fact
from quintet.triage.rules.modules import FIXTURES, MARKERS, OPTIONS
from quintet.triage.signatures import SURENESS, Match, Rule, first_match

_SUBJECTS_NAMED = 3


def matches(rules: Sequence[Rule], clusters: Iterable[Cluster]) -> list[Match]:
    """The first fitting rule of every cluster that has one."""
    return [found for one in clusters if (found := first_match(rules, one))]


def claims_of(case: Case, by: str, found: Sequence[Match]) -> tuple[Claim, ...]:
    """One claim per rule, or per rule and subject where the rule keeps its subjects apart."""
    groups: dict[tuple[str, str], list[Match]] = {}
    for one in found:
        groups.setdefault((one.rule.id, "" if one.rule.together else one.subject), []).append(one)
    return tuple(_claim(case, f"{by}:{number}", by, group) for number, group in enumerate(groups.values(), 1))


def _claim(case: Case, identity: str, by: str, group: Sequence[Match]) -> Claim:
    rule = group[0].rule
    subject = listed([one.subject for one in group])
    first = subject_for_command(group[0].subject)
    context = tuple(fact.id for fact in case.facts if fact.kind in rule.context)
    return Claim(
        identity,
        by,
        rule.id,
        rule.category,
        sure(one.certainty for one in group),
        said(rule.statement, subject),
        subject,
        tuple(one.cluster.id for one in group),
        tuple(dict.fromkeys(fact for one in group for fact in one.cluster.facts[:3])),
        said(rule.because, subject),
        said(rule.root, subject),
        context,
        not rule.proven,
        said(rule.fix.replace("{owner}", owner_of(group[0].subject)), subject),
        rule.verify.replace("{subject}", first) if first or "{subject}" not in rule.verify else "pytest {test}",
        rule.effort,
        general=rule.general,
    )


def sure(certainties: Iterable[Certainty]) -> Certainty:
    """The weakest: a claim about many is as sure as about the least sure of them."""
    return min(certainties, key=SURENESS.__getitem__)


def said(template: str, subject: str) -> str:
    """The sentence with its subject, or without the place for it where none was found."""
    if subject:
        return template.replace("{subject}", f"`{subject}`" if "`" not in subject and subject[0].isalnum() else subject)
    for empty in (" ({subject} is one of them)", " ({subject})", ": {subject}", " {subject}"):
        template = template.replace(empty, "")
    return template.replace("{subject}", "something").strip()


def listed(subjects: Sequence[str]) -> str:
    """`a, b, c and 4 more`, most frequent first."""
    names = sorted(dict.fromkeys(filter(None, subjects)), key=lambda name: -subjects.count(name))
    rest = len(names) - _SUBJECTS_NAMED
    return ", ".join(names[:_SUBJECTS_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def owner_of(subject: str) -> str:
    """The plugin that brings a fixture, a marker or an option of pytest."""
    return FIXTURES.get(subject) or MARKERS.get(subject) or OPTIONS.get(subject) or "see pytest's list of plugins"


def subject_for_command(subject: str) -> str:
    """The subject if it can stand in a shell command as it is: what was read is never a piece of somebody's shell."""
    return (
        subject
        if subject and all(letter.isalnum() or letter in "_./" for letter in subject) and subject.isascii()
        else ""
    )


def clusters_of(case: Case, claim: Claim) -> list[Cluster]:
    """The clusters of a claim."""
    wanted = set(claim.clusters)
    return [one for one in case.clusters if one.id in wanted]


def fact_of(case: Case, identity: str) -> Fact | None:
    """A fact by its id."""
    return next((fact for fact in case.facts if fact.id == identity), None)
