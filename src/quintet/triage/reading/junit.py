"""JUnit XML to a Run.

Rules: reading begins at the suite itself, so a document type is never seen and no entity ever defined; a file that ends
too early gives what stands before; the totals are the attributes of the suites; an element with fourteen errors is fourteen entries.
"""

import re
from dataclasses import dataclass, field, replace
from xml.parsers import expat  # no document type is ever read, so nothing can expand

from quintet.triage.masking import mask
from quintet.triage.model import Entry, Line, Outcome, Phase, Raised, Run, Totals
from quintet.triage.normalise import LINE_LIMIT
from quintet.triage.reading.embedded import named
from quintet.triage.reading.logs import logged_in
from quintet.triage.reading.tracebacks import chain_of, split_head

ENTRIES_LIMIT = 20_000
_OUTPUT = ("system-out", "system-err")
_OUTPUT_LIMIT = 400_000
_SKIPPED = ("skipped", "skip", "skips", "disabled")

_START = re.compile(r"<\?xml[^<]{0,300}<testsuites?[\s>]|<testsuites?[\s>]")
_CASE = re.compile(r"<testcase\s[^<>]{0,5000}>")
_BANNER = re.compile(r"^=+ .{1,200} =+$", re.MULTILINE)
_SETUP = re.compile(r'^(?:failed on (setup|teardown) with "(.*?)"?|test (setup|teardown) failure)$', re.DOTALL)
_CLASS = re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Warning|Failure|Timeout)$")
_ESCAPED = re.compile(r"#x1B\[[\d;]{0,20}m")


def looks_like(text: str) -> bool:
    """True when the text holds a JUnit document, also with words before it, or a part of one."""
    return bool(_START.search(text[:20_000])) or _is_part(text)


def _is_part(text: str) -> bool:
    """Elements without their suite: the beginning was cut off. Console text may quote such, and has banners of its own."""
    return bool(_CASE.search(text[:1_000_000])) and not _BANNER.search(text)


@dataclass(slots=True)
class _Suite:
    """What the parser has gathered."""

    numbers: dict[str, int] = field(default_factory=dict)
    whole: dict[str, int] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    cases: int = 0
    clean: int = 0
    spoiled: bool = False
    name: str = ""
    depth: int = 0
    open: tuple[str, str, str, int] | None = None
    text: list[str] = field(default_factory=list)
    skipped: int = 0
    output: int = 0
    first: int = 0
    logged: list[Raised] = field(default_factory=list)


def read(text: str, source: str) -> Run:
    """The run in the document. A cut-off or broken document gives what could be read, and says so."""
    found = _START.search(text[:20_000])
    part = None if found else _CASE.search(text[:1_000_000])
    begin = found.start() if found else part.start() if part else 0
    suite, fault = _parse(("<testsuite>" if part else "") + text[begin:], text.count("\n", 0, begin))
    broken = f"The XML could not be read to its end ({fault}), so entries may be missing." if fault else ""
    partly = (
        "This is a part of an XML report: its own numbers are not in it, and entries may be missing." if part else ""
    )
    gaps = tuple(gap for gap in (partly or broken,) if gap)
    totals = _totals(suite, bool(fault) and not part)
    header = (Line("totals", _as_words(totals), 1 + text.count("\n", 0, begin)),)
    return Run("junit", source, totals, header, tuple(suite.entries), (), gaps)


def _as_words(totals: Totals) -> str:
    return f"tests={totals.tests} failures={totals.failures} errors={totals.errors} skipped={totals.skipped}"


def _parse(document: str, before: int) -> tuple[_Suite, str]:
    suite = _Suite()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True

    def begin(tag: str, attributes: dict[str, str]) -> None:
        _begin(suite, tag, attributes, before + parser.CurrentLineNumber)

    parser.StartElementHandler = begin
    parser.EndElementHandler = lambda tag: _finish(suite, tag)
    parser.CharacterDataHandler = lambda data: suite.text.append(data) if suite.open or suite.output else None
    try:
        parser.Parse(document.encode(), True)
    except expat.ExpatError as fault:
        return suite, expat.errors.messages.get(fault.code, "broken").rstrip(".")
    return suite, ""


def _begin(suite: _Suite, tag: str, attributes: dict[str, str], at: int) -> None:
    if tag == "testsuites":
        _add(suite.whole, attributes)
    elif tag == "testsuite":
        suite.depth += 1
        if suite.depth == 1:
            _add(suite.numbers, attributes)
    elif tag == "testcase":
        suite.cases, suite.spoiled, suite.first, suite.logged = suite.cases + 1, False, len(suite.entries), []
        suite.name = node_of(attributes.get("classname", ""), attributes.get("name", ""), attributes.get("file", ""))
    elif tag in ("failure", "error"):
        suite.open = (tag, attributes.get("message", ""), attributes.get("type", ""), at)
        suite.text, suite.spoiled = [], True
    elif tag in _OUTPUT:
        suite.output, suite.text = at, []
    elif tag == "skipped":
        suite.skipped, suite.spoiled = suite.skipped + 1, True


def _add(numbers: dict[str, int], attributes: dict[str, str]) -> None:
    for name, names in (
        ("tests", ("tests",)),
        ("failures", ("failures",)),
        ("errors", ("errors",)),
        ("skipped", _SKIPPED),
    ):
        said = next((attributes[one] for one in names if attributes.get(one, "").isdigit()), "")
        if said:
            numbers[name] = numbers.get(name, 0) + int(said[:9])


def _finish(suite: _Suite, tag: str) -> None:
    if tag == "testsuite":
        suite.depth -= 1
    elif tag == "testcase":
        suite.clean += not suite.spoiled
        logged = tuple(suite.logged)
        suite.entries[suite.first :] = [replace(entry, logged=logged) for entry in suite.entries[suite.first :]]
    elif tag in _OUTPUT and suite.output:
        suite.logged += logged_in(mask(_ESCAPED.sub("", "".join(suite.text))[:_OUTPUT_LIMIT]).split("\n"), suite.output)
        suite.output = 0
    elif suite.open and tag == suite.open[0]:
        if len(suite.entries) < ENTRIES_LIMIT:
            suite.entries.append(_entry(suite.name, suite.open, "".join(suite.text)))
        suite.open = None


def _entry(name: str, opened: tuple[str, str, str, int], text: str) -> Entry:
    tag, message, kind, at = opened
    outcome: Outcome = "failed" if tag == "failure" else "error"
    found = _SETUP.match(message) if outcome == "error" else None
    said = (found[2] or "") if found else "" if message == "collection failure" else message
    said = mask(_ESCAPED.sub("", said)[:LINE_LIMIT])
    lines = [line[:LINE_LIMIT] for line in _ESCAPED.sub("", text).split("\n")]
    chain = _best(chain_of(mask("\n".join(lines)).split("\n"), at), said, at)
    if not chain[-1].exception and _CLASS.match(kind):  # what other runners write
        chain = (*chain[:-1], replace(chain[-1], exception=kind))
    return Entry(mask(name), outcome, _phase(message, found), chain, at)


def _phase(message: str, found: re.Match[str] | None) -> Phase:
    """Pytest names every phase but the call; other runners write an error for any exception of a call."""
    if found is None:
        return "collect" if message == "collection failure" else "call"
    return "teardown" if "teardown" in (found[1], found[3]) else "setup"


def _best(chain: tuple[Raised, ...], said: str, at: int) -> tuple[Raised, ...]:
    """The text when it holds a traceback, otherwise the message attribute."""
    last = chain[-1]
    if named(last) is not last:
        return (*chain[:-1], named(last))
    if last.exception or not said:
        return chain
    exception, message = split_head(said.split("\n", 1)[0])
    return (*chain[:-1], Raised(exception, message if exception else said[:1_600], last.at or at, last.frames))


def _totals(suite: _Suite, cut: bool) -> Totals:
    failures = sum(1 for entry in suite.entries if entry.outcome == "failed")
    errors = len(suite.entries) - failures
    numbers = suite.whole | suite.numbers
    tests = numbers.get("tests", suite.cases)
    failures, errors = numbers.get("failures", failures), numbers.get("errors", errors)
    skipped = numbers.get("skipped", suite.skipped)
    return Totals(tests, max(0, tests - failures - errors - skipped) if cut else suite.clean, failures, errors, skipped)


def node_of(classname: str, name: str, file: str) -> str:
    """Pytest's node id as far as JUnit tells it: `tests.test_a.TestB` and `test_c` to `tests/test_a.py::TestB::test_c`."""
    if not classname:
        return file or name
    parts = classname.split(".")
    first_class = next((at for at, part in enumerate(parts) if _is_class(part, parts[:at])), len(parts))
    path = file.replace("\\", "/") if file else "/".join(parts[:first_class]) + ".py"
    return "::".join([path, *parts[first_class:], name])


def _is_class(part: str, before: list[str]) -> bool:
    """`TestX` anywhere, and any name with a capital after what looks like a test module (unittest's classes)."""
    inside = any(name.startswith("test_") or name.endswith("_test") for name in before)
    return part[:1].isupper() and (part.startswith("Test") or inside)
