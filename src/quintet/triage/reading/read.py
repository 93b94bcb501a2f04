"""Text to a Run: which kind of text it is, its totals, its entries.

Rules: the report's own numbers win over ours; an entry keeps pytest's own name; a run that ended before any test
(bad option, broken conftest, crash) has one entry of phase `session`; text that is no test report is said to be none.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from quintet.triage.masking import mask
from quintet.triage.model import Entry, Frame, Line, Outcome, Phase, Raised, Run, Totals
from quintet.triage.normalise import TEXT_LIMIT, normalise
from quintet.triage.reading import documents, junit, reportlog, unittests
from quintet.triage.reading.around import around
from quintet.triage.reading.console import Block, Parts, cut, location_of, pieces, reasons
from quintet.triage.reading.embedded import named
from quintet.triage.reading.logs import logged_in
from quintet.triage.reading.repeats import passed_elsewhere
from quintet.triage.reading.session import SERVICES_OF_THE_KIT, faults, stray_traceback
from quintet.triage.reading.tracebacks import chain_of, is_captured, place_of, split_head

ENTRIES_LIMIT = 20_000
BETWEEN_LIMIT = 20_000  # lines
_THREAD_LINES = 60
_LAST_LINES = 20
_NO_RESULT = re.compile(r"^(\S{1,400}\.py(?:::[^\s`]{1,600})?)\s*$")

_AT_PHASE = re.compile(r"^ERROR (?:at (setup|teardown) of|(collecting)) (.+)$")
_WARNING = re.compile(r"^\s+(?:\S.{0,400}?:\d+: )?([A-Za-z_][\w.]*Warning\w*): (.+)$")


def read(text: str, source: str = "report") -> Run:
    """A run from JUnit XML, pytest-reportlog, pytest-json-report, CTRF or what pytest or unittest prints, told apart by what stands in it.

    Never raises.
    """
    if junit.looks_like(text):
        return junit.read(normalise(text, TEXT_LIMIT), source)
    if reportlog.looks_like(text):
        return reportlog.read(text[:TEXT_LIMIT], source)
    if documents.looks_like(text):
        return documents.read(text[:TEXT_LIMIT], source)
    plain = mask(normalise(text))
    return unittests.read(plain, source) if unittests.looks_like(plain) else _console(plain, source)


def _console(text: str, source: str) -> Run:
    parts = cut(text)
    entries = _entries(parts)
    session = faults(parts)
    if not entries and not _is_pytest(parts) and (not session or _is_log(text, session)):
        lone = stray_traceback(text)
        gaps, logged = _NOT_A_REPORT if lone else (), logged_in(text.split("\n"), 1, source)
        told = around(enumerate(text.split("\n"), 1))
        return Run(
            "traceback" if lone else "nothing", source, entries=tuple(lone), gaps=gaps, logged=logged, around=told
        )
    return Run(
        "console",
        source,
        _totals(parts, entries),
        tuple(parts.header + parts.ends + reasons(parts)),
        tuple((session + entries)[:ENTRIES_LIMIT]),
        tuple(_warnings(parts)),
        tuple(_gaps(parts, entries, bool(session))),
        _between(parts, source),
        passed_elsewhere(parts, entries),
        around(_told(parts)),
    )


def _told(parts: Parts) -> Iterator[tuple[int, str]]:
    """What stands outside of the report, and what was captured with its failures."""
    yield from parts.outside
    for block in parts.blocks:
        captured = False
        for at, line in enumerate(block.lines, block.at + 1):
            captured = captured or is_captured(line)
            if captured:
                yield at, line


def _between(parts: Parts, source: str) -> tuple[Raised, ...]:
    """What programs printed between the tests (`-s`), or before and after them, and what ended threads that the tests had started."""
    threads = tuple(raised for part in _of_threads(parts) for raised in logged_in(part[1], part[0], source))
    return _outside(parts, source) + threads


def _of_threads(parts: Parts) -> Iterator[tuple[int, list[str]]]:
    """The warnings about threads, each with its first line's number, without their indentation."""
    lines = parts.warnings
    for number, (at, line) in enumerate(lines[:BETWEEN_LIMIT]):
        if "PytestUnhandledThreadExceptionWarning: " in line:
            yield at, [text.removeprefix("  ") for _, text in lines[number : number + _THREAD_LINES]]


def _outside(parts: Parts, source: str) -> tuple[Raised, ...]:
    if not parts.outside:
        return ()
    last = parts.outside[-1][0]
    first = max(parts.outside[0][0], last - BETWEEN_LIMIT + 1)
    lines = [""] * (last - first + 1)
    for at, line in parts.outside:
        if at >= first and at not in parts.words:
            lines[at - first] = line
    return logged_in(lines, first, source)


_NOT_A_REPORT = ("This is one Python traceback, not a test report: how many tests ran and passed is not known.",)


def _is_log(text: str, session: Sequence[Entry]) -> bool:
    """A server's log has lines that begin with ERROR too; only the test kit shows a traceback below its own."""
    plain = all(entry.last.name == "UsageError" and SERVICES_OF_THE_KIT not in entry.last.message for entry in session)
    return plain and "\nTraceback (most recent call last):" in text


def _is_pytest(parts: Parts) -> bool:
    return bool(parts.header or parts.ends or parts.seen or parts.collected is not None)


def _totals(parts: Parts, entries: list[Entry]) -> Totals:
    ended = bool(parts.ends)
    counts = parts.counts if ended else parts.seen
    failures, errors = counts.get("failed", 0), counts.get("error", 0)
    if not ended:
        failures = max(failures, sum(1 for entry in entries if entry.outcome == "failed"))
        errors = max(errors, sum(1 for entry in entries if entry.outcome == "error"))
    passed, skipped = counts.get("passed", 0), counts.get("skipped", 0)
    tests = parts.collected
    if tests is None:
        late = sum(1 for entry in entries if entry.phase == "teardown")
        ran = passed + failures + skipped + counts.get("xfailed", 0) + counts.get("xpassed", 0)
        tests = ran + max(0, errors - late)
    return Totals(tests, passed, failures, errors, skipped)


def _entries(parts: Parts) -> list[Entry]:
    names = _Names(list(parts.summary or parts.named))
    entries = [_entry(piece, names) for block in parts.blocks for piece in pieces(block)]
    return entries + _only_named(parts, entries, names.left())


def _only_named(parts: Parts, entries: Sequence[Entry], left: Sequence[Line]) -> list[Entry]:
    """Entries that only the short summary tells of, never more than pytest's own last line counts."""
    found = [_from_summary(line) for line in left]
    if not parts.ends:
        return found
    kept: list[Entry] = []
    for outcome, word in (("failed", "failed"), ("error", "error")):
        room = parts.counts.get(word, 0) - sum(1 for entry in entries if entry.outcome == outcome)
        kept += [entry for entry in found if entry.outcome == outcome][: max(0, room)]
    return sorted(kept, key=lambda entry: entry.at)


class _Names:
    """Finds the node id of a block among the lines of the short summary, each used once."""

    def __init__(self, lines: list[Line]) -> None:
        self._by_title: dict[tuple[str, str], list[Line]] = {}
        self._used: set[int] = set()
        self._lines = lines
        for line in lines:
            self._by_title.setdefault((line.kind, _title(split_node(line.subject)[0])), []).append(line)

    def take(self, title: str, outcome: Outcome) -> Line | None:
        for line in self._by_title.get((outcome, title), ()):
            if line.at not in self._used:
                self._used.add(line.at)
                return line
        return self._within(title, outcome)

    def _within(self, title: str, outcome: Outcome) -> Line | None:
        """A module's block that the summary names by something inside of it: a class, or the test a worker died in."""
        for line in self._lines:
            if line.kind == outcome and line.at not in self._used and line.subject.startswith(f"{title}::"):
                self._used.add(line.at)
                return line
        return None

    def next(self, outcome: Outcome) -> Line | None:
        line = next((line for line in self._lines if line.kind == outcome and line.at not in self._used), None)
        if line:
            self._used.add(line.at)
        return line

    def left(self) -> list[Line]:
        return [line for line in self._lines if line.at not in self._used]


def split_node(subject: str) -> tuple[str, str]:
    """`path::test[a - b] - message` to the node id and the message; brackets may hold ` - `."""
    opened = subject.find("[")
    dash = subject.find(" - ")
    if 0 <= opened < dash:
        closed = subject.find("] - ", opened)
        if closed < 0:
            return (subject, "") if subject.endswith("]") else (subject[:dash], subject[dash + 3 :])
        dash = closed + 1
    return (subject, "") if dash < 0 else (subject[:dash], subject[dash + 3 :])


def _title(node: str) -> str:
    path, marks, rest = node.partition("::")
    test, bracket, parameters = rest.partition("[")  # a parameter may hold `::` itself
    return test.replace("::", ".") + bracket + parameters if marks else path.replace("\\", "/")


def _entry(block: Block, names: _Names) -> Entry:
    found = _AT_PHASE.match(block.title)
    phase: Phase = "call"
    title = block.title
    if found:
        phase = "setup" if found[1] == "setup" else "teardown" if found[1] else "collect"
        title = found[3]
    outcome: Outcome = "failed" if block.section == "FAILURES" else "error"
    line = names.take(title.replace("\\", "/"), outcome) if title else names.next(outcome)
    chain = chain_of(block.lines, block.at + 1)
    location = location_of(block.lines) if not title else None
    if location:
        chain = _at_location(block, location)
    name = split_node(line.subject)[0] if line else title or (f"{location[0]}:{location[1]}" if location else "?")
    return Entry(name, outcome, phase, (*chain[:-1], named(chain[-1])), block.at, logged=_logged(block))


def _logged(block: Block) -> tuple[Raised, ...]:
    begin = next((at for at, line in enumerate(block.lines) if is_captured(line)), None)
    return () if begin is None else logged_in(block.lines[begin:], block.at + 1 + begin)


def _at_location(block: Block, location: tuple[str, int, str]) -> tuple[Raised, ...]:
    """`--tb=line`: newer versions show the exceptions, all of them only the place and the words of the last one."""
    at = block.at + len(block.lines)
    frame = Frame(location[0], location[1], "", "", place_of(location[0]), at)
    above = [line for line in block.lines[:-1] if line.strip()]
    exception, message = split_head(location[2])
    if not above:
        return (Raised(exception, message, at, (frame,)),)
    chain = chain_of(above, block.at + 1)
    last = chain[-1]
    if not last.exception and exception and not last.message.startswith("fixture '"):
        last = replace(last, exception=exception)
    return (*chain[:-1], replace(last, frames=(frame,)))


def _from_summary(line: Line) -> Entry:
    node, said = split_node(line.subject)
    exception, message = split_head(said)
    outcome: Outcome = "error" if line.kind == "error" else "failed"
    phase: Phase = "call" if outcome == "failed" else "setup" if "::" in node else "collect"
    return Entry(node, outcome, phase, (Raised(exception, message, line.at),), line.at)


def _warnings(parts: Parts) -> list[Line]:
    found, where = [], ""
    for at, line in parts.warnings:
        if line and not line[0].isspace():
            where = line
        elif match := _WARNING.match(line):
            found.append(Line(match[1].rpartition(".")[2], match[2], at, where))
    return found


def _last(parts: Parts) -> str:
    """What was running when the text ends, where its line has no result."""
    lines = (line for _, line in reversed(parts.outside[-_LAST_LINES:]) if line.strip())
    found = _NO_RESULT.match(next(lines, ""))
    return f" It ends in `{found[1]}`, which has no result: that may hang, or have ended the run." if found else ""


def _gaps(parts: Parts, entries: list[Entry], session: bool) -> list[str]:
    gaps = []
    if not parts.ends and not session:
        gaps.append(
            "The text ends before pytest's last line, so the totals are counted from what is there." + _last(parts)
        )
    said = parts.counts.get("failed", 0) + parts.counts.get("error", 0)
    if parts.ends and said > len(entries):
        gaps.append(
            f"pytest counts {said} failing entries and {len(entries)} are shown: the others are not in this text."
        )
    again = len(entries) - len({(entry.name, entry.phase, entry.outcome) for entry in entries})
    if len(parts.ends) > 1 and again:
        gaps.append(
            f"The text holds {len(parts.ends)} runs of pytest: their numbers are added up, and {again} entries fail in more than one of them."
        )
    if entries and not parts.blocks:
        gaps.append("No tracebacks are in this text, so nothing tells where an exception was raised.")
    return gaps
