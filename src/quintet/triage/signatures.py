"""A rule is one row of a table: what a failure looks like, what that means, how sure it can be.

Rules about rules: a message alone gives at most `suspect`; `probable` needs the exception's class and the frame that raised it;
`proven` is only what pytest itself states about its own run. An assertion's words are expected values, not events, so a rule
looks into them only when it says so. `DID NOT RAISE X` means that X did not occur.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

from quintet.triage.model import Category, Certainty, Cluster, Phase, Place

_QUOTED_WORDS = frozenset({"AssertionError", "Failed"})
_ADDRESS = re.compile(r"^['\"]?([\w.:-]+?)['\"]?[:,] ?(?:port[= ])?(\d{2,5})$")
# What raises them shows no frame: pytest itself, or what was to start it.
_OF_PYTEST = frozenset(
    {
        "FixtureLookupError",
        "ScopeMismatch",
        "InterpreterMissing",
        "InstallationFailed",
        "CommandRefused",
        "WaitedInVain",
    }
)
_COMPILED = ("sqlite3.", "psycopg2.", "pyodbc.", "MySQLdb.", "oracledb.")
_RAISE = re.compile(r"(?:^|: )raise\b")
SURENESS: dict[Certainty, int] = {"proven": 3, "probable": 2, "suspect": 1, "unknown": 0}


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. `{subject}` in its texts is what the pattern's group of that name found. Empty sets mean any.

    `code` must be found in the source lines of the last frames or in the last one's path, `passed` in the files that the exceptions
    passed through. `alone` replaces the pattern where the report shows no frame: then only a message that tells details counts.
    `strict` means never where another place raised it. `general` rows give way to any other. `guess` rows are never more than
    suspected. `others` lets exceptions of other classes fit, as a suspicion: a project names its own. `names` is looked for in the
    source lines, for the subject, where the message names none. `told` is looked for in a test's own words when it gives up
    (`pytest.fail`, the message of an assert): something nobody would make up. `logged` rows fit only a line that was logged beside a failure,
    `tests` must be found in the name of every test shown.
    """

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
    code: re.Pattern[str] | None = None
    alone: re.Pattern[str] | None = None
    strict: bool = False
    general: bool = False
    guess: bool = False
    others: bool = False
    told: re.Pattern[str] | None = None
    passed: re.Pattern[str] | None = None
    names: re.Pattern[str] | None = None
    logged: bool = False
    tests: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that fits a cluster, the subject it found, how sure that is, the exception (of the chain) that it fits, and what speaks against it."""

    rule: Rule
    cluster: Cluster
    subject: str
    certainty: Certainty
    exception: str = ""
    doubt: str = ""


class Marks(TypedDict, total=False):
    """What a row says about itself beside its texts; see `Rule`."""

    proven: bool
    together: bool
    strict: bool
    general: bool
    guess: bool
    others: bool
    logged: bool
    effort: int


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
    context: Sequence[str] = (),
    code: str = "",
    alone: str = "",
    told: str = "",
    passed: str = "",
    names: str = "",
    tests: str = "",
    **marks: Unpack[Marks],
) -> Rule:
    """A rule from short words: `exceptions` are class names separated by spaces."""
    rule = Rule(identity, category, re.compile(pattern), statement, because, root, fix, verify)
    return replace(
        rule,
        exceptions=frozenset(exceptions.split()),
        phases=frozenset(phases),
        raised_in=frozenset(raised_in),
        context=tuple(context),
        code=re.compile(code) if code else None,
        alone=re.compile(alone) if alone else None,
        told=re.compile(told) if told else None,
        passed=re.compile(passed) if passed else None,
        names=re.compile(names) if names else None,
        tests=re.compile(tests) if tests else None,
        **marks,
    )


def fitting(rules: Iterable[Rule], cluster: Cluster) -> Iterator[Match]:
    """The rows that fit. Order in a table is from special to general, so the first is meant unless something speaks against it."""
    return (found for rule in rules if (found := match(rule, cluster)))


def match(rule: Rule, cluster: Cluster) -> Match | None:
    """The rule applied to the first exception of the chain, then to the last."""
    if not _may_fit(rule, cluster):
        return None
    words = ((cluster.first_exception, cluster.first_message), (cluster.exception, cluster.message))
    found = [one for said in dict.fromkeys(words) if (one := _found(rule, cluster, *said))]
    if not found:
        return None
    subject = next((one.subject for one in found if one.subject), "")
    return replace(found[0], subject=subject or _named(rule, cluster))


def _named(rule: Rule, cluster: Cluster) -> str:
    """The subject that the project's own line names, or the files passed through, or an exception in the middle of the chain."""
    found = rule.names.search(f"{cluster.home_code}\n{cluster.code}\n{cluster.passed}") if rule.names else None
    found = found or _wrapped(rule, cluster)
    return _subject(found) if found else ""


def _wrapped(rule: Rule, cluster: Cluster) -> re.Match[str] | None:
    """Where an exception between the first and the last says the same, with more: a client's names the address that the system's lacks."""
    for line in cluster.wrapped.split("\n"):
        found = rule.pattern.search(line) if line else None
        if found and _subject(found):
            return found
    return None


def _found(rule: Rule, cluster: Cluster, exception: str, message: str) -> Match | None:
    pattern = rule.alone if rule.alone and not cluster.raised else rule.pattern
    name = exception.rpartition(".")[2]
    if name and rule.strict and cluster.logged and not cluster.raised and cluster.ended_at not in rule.raised_in:
        return None  # of a failure beside a line that was logged, the failure itself has a place
    found = pattern.search(_text(name, message)) if _may_look(rule, cluster, name, message) else None
    found = found or _told(rule, cluster, name, message)
    if found is None:
        return None
    own_words = not name and found.start() < 40
    return Match(rule, cluster, _subject(found), _certainty(rule, cluster, name, own_words=own_words), name)


def _told(rule: Rule, cluster: Cluster, name: str, message: str) -> re.Match[str] | None:
    own = _quotes(cluster, name) and not message.startswith(("assert ", "DID NOT RAISE"))
    return rule.told.search(message) if rule.told and own else None


def _may_fit(rule: Rule, cluster: Cluster) -> bool:
    line = cluster.logged and not cluster.first_exception
    if (rule.phases and cluster.phase not in rule.phases) or (rule.logged and not line):
        return False
    if rule.tests and not all(map(rule.tests.search, cluster.names)):
        return False
    if rule.passed and not rule.passed.search(cluster.passed) and (cluster.passed or not rule.alone):
        return False
    seen = "\n".join((cluster.code, cluster.home_code, *cluster.raised[-1:]))
    if rule.code and not rule.code.search(seen) and (cluster.raised or not rule.alone):
        return False
    elsewhere = cluster.raised and raised_at(cluster) not in rule.raised_in
    gave_up = rule.told is not None and cluster.exception.rpartition(".")[2] in _QUOTED_WORDS
    return not (rule.strict and elsewhere and not cluster.simulated and not gave_up)


def raised_at(cluster: Cluster) -> str:
    """The kind of place that raised the first exception, or nothing where the report shows no frame.

    A compiled driver shows no frame of its own: the last one is the line that calls it.
    """
    place = cluster.raised[-1].partition(":")[0] if cluster.raised else ""
    called = place in ("product", "test") and cluster.first_exception.startswith(_COMPILED)
    return "library" if called and not _RAISE.search(cluster.code.rpartition("\n")[2]) else place


def _place_of(cluster: Cluster, name: str) -> str:
    """Of a failure that a log explains, the failure itself has a place of its own."""
    answer = (
        cluster.logged and name == cluster.exception.rpartition(".")[2] != cluster.first_exception.rpartition(".")[2]
    )
    return cluster.ended_at if answer else raised_at(cluster)


def _text(name: str, message: str) -> str:
    return f"{name}: {message}" if name else message


def _may_look(rule: Rule, cluster: Cluster, name: str, message: str) -> bool:
    if message.startswith("DID NOT RAISE"):
        return rule.id in ("did-not-raise", "not-refused")
    if _quotes(cluster, name):
        return name in rule.exceptions
    return not rule.exceptions or rule.others or not name or name in rule.exceptions or name in _QUOTED_WORDS


def _quotes(cluster: Cluster, name: str) -> bool:
    """A test's own assertion shows values. One of the product is a guard, and `Failed` outside of a call is pytest's own word."""
    if name == "AssertionError":
        return raised_at(cluster) != "product"
    return name == "Failed" and cluster.phase == "call" and raised_at(cluster) not in ("runner", "library")


def _subject(found: re.Match[str]) -> str:
    groups = found.groupdict()
    subject = next((value for key, value in groups.items() if key.startswith("subject") and value), "")[:120]
    address = _ADDRESS.match(subject)
    return f"{address[1]}:{address[2]}" if address else subject


def _names_one(rule: Rule, cluster: Cluster) -> bool:
    """The line that was logged names the exception's class, or says by itself what the rule is about."""
    return rule.logged or any(name in rule.exceptions for name in re.findall(r"\b[A-Z]\w{3,60}", cluster.first_message))


def _certainty(rule: Rule, cluster: Cluster, name: str, *, own_words: bool) -> Certainty:
    if cluster.simulated:
        return "suspect"
    if rule.proven and not cluster.logged:
        said_by_pytest = name == "Failed" and cluster.phase != "call"
        return "proven" if name in rule.exceptions or own_words or said_by_pytest else "suspect"
    if cluster.logged and not name and not rule.general and not rule.guess and _names_one(rule, cluster):
        return "probable"
    place = _place_of(cluster, name) or ("runner" if name in _OF_PYTEST else "")
    confirmed = bool(rule.code and cluster.raised) or (bool(place) and (not rule.raised_in or place in rule.raised_in))
    if confirmed and not rule.general and not rule.guess and name in rule.exceptions and name not in _QUOTED_WORDS:
        return "probable"
    return "suspect"
