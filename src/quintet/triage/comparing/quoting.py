"""What a claim quotes beside its own words: what was logged or printed meanwhile, what the answer said, and what these compare.

Rules: every quotation stands in the report, word for word but for its time; a comparison adds a first step to the advice, and never
changes how sure the claim is.
"""

import re

from quintet.triage.comparing.asides import is_warning
from quintet.triage.comparing.cookies import said_of_cookie
from quintet.triage.comparing.lookups import advice_of, said_of
from quintet.triage.model import Cluster
from quintet.triage.normalise import shorten
from quintet.triage.signatures import Match, Rule

_SHOWN = 160
_OF_STATUS = re.compile(r"\bassert [1-5]\d\d (?:==|in|!=)|\b[1-5]\d\d != [1-5]\d\d\b")
_SAID_ALREADY = frozenset(
    {"token-signature", "token-time", "token-audience", "token-claim", "token-algorithm", "token-lacks"}
)
_OF_HANDSHAKES = frozenset({"handshake-unauthorized", "handshake-refused", "no-such-socket", "not-upgraded"})
_PATH = re.compile(r"url=(?:URL\()?['\"](?:\w+://[^/\s'\"]{1,200})?(/[^\s'\"?)]{0,200})")
_LACKED = re.compile(r" attribute '(\w{1,80})'")
_STAMP = re.compile(r"^\[?\d{4}-\d\d-\d\d[T ][\d:.,]{5,16}(?:Z|[+-]\d\d:?\d\d)?\]? ?-? ?")
_ANSWER = re.compile(
    r"['\"](?:error_description|detail|message|msg|reason|title)['\"]: ?(?:ErrorDetail\(string=)?"
    r"(?:'((?:[^'\\\n]|\\{1,3}.){3,300})'|\"((?:[^\"\\\n]|\\{1,3}.){3,300})\")"
)


def beside(first: Match, subject: str) -> str:
    """The sentences that follow a claim's statement, each with a space before it."""
    return _attribute(first) + (
        logged(first) or answered(first.rule, first.cluster, subject) + meanwhile(first.cluster)
    )


def _attribute(first: Match) -> str:
    """The name that an object lacks, beside the class that the claim names."""
    found = _LACKED.search(first.cluster.first_message) if first.rule.id == "attribute-gone" else None
    return f" The attribute is `{found[1]}`." if found and found[1] != first.subject else ""


def logged(first: Match) -> str:
    """What was logged beside a failure says more than its kind, where that kind is all that the rule knows."""
    one = first.cluster
    # the rule fits the answer, not the line
    if one.logged and not one.first_exception and first.exception and not first.rule.logged:
        return f" Printed meanwhile: `{_words(one.first_message)}`.{said_of(one.first_message)}"
    if not one.logged or not one.first_exception or first.exception == one.first_exception.rpartition(".")[2]:
        return ""
    words = shorten(f"{one.first_exception.rpartition('.')[2]}: {one.first_message}", 120).replace("`", "'")
    place = f" at `{one.where}`" if one.where and "`" not in one.where else ""
    return f" Logged beside it: `{words}`{place}."


def answered(rule: Rule, one: Cluster, subject: str) -> str:
    """The answer's own words, where a test shows them beside the status that it did not expect."""
    found = _ANSWER.search(one.message) if _OF_STATUS.search(one.message) or rule.id == "error-instead" else None
    words = _words(re.sub(r"\\+(['\"])", r"\1", found[1] or found[2])) if found else ""
    known = not words or words in subject or rule.id in _SAID_ALREADY
    return _asked_for(rule, one) if known else f" The answer says: `{words}`."


def _asked_for(rule: Rule, one: Cluster) -> str:
    """The path of a socket that was refused: often it is the reason."""
    found = _PATH.search(one.message) if rule.id in _OF_HANDSHAKES else None
    return f" It asked for `{_words(found[1])}`." if found else ""


def meanwhile(one: Cluster) -> str:
    """What was printed beside the failure, and what is looked for there (or in the exception's own words) and cannot be found."""
    words = _words(one.beside)
    if words and (cookie := said_of_cookie(one.beside)):
        return f" Printed meanwhile: `{words}`.{cookie}"
    if words and one.logged:
        return f"{said_of(one.first_message)} Later in the same log: `{words}`, too late for it."
    compared = next(filter(None, map(said_of, _compared(one))), "")
    return (f" Printed meanwhile: `{words}`." if words else "") + compared


def advice(one: Cluster) -> tuple[str, str]:
    """Why the two that are compared may differ, and what to do about that first; or that the line printed meanwhile comes first."""
    found = next(filter(None, map(advice_of, _compared(one))), None)
    if found:
        return found
    if not one.beside or one.logged:
        return ("", "")
    if is_warning(one.beside):
        return ("", "Start from the line that was printed meanwhile, and from the code that prints it.")
    return ("", "See first whether the line that was printed meanwhile tells why.")


def _compared(one: Cluster) -> tuple[str, ...]:
    """The texts that may show both, the nearest first. An assertion's values are the test's own, unless it shows an answer."""
    plain = one.exception.rpartition(".")[2] in ("AssertionError", "Failed") and not _OF_STATUS.search(one.message)
    return (one.beside, one.first_message if one.logged else "" if plain else one.message)


def _words(line: str) -> str:
    return shorten(_STAMP.sub("", line), _SHOWN).replace("`", "'")
