"""Environment configuration: what the tests run in."""

import re
from dataclasses import replace

from quintet.triage.judging.claims import claims_of, matches
from quintet.triage.model import Case, Cluster, Findings
from quintet.triage.rules.environment import RULES
from quintet.triage.rules.modules import is_package
from quintet.triage.signatures import Match, raised_at
from quintet.triage.specialists.deciding import decided
from quintet.triage.specialists.inert import inert_markers
from quintet.triage.specialists.local import local_values
from quintet.triage.specialists.twins import twin_classes
from quintet.triage.specialists.wandering import wandered

NAME = "environment-configuration"
_COMMON = (
    "app apps src tests test conftest backend frontend server api core lib libs services service utils util main config settings "
    "common models shared project scripts helpers tools engine domain handlers routes routers schemas database db modules agents agent "
    "package pkg code source bot cli web worker workers"
)
_USUAL = frozenset(_COMMON.split())
_MISSING = re.compile(r"No module named '?([A-Za-z_][\w.]*)")

# Code takes names from parts of its own project, and whole packages from others.
_WHOLE = re.compile(r"(?m)^import \w+(?: as \w+)?$")
_PART = re.compile(r"(?m)^from \w+(?:\.\w+)+ import\b")


def examine(case: Case, so_far: Findings) -> Findings:
    """Claims about packages, variables, services, databases and the machine."""
    del so_far  # it is asked first
    own, others = _own_packages(case), _others_missing(case)
    found = matches(RULES, case.clusters)
    kept = [_careful(one) for one in found if one.rule.id != "missing-package" or _is_dependency(one, own, others)]
    claims = wandered(case, decided(case, claims_of(case, NAME, kept), own - _USUAL))
    taken = {name for claim in claims for name in claim.clusters}
    local = local_values(case, taken, NAME)
    taken |= {name for claim in local for name in claim.clusters}
    inert = inert_markers(case, taken, NAME)
    made = (*claims, *local, *inert, *twin_classes(case, taken, NAME))
    return Findings(tuple(replace(claim, id=f"{NAME}:{number}") for number, claim in enumerate(made, 1)))


def _own_packages(case: Case) -> frozenset[str]:
    """Names that are folders or files of the project itself: the first parts of its paths in this report, and its own folder's name."""
    names = set(_USUAL)
    for one in case.clusters:
        for path in (one.where, *one.names, *(place for place, _ in one.places)):
            names |= _parts(path)
    roots = [fact.excerpt.rpartition(": ")[2] for fact in case.facts if fact.kind == "rootdir"]
    names |= {_plain(re.split(r"[\\/]", root.rstrip("\\/"))[-1]) for root in roots}
    return frozenset(names)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _parts(path: str) -> set[str]:
    path = path.replace("\\", "/").partition("::")[0].rpartition(":")[0] or path
    if path.startswith(("/", "..")) or path[1:2] == ":":
        return set()
    return {part.removesuffix(".py") for part in path.split("/")[:3] if part.isidentifier() or part.endswith(".py")}


def _others_missing(case: Case) -> bool:
    """True when a package that everybody knows is missing too: then the interpreter lacks the requirements."""
    found = (_MISSING.search(one.first_message) for one in case.clusters)
    return any(one is not None and is_package(one[1].partition(".")[0]) for one in found)


def _is_dependency(found: Match, own: frozenset[str], others: bool) -> bool:
    """A well-known package is one. An unknown name is one where product code asks for it, or where well-known ones are missing too."""
    missing = _MISSING.search(found.cluster.first_message) or _MISSING.search(found.cluster.message)
    whole = missing[1] if missing else found.subject
    name = whole.partition(".")[0]
    if _from_a_patch(found.cluster):
        return False
    if is_package(name):
        return name not in own or name not in _USUAL
    if name in own or _plain(name) in own or "." in whole:
        return False
    place, code = raised_at(found.cluster), found.cluster.code
    return others or place == "library" or bool(_WHOLE.search(code)) or (place == "product" and not _PART.search(code))


def _careful(found: Match) -> Match:
    """That a package nobody knows is missing, and not the project's own, is a suspicion."""
    unknown = found.rule.id == "missing-package" and not is_package(found.subject)
    return replace(found, certainty="suspect") if unknown else found


def _from_a_patch(one: Cluster) -> bool:
    """`patch('a.b')` imports `a` itself: a missing `a` is a wrong target, not a missing package."""
    return one.phase == "call" and any(
        "unittest/mock" in place.replace("\\", "/") or "pkgutil" in place for place in one.raised
    )
