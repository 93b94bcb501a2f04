"""What a program under test logged beside a failure: a server's own words about what it answered.

Rules: a log is never a cause by itself; it explains only failures that are a server's answer, or its silence; an exception counts with its
class and frames, a line only where it is a warning (or worse) that nobody would write in passing, or tells of the very event that a test
waits for, or of the error behind a value that is not there; what rests on a log is never proven.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from quintet.triage.clusters import masked
from quintet.triage.comparing.asides import beside, is_aside, kind_of
from quintet.triage.model import Entry, Raised, Run
from quintet.triage.reading.tracebacks import chain_of, split_head

LOGGED_LIMIT = 20  # of one entry, the last ones
LINES_LIMIT = 20_000
_LONGEST = 400  # lines of one traceback
_TOLD_WITHIN = 400  # characters of a line

_BEGIN = re.compile(r"^[\s|+]*(?:Exception Group )?Traceback \(most recent call last\):$")
_BETWEEN = re.compile(r"^(?:During handling of the above exception|The above exception was the direct cause)")
_GUTTER = re.compile(r"^\s*[|+]")
_LEVEL = re.compile(
    r"^(?:\S{1,40}[ \t]{1,4}){0,6}?[\[(]?(?:WARN(?:ING)?|ERROR|CRITICAL|FATAL)\b[\])]?[: ]|^(?:Forbidden|Unauthorized|Bad Request) ?[(:]",
    re.IGNORECASE,
)
_TAKEN = re.compile(r"address already in use|WinError 10048", re.IGNORECASE)
_WHY_REFUSED = re.compile(
    r"\bcsrf\b|\bhttp_host\b|\ballowed_hosts\b|\bhost header\b|\btokens?\b"
    r"|\bsignature\b|\bexpired?\b|\borigin\b|\bcredentials?\b|\baudience\b|\bissuer\b|\bcookie\b|\bjwt\b|\bpermissions?\b",
    re.IGNORECASE,
)
_NOT_PASSED_ON = (
    r"(?:\b(?:dropp|discard|skipp|ignor|suppress)(?:ed|ing)\b|\bundeliver|\bnot (?:sent|delivered|emitted|published|forwarded|broadcast"
    r"|subscribed|connected|registered|wired|set|configured|attached|joined)\b|(?:could not|failed to|cannot|can't|unable to) (?:send|deliver|emit"
    r"|publish|notify|broadcast|forward)\b|\bno (?:\w+ ){0,2}(?:connection|subscriber|listener|receiver|recipient|socket|client|member|notifier"
    r"|emitter|bridge|manager|sink|publisher|handler|consumer|callback|room|session|channel)s?\b"
    r"|\b(?:members?|recipients?|receivers?|subscribers?|listeners?|clients?|connections?|(?:sent|delivered|emitted|published) to)[=: ]{1,3}0\b"
    r"|(?:\b(?:to|reached|for|has)|->|=>|[:,(]) 0 (?:\w+ )?"
    r"(?:members?|recipients?|receivers?|subscribers?|listeners?|clients?|connections?|sockets?)\b)"
)
_OF_EVENTS = (
    r"\b(?:events?|messages?|frames?|notif\w+|broadcast\w*|emit\w*|deliver\w*|agent_\w+|tool_\w+|websockets?|sockets?|subscri\w+|rooms?"
    r"|channels?|recipients?|sid|listeners?)\b"
)
KEPT_BACK = rf"(?i)^(?=[^\n]{{0,300}}?{_NOT_PASSED_ON})(?=[^\n]{{0,300}}?{_OF_EVENTS})"  # a program says that it does not pass an event on
_KEPT_BACK = re.compile(KEPT_BACK)
_ERROR_TOLD = re.compile(
    r"\b[A-Za-z_][\w.]{2,60}(?:Error|Exception|Refused|Timeout)\b(?:\(|: )|(?i:\bconnection refused\b|connect call failed"
    r"|\b(?:could not|cannot|failed to|unable to) connect\b|name or service not known)"
)
_OF_A_PAGE = re.compile(
    r"WebSocket connection to '[^']{1,300}' failed|Access to \S{1,40} at '[^']{1,300}' .{0,80}blocked by CORS"
)
_OF_A_LIBRARY = re.compile(
    r"Signature verification failed|Signature has expired|Invalid (?:issuer|audience)\b|Audience doesn't match|Token is missing the"
    r"|Not enough segments"
    r"|The specified alg value is not allowed|The token is not yet valid"
)  # of an exception that was caught: a program repeats them at any level
_OF_A_TOKEN = re.compile(r"(?i)token|signature|jwt|csrf|credential|audience|issuer|expired|unauthori|permission")
_FAILED = re.compile(
    r"\bassert 5\d\d\b|\b5\d\d != \d{3}\b|\bwhere 5\d\d = |\[5\d\d |\bHTTP 5\d\d\b|Internal Server Error|\b5\d\d Server Error|Server error '5\d\d"
    r"|\b5\d\d, message=|HTTP Error 5\d\d|\breceived 1011\b|\b1011\b|Handshake(?:Error:| status) 5\d\d"
    r"|status[_ ]?code[ =:]{1,3}5\d\d|Expecting value: line 1 column 1 "
    r"|Server disconnected|no close frame received|Unexpected ASGI message"
)
_REFUSED = re.compile(
    r"\bassert 40[13]\b|\b40[13] != \d{3}\b|\bwhere 40[13] = |\[40[13] |\bHTTP 40[13]\b|\b40[13] Client Error"
    r"|\b40[13], message=|HTTP Error 40[13]|Client error '40[13]|Handshake"
    r"(?:Error:| status) 40[13]|namespaces failed to connect|\{'(?:detail|error|message)': '[^'}]{0,200}(?:credential|authenticat|[Uu]nauthori)"
)
_SILENT = re.compile(
    r"(?i)connection refused|connect call failed|connection attempts failed|\btimed? ?out\b|timeouterror"
    r"|\b(?:server|app\w*|service|backend|uvicorn|process)\b[^\n]{0,60}(?:did not|didn't|never|not|failed to|exited|died|stopped)"
)
_CLOSED = re.compile(
    r"Received message (?:8|WSMsgType\.CLOSE):(?:1008|[34]\d{3})\b|\breceived (?:1008|[34]\d{3})\b|WebSocketDisconnect: \(?(?:1008|[34]\d{3})\b"
    r"|\bcode[ =:]+(?:1008|[34]\d{3})\b"
)
_WAITED = re.compile(
    r"(?i)\btimed? ?out\b|timeouterror|^(?:\w+\.)*(?:Empty|TooSlowError|QueueEmpty|Cancelled)\b"
    r"|^AssertionError: [\s\S]{0,300}?(?:\b(?:events?|messages?|frames?"
    r"|notifications?|agent_\w+|tool_\w+)\b|\bin \[\]|assert \[\] ==)"
)
_HOLLOW = re.compile(
    r"'NoneType' object (?:has no|is not|does not|can't)|argument of type 'NoneType'|\bNoneType\b[^\n]{0,40} can't be used"
)
_EXITED = re.compile(  # what a process that the test started came back with
    r"\bwhere -?[1-9]\d{0,2} = [^\n]{0,400}\.(?:returncode|exit_?code)\b|returned non-zero exit status -?[1-9]|<Result [A-Z]\w+\("
)
_RESULT = re.compile(r"<Result ([A-Z]\w{2,60})\((['\"])(.{1,300}?)\2\)")
_MISSED = re.compile(
    r"\bassert 404\b|\bwhere 404 = |\b404 != \d{3}\b|\bHTTP 40[04]\b|Expecting value: line 1 column 1 "
)
_UNFIT = re.compile(r"\bassert 400\b|\bwhere 400 = |\b400 != \d{3}\b|\bHTTP 400\b|Client error '400|\b400 Client Error")
_OF_A_REQUEST = re.compile(
    r"(?i)\bhost\b|\bhttp_host\b|DisallowedHost|Suspicious\w+|BadRequest\w*|\bheaders?\b|csrf|origin"
)
_SYSTEMS = frozenset({"ConnectionRefusedError", "gaierror", "TimeoutError", "OSError", "ConnectionResetError"})
_LEAVING = frozenset(
    {
        "ConnectionClosed", "ConnectionClosedError", "ConnectionClosedOK", "WebSocketDisconnect", "ClientDisconnected", "ClientDisconnect",
        "CancelledError", "ConnectionResetError", "BrokenPipeError", "IncompleteReadError", "EOFError", "KeyboardInterrupt", "GeneratorExit",
    }
)  # fmt: skip


def logged_in(lines: Sequence[str], first: int, source: str = "") -> tuple[Raised, ...]:
    """Exceptions and telling lines of a log, in its order. `first` is the line number of `lines[0]`. Text that is masked already."""
    found = [replace(one, logged=True, source=source) for one in _logged(lines[:LINES_LIMIT], first)]
    kept = [one for kind in (0, 1, 2) for one in [one for one in found if kind_of(one) == kind][-LOGGED_LIMIT:]]
    return tuple(sorted(kept, key=lambda one: one.at))


def _logged(lines: Sequence[str], first: int) -> Iterator[Raised]:
    at = 0
    while at < len(lines):
        if _BEGIN.match(lines[at]):
            end = _end_of(lines, at)
            chain = chain_of(lines[at:end], first + at)
            if chain[-1].exception:
                yield _telling(chain)
            at = end
        else:
            line = lines[at]
            if (tells := _tells(line)) or is_aside(line):
                yield Raised("", line.strip()[:600], first + at, aside=not tells)
            at += 1


def _tells(line: str) -> bool:
    warns = _LEVEL.match(line) and (_TAKEN.search(line) or _WHY_REFUSED.search(line))
    told = _ERROR_TOLD.search(line[:_TOLD_WITHIN]) and not _HOLLOW.search(line)
    return bool(warns or _KEPT_BACK.search(line) or told or _OF_A_PAGE.search(line) or _OF_A_LIBRARY.search(line))


def _telling(chain: Sequence[Raised]) -> Raised:
    """The first exception; the last where it is of the same class, or where the first is the system's and the last says whom it concerns."""
    first, last = chain[0], chain[-1]
    if first.name == last.name:
        return last
    return last if first.name in _SYSTEMS and len(last.message) > len(first.message) else first


def _end_of(lines: Sequence[str], begin: int) -> int:
    """After the line that names the exception, and after those of its chain."""
    at, told = begin + 1, False
    while at < min(len(lines), begin + _LONGEST):
        line = lines[at]
        if _BEGIN.match(line) or _BETWEEN.match(line):
            told = False
        elif line[:1].strip() and not _GUTTER.match(line):
            if told or not split_head(line)[0]:
                return at
            told = True
        elif told and (line.strip() or not _BETWEEN.match(lines[at + 1] if at + 1 < len(lines) else "")):
            return at
        at += 1
    return at


def explained(run: Run) -> tuple[Entry, ...]:
    """The entries, those that are a server's answer with what was logged about it as the first exception of their chain."""
    common = _Common(run)
    return tuple(beside(_explained(entry, common), run.logged) for entry in run.entries)


def _explained(entry: Entry, common: "_Common") -> Entry:
    if not _answer(entry):
        return entry
    cause = _own(entry) or common.of(entry)
    return entry if cause is None else replace(entry, chain=(cause, *entry.chain))


def _own(entry: Entry) -> Raised | None:
    """The last that was logged while it ran, and fits; or the exception that a command's runner keeps in its result."""
    found = next((one for one in reversed(entry.logged) if not one.aside and _fits(entry, one)), None)
    kept = _RESULT.search(_said(entry)) if found is None else None
    return Raised(kept[1], kept[3], entry.last.at, logged=True) if kept else found


def _said(entry: Entry) -> str:
    last = entry.last
    return f"{last.name}: {last.message}"


def _answer(entry: Entry) -> bool:
    """The failure is what came back from a server, or that nothing came. What the test itself says otherwise has its own reasons."""
    if entry.phase not in ("call", "setup") or entry.last.message.startswith("DID NOT RAISE"):
        return False
    said = _said(entry)
    return any(
        pattern.search(said)
        for pattern in (_FAILED, _REFUSED, _SILENT, _MISSED, _UNFIT, _WAITED, _HOLLOW, _CLOSED, _EXITED)
    )


def _fits(entry: Entry, logged: Raised) -> bool:
    said = _said(entry)
    if not logged.exception:
        return any(pattern.search(said) for pattern in _explains(logged.message))
    if logged.name in _LEAVING or any(_likeness(logged) == _likeness(raised) for raised in entry.chain):
        return False  # the client's own report of the same thing, or the server's that the client went away
    told = f"{logged.name} {logged.message}"
    if any(pattern.search(said) for pattern in (_FAILED, _SILENT, _HOLLOW, _EXITED)):
        return True
    why = (
        _OF_A_TOKEN if _REFUSED.search(said) or _CLOSED.search(said) else _OF_A_REQUEST if _UNFIT.search(said) else None
    )
    return bool(why and why.search(told))


def _explains(line: str) -> list[re.Pattern[str]]:
    """The failures that such a line can be the reason of."""
    if _LEVEL.match(line) and _TAKEN.search(line):
        return [_MISSED, _SILENT, _REFUSED]
    warns = (
        (_LEVEL.match(line) and _WHY_REFUSED.search(line))
        or (_ERROR_TOLD.search(line[:_TOLD_WITHIN]) and _OF_A_TOKEN.search(line))
        or _OF_A_LIBRARY.search(line)
    )
    found = [_REFUSED, _CLOSED, *([_UNFIT] if _OF_A_REQUEST.search(line) else [])] if warns else []
    if _KEPT_BACK.search(line) or _OF_A_PAGE.search(line):
        found.append(_WAITED)
    return [*found, _HOLLOW] if _ERROR_TOLD.search(line[:_TOLD_WITHIN]) else found


class _Common:
    """What was logged elsewhere in the run: in a log of its own, or for the first of several tests that meet the same silence."""

    def __init__(self, run: Run) -> None:
        self._beside = [_most(group) for group in _kinds([one for one in run.logged if not one.aside])]
        self._alike: dict[tuple[str, str], list[Raised]] = {}
        for entry in run.entries:
            said = _said(entry)
            if _answer(entry) and (_SILENT.search(said) or _HOLLOW.search(said)) and (one := _own(entry)):
                here = replace(one, source=one.source or entry.source)
                self._alike.setdefault(_likeness(entry.last), []).append(here)
        self._taken = next((one for one in _all(run) if not one.exception and _TAKEN.search(one.message)), None)

    def of(self, entry: Entry) -> Raised | None:
        """The one that fits, the nearest first."""
        candidates = (_most(self._alike.get(_likeness(entry.last), ())), *self._beside, self._taken)
        return next((one for one in candidates if one is not None and _fits(entry, one)), None)


def _kinds(logged: Sequence[Raised]) -> Iterator[list[Raised]]:
    """Exceptions apart from lines, and these by what they can explain: one kind does not hide the other."""
    groups: dict[tuple[str, ...], list[Raised]] = {}
    for one in logged:
        kind = ("",) if one.exception else tuple(pattern.pattern for pattern in _explains(one.message))
        groups.setdefault(kind, []).append(one)
    yield from groups.values()


def _all(run: Run) -> Iterator[Raised]:
    yield from run.logged
    for entry in run.entries:
        yield from (replace(one, source=one.source or entry.source) for one in entry.logged)


def _likeness(one: Raised) -> tuple[str, str]:
    return (one.name, masked(one.message))


def _most(logged: Sequence[Raised]) -> Raised | None:
    """The one that makes up more than half: of several different ones nothing tells which belongs to a test."""
    counted = Counter(map(_likeness, logged)).most_common(1)
    if not counted or 2 * counted[0][1] <= len(logged):
        return None
    return next(one for one in logged if _likeness(one) == counted[0][0])
