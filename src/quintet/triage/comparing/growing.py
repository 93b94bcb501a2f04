"""A count that grows from test to test: something outlives the tests, and each adds to it.

Rules: several entries fail at one line with one expectation; what they count is more than expected and only grows, in the order of the
run; where it grows with the number that a test has for its parameter, each count must hold the expected one some times over; then lists of
the same module that hold more than expected follow. It stays a suspicion: the text shows the growth, not what grows.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from quintet.triage.model import Claim, Cluster

_COUNTED = re.compile(r"^assert (?P<got>\d{1,9}) == (?P<want>\d{1,9})\b(?!\.)")
_MORE = re.compile(r"Left contains (?:one more item|\d+ more items)")
_OF_A_LIST = re.compile(r"\bwhere \d{1,9} = (?:len|count)\(|\blen\(|\bcount\b|_count\b|\.count\(")
_STATUS = re.compile(r"(?i)status|code\b")
_FEW = 2


def growing(by: str, clusters: Sequence[Cluster]) -> list[Claim]:
    """One claim for each line of the tests whose count grows."""
    groups: dict[tuple[str, str], list[tuple[int, int, Cluster]]] = {}
    for one in clusters:
        found = _COUNTED.match(one.message) if one.exception.rpartition(".")[2] == "AssertionError" else None
        counted = found and _OF_A_LIST.search(f"{one.message}\n{one.home_code}") and not _STATUS.search(one.home_code)
        if found and counted and one.where and not one.simulated:
            groups.setdefault((one.where, found["want"]), []).append((one.members[0], int(found["got"]), one))
    return [
        _claim(by, where, int(want), group, clusters)
        for (where, want), group in groups.items()
        if _grows(int(want), group)
    ]


def _grows(want: int, group: list[tuple[int, int, Cluster]]) -> bool:
    counts = [got for _, got, _ in sorted(group, key=lambda item: item[0])]
    grows = len(counts) >= _FEW and counts[0] > want and all(one < other for one, other in pairwise(counts))
    own = [one for _, _, one in sorted(group, key=lambda item: item[0])]
    return grows and (all(want and got % want == 0 for got in counts) or not _with_its_number(own))


def _with_its_number(own: Sequence[Cluster]) -> bool:
    """One test with a growing number for its parameter: the count may follow from that."""
    names = [one.names[0].partition("[") for one in own]
    numbers = [[int(part) for part in re.findall(r"\d{1,9}", parameter)] for _, _, parameter in names]
    return len({name for name, _, _ in names}) == 1 and all(one < other for one, other in pairwise(numbers))


def _claim(by: str, where: str, want: int, group: list[tuple[int, int, Cluster]], clusters: Sequence[Cluster]) -> Claim:
    own = [one for _, _, one in sorted(group, key=lambda item: item[0])]
    counts = ", ".join(str(got) for _, got, _ in sorted(group, key=lambda item: item[0])[:4])
    files = {name.partition("::")[0] for one in own for name in one.names}
    more = [
        one
        for one in clusters
        if one not in own and _MORE.search(one.message) and {name.partition("::")[0] for name in one.names} <= files
    ]
    return Claim(
        f"{by}:growing-{where}",
        by,
        "grows-from-test-to-test",
        "isolation",
        "suspect",
        f"What the tests count grows from test to test ({counts} where {want} is expected): what an earlier test left is still there.",
        where,
        tuple(one.id for one in (*own, *more)),
        tuple(dict.fromkeys(fact for one in (*own, *more) for fact in one.facts[:2])),
        because="The same line of the tests expects the same number each time, and gets more with every test.",
        root="A list, a registry of listeners or a table is made once (at the import of a module, or by a fixture of a wide scope) and never "
        "emptied; or every test registers another listener that stays.",
        fix="Make it anew for each test (in a fixture, with what takes the listener away again after its `yield`), or empty it before each."
        + (f" Begin at `{where}`." if "`" not in where else ""),
        verify="pytest {test}",
        effort=2,
    )
