"""Two classes of one name: a test expects an exception by its name, one of that name comes, and it is another class.

Rules: the test's own line must expect the very name that was raised; other failures of the same class in the same file join; it is never more
than a suspicion.
"""

import re

from quintet.triage.model import Case, Claim, Cluster

_EXPECTS = re.compile(r"\b(?:raises|assertRaises\w*)\((?:[\w.]+\.)?(\w{2,80})\b")


def twin_classes(case: Case, taken: set[str], by: str) -> list[Claim]:
    """One claim for each class that is expected, raised and not taken."""
    left = [one for one in case.clusters if one.id not in taken and one.phase == "call" and one.exception]
    claims = []
    for exception in dict.fromkeys(one.exception for one in left if _expected(one)):
        files = {
            name.partition("::")[0]
            for one in left
            if one.exception == exception and _expected(one)
            for name in one.names
        }
        own = [
            one
            for one in left
            if one.exception == exception and all(name.partition("::")[0] in files for name in one.names)
        ]
        claims.append(_claim(exception, own, by))
    return claims


def _expected(one: Cluster) -> bool:
    """The line that fails stands inside of an expectation of the same name."""
    return one.exception.rpartition(".")[2] in _EXPECTS.findall(f"{one.code}\n{one.home_code}")


def _claim(exception: str, own: list[Cluster], by: str) -> Claim:
    name = exception.rpartition(".")[2]
    return Claim(
        "",
        by,
        "two-classes",
        "imports",
        "suspect",
        f"The tests expect `{name}`, and `{exception}` is raised and not taken for it: there are two classes of this name.",
        name,
        tuple(one.id for one in own),
        tuple(fact for one in own for fact in one.facts[:2]),
        because="An expectation takes a class, not a name: what was raised has the same name and is no subclass of it.",
        root="The module that defines it is loaded twice: imported under two names (`src.shop.errors` and `shop.errors`, both folders being on the "
        "path), reloaded (`importlib.reload`), or another module has a class of the same name.",
        root_facts=own[0].facts[:1],
        fix=f"Import `{name}` in the tests by the very path that the code under test uses (`{exception}`), and leave only one of the folders on the "
        "path; reload no modules in tests.",
        verify="pytest {test}",
    )
