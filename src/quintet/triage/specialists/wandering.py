"""A working directory that a test has changed for those after it.

Rules: pytest prints paths relative to the directory it was started in, and whole ones when it stands in another; so a relative file that is not
found, in an entry with whole paths, beside entries with relative ones, is looked for in another directory.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from quintet.triage.judging.claims import clusters_of, listed
from quintet.triage.model import Case, Claim

_WHOLE = re.compile(r"/|[A-Za-z]:[\\/]")


def wandered(case: Case, claims: Sequence[Claim]) -> list[Claim]:
    """The claims; those about files that are only looked for elsewhere are one, about the test that went there."""
    there = [claim for claim in claims if claim.rule == "file-not-there" and not _WHOLE.match(claim.subject)]
    own = [claim for claim in there if all(_WHOLE.match(one.where) for one in clusters_of(case, claim))]
    phases = {one.phase for claim in own for one in clusters_of(case, claim)}
    if not any(one.where and not _WHOLE.match(one.where) and one.phase in phases for one in case.clusters):
        return list(claims)  # other styles of traceback show whole paths of every failure
    return [claim for claim in claims if claim not in own] + [_claim(case, own)]


def _claim(case: Case, own: Sequence[Claim]) -> Claim:
    clusters = [one for claim in own for one in clusters_of(case, claim)]
    files = listed([f"`{claim.subject.strip('`')}`" for claim in own])
    first = min(clusters, key=lambda one: one.members[0]).names[0]
    return replace(
        own[0],
        rule="folder-left",
        category="isolation",
        certainty="probable",
        statement=f"An earlier test went into another directory and did not come back: there is no {files} there.",
        subject=files,
        clusters=tuple(one.id for one in clusters),
        facts=tuple(fact for claim in own for fact in claim.facts),
        because=f"pytest shows paths from the directory it was started in; of `{first}` it shows whole ones: it stands in another.",
        root="A test (or the code that it calls) changes the working directory of the whole process, and leaves it changed.",
        fix="Look for `chdir` in the tests that run before; change the directory with `monkeypatch.chdir` (or `contextlib.chdir`), which goes back, "
        "and build the paths of test data from `__file__`.",
        verify="pytest {test}",
    )
