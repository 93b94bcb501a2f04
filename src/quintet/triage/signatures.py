"""A rule is one row of a table: what a failure looks like, what that means, how sure it can be.

Rules about rules: a message alone gives at most `suspect`; `probable` needs the exception's class and the frame that raised it;
`proven` is only what pytest itself states about its own run. An assertion's words are expected values, not events, so a rule
looks into them only when it says so. `DID NOT RAISE X` means that X did not occur.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from quintet.triage.model import Category, Certainty, Cluster, Phase, Place

_QUOTED_WORDS = frozenset({"AssertionError", "Failed"})
_ADDRESS = re.compile(r"^['\"]?([\w.:-]+?)['\"]?[:,] ?(?:port[= ])?(\d{2,5})$")
_OF_PYTEST = frozenset({"FixtureLookupError", "ScopeMismatch"})  # pytest raises them itself, and shows no frame
SURENESS: dict[Certainty, int] = {"proven": 3, "probable": 2, "suspect": 1, "unknown": 0}


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. `{subject}` in its texts is what the pattern's group of that name found. Empty sets mean any."""

    id: str
    category: Category
    pattern: re.Pattern[str]
    statement: str
    because: str
    root: str
    fix: str
    verify: str
    exceptions: frozenset[str] = frozenset()
    phases: frozenset[Phase] = frozenset()
    raised_in: frozenset[Place] = frozenset()
    proven: bool = False
    together: bool = True
    effort: int = 1
    context: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that fits a cluster, the subject it found and how sure that is."""

    rule: Rule
    cluster: Cluster
    subject: str
    certainty: Certainty


def row(
    identity: str,
    category: Category,
    pattern: str,
    statement: str,
    because: str,
    root: str,
    fix: str,
    verify: str = "pytest {test}",
    *,
    exceptions: str = "",
    phases: Sequence[Phase] = (),
    raised_in: Sequence[Place] = (),
    proven: bool = False,
    together: bool = True,
    effort: int = 1,
    context: Sequence[str] = (),
) -> Rule:
    """A rule from short words: `exceptions` are class names separated by spaces."""
    return Rule(
        identity,
        category,
        re.compile(pattern),
        statement,
        because,
        root,
        fix,
        verify,
        frozenset(exceptions.split()),
        frozenset(phases),
        frozenset(raised_in),
        proven,
        together,
        effort,
        tuple(context),
    )


def first_match(rules: Iterable[Rule], cluster: Cluster) -> Match | None:
    """The first row that fits. Order in a table is from special to general."""
    for rule in rules:
        found = match(rule, cluster)
        if found:
            return found
    return None


def match(rule: Rule, cluster: Cluster) -> Match | None:
    """The rule applied to the first exception of the chain, then to the last."""
    if rule.phases and cluster.phase not in rule.phases:
        return None
    for exception, message in dict.fromkeys(
        ((cluster.first_exception, cluster.first_message), (cluster.exception, cluster.message))
    ):
        name = exception.rpartition(".")[2]
        if not _may_look(rule, name, message):
            continue
        found = rule.pattern.search(_text(name, message))
        if found:
            return Match(
                rule,
                cluster,
                _subject(found),
                _certainty(rule, cluster, name, own_words=not name and found.start() < 40),
            )
    return None


def _text(name: str, message: str) -> str:
    return f"{name}: {message}" if name else message


def _may_look(rule: Rule, name: str, message: str) -> bool:
    if message.startswith("DID NOT RAISE"):
        return rule.id == "did-not-raise"
    if name in _QUOTED_WORDS:
        return name in rule.exceptions
    return not rule.exceptions or not name or name in rule.exceptions


def _subject(found: re.Match[str]) -> str:
    groups = found.groupdict()
    subject = next((value for key, value in groups.items() if key.startswith("subject") and value), "")[:120]
    address = _ADDRESS.match(subject)
    return f"{address[1]}:{address[2]}" if address else subject


def _certainty(rule: Rule, cluster: Cluster, name: str, *, own_words: bool) -> Certainty:
    if cluster.simulated:
        return "suspect"
    if rule.proven:
        return "proven" if name in rule.exceptions or own_words else "suspect"
    place = cluster.raised[-1].partition(":")[0] if cluster.raised else ""
    place = place or ("runner" if name in _OF_PYTEST else "")
    confirmed = bool(place) and (not rule.raised_in or place in rule.raised_in)
    if confirmed and name in rule.exceptions and name not in _QUOTED_WORDS:
        return "probable"
    return "suspect"
