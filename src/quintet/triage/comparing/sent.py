"""Lines that tell that an event was sent, or that somebody came to listen: beside a silence they tell what did happen.

Rules: such a line explains only a test that saw nothing; it is quoted, and says no more than that something was sent, or came later; that the
two belong together is told by a word that stands in both.
"""

import re
from collections.abc import Sequence

from quintet.triage.model import Claim, Cluster, Raised
from quintet.triage.normalise import shorten

_SENT = re.compile(
    r"(?i)\b(?:emit(?:s|ted|ting)?|publish(?:es|ed|ing)?|broadcast(?:s|ed|ing)?|sen(?:t|ds|ding)|dispatch(?:es|ed|ing)?|notif(?:ied|ying)|deliver(?:ed|ing))\b"
    r"(?=[^\n]{0,120}?\b(?:events?|messages?|frames?|rooms?|channels?|topics?|groups?|to|\w+[._:]\w+)\b)"
)
_ARRIVED = re.compile(
    r"(?i)\b(?:subscribed|joined|registered|listening|entering room|is online|(?<!not )connected|accepted)\b"
)
_NOTHING = re.compile(
    r"^(?:[^\n]{0,300}\n)?assert (?:(?:\[\]|\(\)|\{\}|set\(\)|deque\(\[\]\)|None|0|False) (?:==|is|>=?)|(?:False|None|\[\])$"
    r"|.{1,80} in (?:\[\]|set\(\)|\(\)))"
    r"|^(?:list|deque|tuple) index out of range$|^pop from an? empty"
)
_OF_SOCKETS = re.compile(
    r"(?i)\b(?:emit\w*|publish\w*|broadcast\w*|\w*sockets?|socketio|ws|sids?|subscribers?|channels?|connections?)\b"
)
OF_TALK = re.compile(
    r"(?i)\b(?:\w+[._])?(?:connected|accepted|authenticated|logged_?in|subscribed|joined|delivered|received|seen|got|events?"
    r"|messages?|frames?|inbox"
    r"|notifications?|online|broadcasts?|emitted|sent)\b"
)  # what a line of a test asks about
_TOKENS = re.compile(r"[\w.:/-]{2,60}")
_STAMP = re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d")


def is_of_events(line: str) -> bool:
    """It tells that something was sent, or that somebody came."""
    return bool(_SENT.search(line) or _ARRIVED.search(line))


def _is_to_sockets(line: str) -> bool:
    """The words of programs that have sockets: what a mailbox or a queue sends is nobody's event."""
    return bool(_SENT.search(line) and _OF_SOCKETS.search(line))


def last_sent(asides: Sequence[Raised]) -> Raised | None:
    """The last line that tells of something sent."""
    return next((one for one in reversed(asides) if _SENT.search(one.message)), None)


def later(asides: Sequence[Raised], told: Raised) -> Raised | None:
    """Who came to listen after that line, in the same text, for what it names."""
    asked = _names(told.message)
    return next(
        (
            one
            for one in asides
            if one.at > told.at
            and one.source == told.source
            and _ARRIVED.search(one.message)
            and asked & _names(one.message)
        ),
        None,
    )


def _names(line: str) -> set[str]:
    """Words that may name a room, a run, a user: with a digit, or in quotes."""
    words = {
        word.strip(".:") for word in _TOKENS.findall(line) if any(map(str.isdigit, word)) and not _STAMP.search(word)
    }
    return words | set(re.findall(r"['\"]([\w.:/-]{2,60})['\"]", line))


def unseen(by: str, clusters: Sequence[Cluster]) -> list[Claim]:
    """Tests that saw nothing while something was sent: one claim for each line."""
    groups: dict[str, list[Cluster]] = {}
    for one in clusters:
        quiet = _NOTHING.search(one.message) and OF_TALK.search(one.home_code)
        if quiet and not one.simulated and not one.logged and _is_to_sockets(one.beside):
            groups.setdefault(one.beside, []).append(one)
    return [_claim(f"{by}:unseen-{number}", by, line, group) for number, (line, group) in enumerate(groups.items(), 1)]


def _claim(identity: str, by: str, line: str, group: Sequence[Cluster]) -> Claim:
    place = next((one.where for one in group if one.where and "`" not in one.where), "")
    return Claim(
        identity,
        by,
        "sent-and-not-seen",
        "websocket",
        "suspect",
        f"An event was sent, and the test saw none: `{shorten(line, 160).replace('`', chr(39))}`.",
        "",
        tuple(one.id for one in group),
        tuple(dict.fromkeys(fact for one in group for fact in one.facts[:3])),
        because="The line was printed while the test ran, and what the test collects stayed empty.",
        root="The client listens for another name, room, namespace or user than the one it was sent to, or looks before it has come.",
        fix="Compare name, room and namespace in that line with what the test's client registers for, to the letter; then wait for the event with a "
        "limit, not for a time." + (f" Begin at `{place}`." if place else ""),
        verify="pytest {test}",
        effort=2,
    )
