"""What the failing test itself says against a rule that fits: it gives what is said to be missing, or calls what is said to be left over.

Rules: what the test gives itself is not missing, so that rule falls; any other doubt stands beside the claim, which then is a suspicion (a
guess falls).
"""

import re
from dataclasses import replace

from quintet.triage.model import Cluster
from quintet.triage.signatures import Match, raised_at

_TWICE = frozenset({"left-over", "registered-twice"})
_LIMITS = re.compile(r"(?i)limit|throttl|quota|429|too_?many")
_REQUEST = re.compile(r"(?i)\.(?:get|post|put|patch|delete|request|login)\(|client|resp|status_code")
_WRITTEN_OUT = re.compile(r"\w\([^()]{0,200}\{ ?['\"]")
_NAME = re.compile(r"^`?([A-Za-z_]\w{2,60})`?$")
_CAPITALS = re.compile(r"\b[A-Z][A-Z0-9_]{3,60}\b")
_RAISES = re.compile(r"^\s*raise\b|: raise\b")


def weighed(found: Match) -> Match | None:
    """The match as it stands after the test was heard, or nothing."""
    if (found.rule.id == "rate-limited" and _about_limits(found.cluster)) or _gives(found) or _own_refusal(found):
        return None
    doubt = _mapping(found) or _own_doing(found)
    if not doubt:
        return found
    return None if found.rule.guess else replace(found, certainty="suspect", doubt=doubt)


def _about_limits(one: Cluster) -> bool:
    """The limiter is what these tests are about, and no request shows that it is a server's."""
    shown = f"{one.asked}\n{one.home_code}".strip()
    return bool(shown) and all(map(_LIMITS.search, one.names)) and not _REQUEST.search(shown)


def _own_refusal(found: Match) -> bool:
    """`raise PermissionError(...)` in the product: its own rules refused, not the operating system."""
    last = found.cluster.code.rpartition("\n")[2]
    return found.rule.id == "not-permitted" and raised_at(found.cluster) == "product" and bool(_RAISES.search(last))


def _gives(found: Match) -> bool:
    """`parse("RETRIES=0")`, `{"RETRIES": 0}`: the name stands with a value in the test's own line."""
    if found.rule.category != "environment":
        return False
    names = _NAME.findall(found.subject) or _CAPITALS.findall(found.cluster.message[:300])
    return any(_with_value(name, found.cluster.asked) for name in names)


def _with_value(name: str, line: str) -> bool:
    return bool(re.search(rf"(?i)\b{re.escape(name)}['\"]?\s?[:=](?!=)", line))


def _mapping(found: Match) -> str:
    """`parse({"access_token": "t"})`: what is looked into is written out in the test's own line."""
    one = found.cluster
    looked = found.exception == "KeyError" and one.raised[-1:] and one.raised[-1].startswith("product:")
    return "The test itself gives what is looked into." if looked and _WRITTEN_OUT.search(one.asked) else ""


def _own_doing(found: Match) -> str:
    """One test alone meets it, in a function of the product that it calls itself and that says so itself."""
    one = found.cluster
    kinds = [place.partition(":")[0] for place in one.raised[-2:]]
    if found.rule.id not in _TWICE or len(one.members) > 1 or kinds != ["test", "product"]:
        return ""
    if found.rule.id == "registered-twice" and not _RAISES.search(one.code.rpartition("\n")[2]):
        return ""
    return "One test alone meets it, in a function of the product that it calls itself: that may do it twice."
