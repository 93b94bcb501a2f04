"""Environment configuration: what the tests run in."""

from quintet.triage.claims import claims_of, matches
from quintet.triage.model import Case, Cluster, Findings
from quintet.triage.rules.environment import RULES
from quintet.triage.signatures import Match

NAME = "environment-configuration"


def examine(case: Case, so_far: Findings) -> Findings:
    """Claims about packages, variables, services, databases and the machine."""
    del so_far  # it is asked first
    own = _own_packages(case)
    found = [
        one for one in matches(RULES, case.clusters) if not (one.rule.id == "missing-package" and _is_own(one, own))
    ]
    return Findings(claims_of(case, NAME, found))


def _own_packages(case: Case) -> frozenset[str]:
    """Names that are folders or files of the project itself: the first parts of its paths in this report."""
    names: set[str] = {"app", "src", "tests", "test", "conftest"}
    for one in case.clusters:
        for path in (one.where, *one.names, *(place for place, _ in one.places)):
            names |= _parts(path)
    return frozenset(names)


def _parts(path: str) -> set[str]:
    path = path.replace("\\", "/").partition("::")[0].rpartition(":")[0] or path
    if path.startswith(("/", "..")) or path[1:2] == ":":
        return set()
    return {part.removesuffix(".py") for part in path.split("/")[:3] if part.isidentifier() or part.endswith(".py")}


def _is_own(found: Match, own: frozenset[str]) -> bool:
    return found.subject in own or _from_a_patch(found.cluster)


def _from_a_patch(one: Cluster) -> bool:
    """`patch('a.b')` imports `a` itself: a missing `a` is a wrong target, not a missing package."""
    return one.phase == "call" and any(
        "unittest/mock" in place.replace("\\", "/") or "pkgutil" in place for place in one.raised
    )
