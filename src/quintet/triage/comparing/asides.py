"""A line that a program printed beside a failure, in words of which nothing is known: quoted to the reader, never believed.

Rules: no rule of a cause reads it; it must say that something is refused, missing, or not as expected; it stands only beside what came back
from a server, or did not come; of several the worst counts, then the last; of a log beside the report only what makes up more than half.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from quintet.triage.clusters import home_of, masked
from quintet.triage.comparing.cookies import said_of_cookie
from quintet.triage.comparing.sent import OF_TALK, is_of_events, last_sent, later
from quintet.triage.model import Entry, Raised

_LONGEST = 400  # characters of a line
_WORSE = re.compile(r"^(?:\S{1,40}[ \t]{1,4}){0,6}?[\[(]?(?:WARN(?:ING)?|ERROR|CRITICAL|FATAL)\b")
_NEGATIVE = re.compile(
    r"(?i)\b(?:not|no|unknown|missing|refus\w+|reject\w*|den(?:y|ied)|invalid|mismatch\w*|unexpected|fail(?:ed|s|ure)?"
    r"|without|wrong|unsupported"
    r"|forbidden|cannot|can't|won't|could not|never|nobody|nothing|lost|drop(?:ped|s|ping)?|stale|differs?|different"
    r"|expected|clos(?:ed|ing)"
    r"|unauthorized|unable|ignor\w+|skipp\w+|discard\w*|expired|revoked|too (?:big|large|long|many|old|late))\b"
    r"|[=:] ?(?:0|None|\[\]|\{\}|set\(\))(?![\w.])"
)
_NOISE = re.compile(
    r"^(?:-{3,}|={3,}|\s*$|E  |>  |\w{1,60} = |_ _ |    )|Warning: |\b(?:Application|Waiting for application"
    r"|[Ss]erver process|Press CTRL)\b"
    r"|HTTP Request: "
    r"|\b(?:GET|POST|PUT|PATCH|DELETE|OPTIONS|WebSocket) /"
    r"|connection rejected \(|connection handler failed"
    r"|\b(?:Unauthorized|Forbidden|Not Found|Bad Request|Method Not Allowed)[^:]{0,10}: /\S*$"
    r"|(?i:favicon|shutting down|using selector|connection (?:open|closed)\b|debug mode|development server|no close code)"
)
_STATUS = re.compile(
    r"\bassert [1-5]\d\d (?:==|!=|in|<)|\b[1-5]\d\d != [1-5]\d\d\b|\bwhere [1-5]\d\d = |(?:Client|Server) error '[45]\d\d"
    r"|\bHTTP(?: Error)?:? [45]\d\d\b|\b[45]\d\d(?:, message=| (?:Client|Server) Error\b)"
)
_WAITED = re.compile(
    r"(?i)\btimed? ?out\b|timeout|^(?:\w+\.)*(?:Empty|TooSlowError|QueueEmpty|Cancelled|CancelledError)\b|ConnectionClosed"
    r"|Disconnect\b|Handshake"
    r"|returned non-zero exit status|\.(?:returncode|exit_?code)\b"
    r"|InvalidStatus|MessageTypeError|ConnectionError|BadNamespace"
    r"|^AssertionError: [\s\S]{0,300}?(?:\b(?:events?|messages?|frames?|notifications?|agent_\w+|tool_\w+)\b|\bin \[\]|assert \[\] ==)"
)
_EMPTY = re.compile(
    r"(?m)^(?:assert (?:not )?(?:False|True|None|\[\]|\(\)|\{\}|0|set\(\))(?:$| (?:==|is|>|in)\b|\s)|assert .{1,80} in (?:\[\]|set\(\)))"
    r"|^(?:list|deque) index out of range"
)
_DIGITS = re.compile(r"\d+")


def is_aside(line: str) -> bool:
    """It may tell a reader why, though no rule knows its words."""
    return _complains(line) or (len(line) <= _LONGEST and is_of_events(line) and not _NOISE.search(line))


def is_warning(line: str) -> bool:
    """Its level is that of a warning, or worse."""
    return bool(_WORSE.match(line))


def kind_of(one: Raised) -> int:
    """What it is kept as: 0 what a rule reads, 1 a complaint, 2 what was sent and who came."""
    return 0 if not one.aside else 1 if _complains(one.message) else 2


def _complains(line: str) -> bool:
    if said_of_cookie(line):
        return len(line) <= 2 * _LONGEST
    return len(line) <= _LONGEST and bool(_NEGATIVE.search(line) or _WORSE.match(line)) and not _NOISE.search(line)


def beside(entry: Entry, logged: Sequence[Raised]) -> Entry:
    """The entry with the line to quote, where nothing else that was logged explains it. `logged` stands in logs of their own."""
    own, common = ([one for one in lines if not one.exception] for lines in (entry.logged, logged))
    told = next((one for one in entry.chain if one.logged), None)
    if told is not None:
        found = None if told.exception else later([*own, *common], told)
        return replace(entry, beside=found) if found else entry
    if not _came_back(entry):
        return entry
    found = _worst(_complaints(own)) or _most(_complaints(common)) or last_sent(own) or last_sent(common)
    return replace(entry, beside=found) if found else entry


def _complaints(asides: Sequence[Raised]) -> list[Raised]:
    return [one for one in asides if kind_of(one) < 2]


def _came_back(entry: Entry) -> bool:
    said = f"{entry.last.name}: {entry.last.message}"
    answer = entry.phase in ("call", "setup") and not entry.last.message.startswith("DID NOT RAISE")
    return answer and bool(_STATUS.search(said) or _WAITED.search(said) or _asks_who_came(entry))


def _asks_who_came(entry: Entry) -> bool:
    """A truth or an emptiness that the test's line says to be about a connection, a sign-in or what was received."""
    home = home_of(entry.last)
    return bool(home and _EMPTY.search(entry.last.message) and OF_TALK.search(home.code))


def _worst(asides: Sequence[Raised]) -> Raised | None:
    ordered = sorted(asides, key=lambda one: (bool(_WORSE.match(one.message)), bool(said_of_cookie(one.message))))
    return ordered[-1] if ordered else None


def _most(asides: Sequence[Raised]) -> Raised | None:
    counted = Counter(map(_likeness, asides)).most_common(1)
    if not counted or 2 * counted[0][1] <= len(asides):
        return None
    return next(one for one in asides if _likeness(one) == counted[0][0])


def _likeness(one: Raised) -> str:
    return _DIGITS.sub("0", masked(one.message))
