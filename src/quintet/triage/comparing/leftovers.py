"""A thing that is there before the test that makes it: tests share what they change.

Rules: one test expects nothing and finds something, and that very thing is there already, or once too often, for another test of its module;
or several tests make the same thing, each in its own line, and the product tells each that it is there. It stays a suspicion.
"""

import re
from collections.abc import Sequence

from quintet.triage.model import Claim, Cluster

_COUNTED = re.compile(r"^assert (\d{1,9}) == (\d{1,9})\b(?!\.)")
_EXPECTS_NOTHING = re.compile(r"^assert .{1,300} == (?:\[\]|\{\}|\(\)|set\(\))")
_NAMED_THERE = re.compile(r"(?i)^(?:already|duplicate)\w*$|^\w*(?:already\w*|exists?|duplicate)(?:error|exception)?$")
_SAYS_THERE = re.compile(
    r"(?i)\balready (?:registered|exists?|there|taken|defined|present|subscribed|in use)\b|\b(?:registered|exists|there|taken|subscribed) already\b"
)
_THING = re.compile(r"'([\w.@:/-]{3,80})'")
_WORD = re.compile(r"[\w.@:/-]{3,80}")
_NOT_NONE = re.compile(r"^(?:assert )?[1-9]\d{0,8} (?:!=|==) 0\b")
_FEW = 2


def leftovers(by: str, clusters: Sequence[Cluster]) -> list[Claim]:
    """The first such claim, or none."""
    found = (_found_again(by, one, clusters) or _told_twice(by, one, clusters) for one in clusters)
    return [claim for claim in found if claim][:1]


def _found_again(by: str, one: Cluster, clusters: Sequence[Cluster]) -> Claim | None:
    """`one` expects nothing and finds something; what other tests of its module stumble over is the same."""
    if not _EXPECTS_NOTHING.search(one.message):
        return None
    things = set(_THING.findall(one.message))
    alike = [other for other in clusters if other is not one and _files(other) & _files(one) and _too_many(other)]
    shared = [thing for other in alike for thing in sorted(things) if _names(other, thing)]
    own = [other for other in alike if any(_names(other, thing) for thing in things)]
    return _claim(by, shared[0], (*own, one)) if own else None


def _told_twice(by: str, one: Cluster, clusters: Sequence[Cluster]) -> Claim | None:
    """Several tests of one module make the same thing, each in its own line, and each is told that it is there."""
    straight = [place.partition(":")[0] for place in one.raised[-2:]] == ["test", "product"]
    tests = {name.partition("[")[0] for name in one.names}
    if not straight or len(tests) < _FEW or len(_files(one)) > 1 or not _says_there(one):
        return None
    things = [word for word in _WORD.findall(one.message) if _names_in(one.asked, word)]
    more = [other for other in clusters if _files(other) == _files(one) and _NOT_NONE.match(other.message)]
    return _claim(by, things[0], (one, *more)) if things else None


def _too_many(one: Cluster) -> bool:
    """The product says that it is there already, or a count is higher than the test expects."""
    found = _COUNTED.match(one.message)
    if found:
        return int(found[1]) > int(found[2])
    return _says_there(one)


def _says_there(one: Cluster) -> bool:
    name = one.exception.rpartition(".")[2]
    return name != "AssertionError" and bool(_NAMED_THERE.match(name) or _SAYS_THERE.search(one.message))


def _names(one: Cluster, thing: str) -> bool:
    return _names_in(one.message, thing)


def _names_in(text: str, thing: str) -> bool:
    return bool(re.search(rf"(?<![\w.]){re.escape(thing)}(?!\w)", text))


def _files(one: Cluster) -> set[str]:
    return {name.partition("::")[0] for name in one.names}


def _claim(by: str, thing: str, own: Sequence[Cluster]) -> Claim:
    return Claim(
        f"{by}:found-again",
        by,
        "found-again",
        "isolation",
        "suspect",
        f"`{thing}` is there before the test makes it, and another test of the module finds it too: the tests share what they change.",
        thing,
        tuple(one.id for one in own),
        tuple(fact for one in own for fact in one.facts[:2]),
        because="One test expects nothing and finds it; to another it is there already, or once too often.",
        root="What holds it is made once (a variable of a module or a class, a fixture of a wide scope) and never emptied between tests.",
        fix="Run one of these tests alone: where it passes alone, make what they share anew for each test, or empty it in a fixture.",
        verify="pytest {test}",
        effort=2,
    )
