"""Entries that failed in the same way, put together.

Coarse: phase, exception, message with everything incidental masked. Fine: the deepest frame of the project's own code, kept per
cluster as `places`. The first exception of a chain counts as much as the last: what was wrapped is nearer to the cause.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from quintet.triage.model import Cluster, Entry, Fact, Frame, Raised
from quintet.triage.normalise import shorten

CLUSTERS_LIMIT = 2_000
NAMES_SHOWN = 60
MESSAGE_SHOWN = 600

_INCIDENTAL = (
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE), "<uuid>"),
    (re.compile(r"\b0x[0-9a-fA-F]{4,}\b"), "<address>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{16,}\b"), "<hex>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b\d{4,}\b"), "<number>"),
    (re.compile(r"\b\d+\.\d+\b"), "<number>"),
)
_MOCK_CALLS = frozenset({"_mock_call", "_execute_mock_call", "__call__"})
_SIDE_EFFECT = re.compile(r"^raise (?:effect|result)\b")
_RAISE = re.compile(r"(?:^|: )raise\b")
_TEST_MODULE = re.compile(r"(?:^|[/\\])(?:test_[^/\\]*|[^/\\]*_test)\.py$")

_CONFTEST = re.compile(r"(?:^|[/\\])conftest\.py$")
# What a fake raises to imitate its surroundings; a guard of the tests' own helpers raises something else.
_IMITATED = frozenset(
    {
        "ConnectionError", "ConnectionRefusedError", "ConnectionResetError", "ConnectionAbortedError", "BrokenPipeError", "TimeoutError",
        "PermissionError", "ConnectError", "ConnectTimeout", "ReadTimeout", "gaierror", "Timeout", "MemoryError", "OSError", "RequestException",
        "HTTPError", "TimeoutException", "RemoteProtocolError", "WebSocketDisconnect", "ConnectionClosed", "RedisError", "BlockingIOError",
    }
)  # fmt: skip
_OUTAGES = _IMITATED | {"ModuleNotFoundError", "OperationalError", "KeyError"}
_PASSED = 40
_WRAPPED = 300
_AT_ONCE = 3  # kinds of outage in one module, none with a frame


def masked(message: str, own_name: str = "") -> str:
    """The message without what differs from test to test: ids, addresses, times, big numbers, the test's own name."""
    text = message.split("\n", 1)[0][:1_000]
    if own_name:
        text = text.replace(own_name, "<test>")
    for pattern, replacement in _INCIDENTAL:
        text = pattern.sub(replacement, text)
    return text


def own_name(entry: Entry) -> str:
    """The bare name of the test function."""
    return entry.name.rpartition("::")[2].partition("[")[0].rpartition(".")[2]


def home_of(raised: Raised) -> Frame | None:
    """The deepest frame of the project's own code, tests included."""
    return next((frame for frame in reversed(raised.frames) if frame.place in ("product", "test")), None)


def first_of(entry: Entry) -> Raised:
    """The first exception of the chain. A cancellation is only how a time limit ends what it waits for, and the time limit itself gives way
    to what was met elsewhere while it was dealt with: what was waited for had failed."""
    chain = entry.chain
    if len(chain) < 2 or chain[0].logged:
        return chain[0]
    first = chain[1] if chain[0].name in ("CancelledError", "Cancelled") else chain[0]
    return entry.last if first.name == "TimeoutError" and _met_elsewhere(entry.last, first) else first


def waited_in(entry: Entry) -> Raised:
    """The first exception; of a time limit the cancellation below it, whose frames show what was waited for."""
    first = first_of(entry)
    ended = entry.chain[0].name in ("CancelledError", "Cancelled") and home_of(entry.chain[0])
    return entry.chain[0] if ended and first.name == "TimeoutError" and first is not entry.chain[0] else first


def _met_elsewhere(last: Raised, limit: Raised) -> bool:
    """Raised in a file that the wait did not pass through, so it is no other word for the time limit."""
    passed = {frame.path for frame in limit.frames}
    return (
        last is not limit
        and bool(limit.frames and last.frames)
        and last.frames[-1].path not in passed
        and last.frames[-1].place in ("product", "library")
        and not re.search(r"(?i)time_?d?_?out|Cancel|Closed|Disconnect|Assertion|Failed", last.name)
    )


def is_simulated(raised: Raised, phase: str) -> bool:
    """True when a mock's side effect or the test itself raised the exception: then nothing real failed.

    A guard in a conftest or at import is real, and so is what `patch` says about a wrong target.
    """
    if not raised.frames:
        return False
    last = raised.frames[-1]
    if last.place == "mock":
        spoken = not last.code and raised.name not in (
            "AttributeError",
            "AssertionError",
        )  # one line for each failure: no code
        return spoken or last.function in _MOCK_CALLS or bool(_SIDE_EFFECT.match(last.code))
    if raised.name in ("AssertionError", "Failed"):
        return False  # a test that gives up in its own words imitates nothing
    if last.place != "test" or phase not in ("call", "setup") or _CONFTEST.search(last.path):
        return False
    if not last.code:
        return raised.name in _IMITATED
    if not _RAISE.search(last.code):
        return False
    return (phase == "call" and bool(_TEST_MODULE.search(last.path))) or raised.name in _IMITATED


def cluster(entries: Sequence[Entry], facts: Sequence[Sequence[Fact]]) -> tuple[Cluster, ...]:
    """The clusters, biggest first. `facts[n]` are the facts of entry n."""
    imitators = _imitators(entries)
    groups: dict[tuple[str, ...], list[int]] = {}
    for number, entry in enumerate(entries):
        groups.setdefault(_key(entry, imitators), []).append(number)
    ordered = sorted(groups.values(), key=lambda members: (-len(members), members[0]))
    kept = [
        _cluster(f"C{number}", entries, members, facts, imitators)
        for number, members in enumerate(ordered[:CLUSTERS_LIMIT], 1)
    ]
    rest = [member for members in ordered[CLUSTERS_LIMIT:] for member in members]
    return (*kept, _various(entries, rest, facts)) if rest else tuple(kept)


def _various(entries: Sequence[Entry], members: Sequence[int], facts: Sequence[Sequence[Fact]]) -> Cluster:
    """What is beyond the bound, as one cluster that claims no likeness."""
    shown = _cluster(f"C{CLUSTERS_LIMIT + 1}", entries, members, facts)
    words = "various errors, too many to group"
    return replace(
        shown,
        exception="",
        message=words,
        first_exception="",
        first_message=words,
        places=(),
        raised=(),
        simulated=False,
        code="",
    )


def _module(entry: Entry) -> str:
    return entry.name.partition("::")[0]


def _imitators(entries: Sequence[Entry]) -> frozenset[str]:
    """Modules whose tests have mocks raise: a frame shows it, or, without frames, several outages at once. A real one comes alone."""
    shown = {_module(entry) for entry in entries if is_simulated(first_of(entry), entry.phase)}
    outages: dict[str, set[str]] = {}
    for entry in entries:
        if _is_unseen(entry) and entry.last.name in _OUTAGES:
            outages.setdefault(_module(entry), set()).add(entry.last.name)
    return frozenset(shown | {module for module, names in outages.items() if len(names) >= _AT_ONCE})


def _is_unseen(entry: Entry) -> bool:
    return entry.phase == "call" and not any(raised.frames for raised in entry.chain)


def _imitates(entry: Entry, imitators: frozenset[str]) -> bool:
    """Raised by a mock; or no frame is shown, and this module's tests have mocks raise such things: then nothing is known to be real."""
    if is_simulated(first_of(entry), entry.phase):
        return True
    return _is_unseen(entry) and _module(entry) in imitators and entry.last.name not in ("AssertionError", "Failed", "")


def _key(entry: Entry, imitators: frozenset[str]) -> tuple[str, ...]:
    first, last, name = first_of(entry), entry.last, own_name(entry)
    simulated = "simulated" if _imitates(entry, imitators) else ""
    if not last.exception and not last.message:  # only its name is there: the parameters of one test may share a cause
        return (entry.phase, "", entry.name.partition("[")[0])
    return (entry.phase, last.name, masked(last.message, name), first.name, masked(first.message, name), simulated)


def _cluster(
    identity: str,
    entries: Sequence[Entry],
    members: Sequence[int],
    facts: Sequence[Sequence[Fact]],
    imitators: frozenset[str] = frozenset(),
) -> Cluster:
    shown = max((entries[member] for member in members[:50]), key=lambda entry: bool(entry.last.frames))
    first, last, home = first_of(shown), shown.last, _home_frame(shown)
    places = Counter(place for member in members if (place := _home(entries[member])))
    return Cluster(
        identity,
        shown.phase,
        last.exception,
        last.message[:MESSAGE_SHOWN],
        first.exception,
        first.message[:MESSAGE_SHOWN],
        tuple(places.most_common(4)),
        tuple(
            frame.place + ":" + shorten(frame.path, 160)
            for frame in (first.frames or (() if first.logged else last.frames))[-6:]
        ),
        _imitates(shown, imitators),
        tuple(members),
        tuple(entries[member].name[:300] for member in members[:NAMES_SHOWN]),
        tuple(fact.id for member in members[:2] for fact in facts[member]),
        _home(shown) or "",
        "\n".join(frame.code for frame in first.frames[-3:]),
        _passed(shown),
        "\n".join(dict.fromkeys(frame.code for frame in (home, home_of(last)) if frame)),
        first.logged,
        last.frames[-1].place if last.frames else "",
        "\n".join(shorten(f"{raised.name}: {raised.message}", _WRAPPED) for raised in shown.chain[1:-1]),
        shown.beside.message if shown.beside else "",
        last.given,
        _asked(shown),
    )


def _asked(entry: Entry) -> str:
    frames = (*first_of(entry).frames, *entry.last.frames)
    return next((frame.code for frame in reversed(frames) if frame.place == "test"), "")


def _passed(entry: Entry) -> str:
    """The files that the exceptions passed through, the last of each exception."""
    paths = (frame.path.replace("\\", "/")[-200:] for raised in entry.chain for frame in raised.frames[-_PASSED:])
    return "\n".join(dict.fromkeys(paths))


def _home_frame(entry: Entry) -> Frame | None:
    return home_of(waited_in(entry)) or home_of(entry.last)


def _home(entry: Entry) -> str:
    frame = _home_frame(entry)
    return f"{shorten(frame.path, 160)}:{frame.line}" if frame else ""
