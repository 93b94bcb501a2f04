"""What pytest prints, cut into its parts: header, blocks of failures, warnings, short summary, last line.

Rules: a banner inside captured output belongs to the program under test, not to this run; the numbers come from pytest's own
last line; where it is missing (cut off, killed) what was seen is counted and the gap is said.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from quintet.triage.model import Line

_SECTIONS = re.compile(
    r"^(?:test session starts|ERRORS|FAILURES|PASSES|XPASSES|XFAILURES|warnings summary(?: \(final\))?|(?:short|rerun) test summary info"
    r"|slowest (?:\d+ )?(?:test )?durations|tests coverage|coverage: .*|.*\bsummary\b.*)$"
)
_COUNT = re.compile(
    r"^(\d{1,7})(?:/\d{1,7})? (failed|passed|skipped|xfailed|xpassed|errors?|deselected|warnings?|rerun|subtests? \w+|tests? deselected"
    r"|tests? collected(?: \(\d{1,7} deselected\))?)$"
)
_TIME = re.compile(r"^(.{1,200}?) in \d[\d.]{0,12} ?s(?:econds)?\b")
_COLLECTED = re.compile(r"^(?:collecting \.\.\. )?collected (\d{1,7}) items?\b")
_VERBOSE = re.compile(
    r"^(?:\[gw\d+\] )?(\S.{0,1000}?) (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b(?: \(.{0,300}\))?(?:\s+\[\s*\d+%\])?$"
)
_XDIST = re.compile(r"^\[gw\d+\] \[\s*\d+%\] (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS) (\S.{0,1000})$")
_DOTS = re.compile(r"^(?:\S{1,300}\.\w{1,5} )?([.FEsxXR]{1,400})(?:\s+\[\s*\d+%\])?$")
_SUMMARY = re.compile(r"^(FAILED|ERROR|SUBFAIL\w*|SUBFAILED)(?:[\[(].{0,200}?[\])])? (\S.{0,3000})$")
_SKIPPED = re.compile(r"^SKIPPED \[(\d{1,6})\] (\S.{0,1000})$")
_REASONS_SHOWN = 3
_HEADER = (
    ("platform", re.compile(r"^platform .{1,300}$")),
    ("rootdir", re.compile(r"^rootdir: .{1,500}$")),
    ("configfile", re.compile(r"^(?:configfile|inifile): .{1,500}$")),
    ("plugins", re.compile(r"^plugins: .{1,2000}$")),
    ("asyncio", re.compile(r"^asyncio: mode=.{1,300}$")),
    ("xdist", re.compile(r"^(?:created: )?\d+/\d+ workers|^gw\d+ \[\d+\]")),
)
_OF_FILE = re.compile(r"^(\S{1,300}\.py) ")
PASSES_LIMIT = 20_000
_DONE = {
    "PASSED": "passed",
    "FAILED": "failed",
    "ERROR": "error",
    "SKIPPED": "skipped",
    "XFAIL": "skipped",
    "XPASS": "passed",
}
_LETTERS = {".": "passed", "F": "failed", "E": "error", "s": "skipped", "x": "skipped", "X": "passed"}


@dataclass(slots=True)
class Block:
    """The lines of one failure, under its banner. `section` is ERRORS or FAILURES."""

    title: str
    section: str
    at: int
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Parts:
    """One console text, cut. `seen` counts outcomes from the progress lines, `counts` from the last line.

    `passes` are the tests, and the files as a whole, of which a progress line shows nothing but passes. `words` are the numbers of lines in the
    short summary that go on with what a failure said (pytest shows all of it where `CI` is set): nobody has logged them."""

    header: list[Line] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    summary: list[Line] = field(default_factory=list)
    warnings: list[tuple[int, str]] = field(default_factory=list)
    outside: list[tuple[int, str]] = field(default_factory=list)
    words: set[int] = field(default_factory=set)
    named: list[Line] = field(default_factory=list)
    passes: list[Line] = field(default_factory=list)
    skips: list[Line] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    collected: int | None = None
    ends: list[Line] = field(default_factory=list)


def banner(line: str, mark: str) -> str:
    """The title of a separator line like `=== title ===`, or an empty string."""
    if len(line) < 5 or line[0] != mark or line[-1] != mark:
        return ""
    inner = line.strip(mark)
    title = inner.strip()
    return title if inner[:1] == " " and inner[-1:] == " " and title.strip("_ ") else ""


def counts_of(text: str) -> dict[str, int] | None:
    """The numbers of pytest's last line (`1 failed, 2 passed in 0.10s`), or None if the text is not one."""
    found = _TIME.match(text.strip("= "))
    if not found:
        return None
    if found[1] == "no tests ran":
        return {}
    counts: dict[str, int] = {}
    for part in found[1].split(", "):
        count = _COUNT.match(part)
        if not count:
            return None
        counts[count[2].rstrip("s")] = int(count[1])
    return counts


def cut(text: str) -> Parts:
    """Every line of the text put into the part it belongs to."""
    cutter = _Cutter(wary=True)
    cutter.take(text)
    if cutter.nested:  # an inner run that never ended: then it was not one
        cutter = _Cutter(wary=False)
        cutter.take(text)
    return cutter.parts


class _Cutter:
    """Walks the lines. `nested` is True inside a pytest run that the program under test printed."""

    def __init__(self, *, wary: bool) -> None:
        self.parts, self.section, self.captured, self.nested, self.wary = Parts(), "", False, False, wary
        self.headless = (
            False  # the text begins in the middle of a run: a failure's banner may come before its section's
        )

    def take(self, text: str) -> None:
        at, line = 0, ""
        self.headless = "test session starts" not in text and "short test summary info" in text
        for at, line in enumerate(text.rstrip().split("\n"), 1):
            self._line(at, line)
        counts = counts_of(line)
        if counts and not self.parts.ends and not self.nested:
            self._end(counts, Line("end", line, at))

    def _line(self, at: int, line: str) -> None:
        line = line.removeprefix("collecting ... ")
        if self.headless and not self.section and (inside := banner(line, "_")):
            self.section = "ERRORS" if inside.startswith("ERROR ") else "FAILURES"
        title = banner(line, "=")
        counts = counts_of(title or line) if title or not self.captured else None
        if self.captured and self.wary and title == "test session starts":
            self.nested = True
        elif self.nested:
            self.nested = counts is None
        elif counts is not None:
            self._end(counts, Line("end", line, at))
        elif title and _SECTIONS.match(title):
            self.section, self.captured = title, False
        elif not _put(self.parts, self.section, at, line):
            self.parts.outside.append((at, line))
        elif self.section in ("ERRORS", "FAILURES"):
            self.captured = (self.captured and not banner(line, "_")) or banner(line, "-").startswith("Captured ")

    def _end(self, counts: dict[str, int], line: Line) -> None:
        self.section, self.captured = "", False
        self.parts.ends.append(line)
        for name, number in counts.items():
            if "collected" in name:  # nothing more was asked of this run
                self.parts.collected = (self.parts.collected or 0) + number
            self.parts.counts[name] = self.parts.counts.get(name, 0) + number


def _put(parts: Parts, section: str, at: int, line: str) -> bool:
    if section in ("ERRORS", "FAILURES"):
        _put_block(parts, section, at, line)
    elif section.startswith("warnings summary"):
        parts.warnings.append((at, line))
    elif section.startswith("short test summary"):
        found = _SUMMARY.match(line)
        skipped = _SKIPPED.match(line)
        if skipped:
            parts.skips.append(Line("skipped", line, at, skipped[2]))
        if found:
            parts.summary.append(Line("error" if found[1] == "ERROR" else "failed", line, at, found[2]))
        elif parts.summary and not skipped:
            parts.words.add(at)
        return bool(found or skipped)
    elif section in ("", "test session starts"):
        return _put_progress(parts, at, line)
    return not line.startswith("FAIL Required test coverage")


def _put_block(parts: Parts, section: str, at: int, line: str) -> None:
    title = banner(line, "_")
    if title and not title.startswith("coverage:"):
        parts.blocks.append(Block(title, section, at))
    elif parts.blocks and parts.blocks[-1].section == section:
        parts.blocks[-1].lines.append(line)
    elif line:
        parts.blocks.append(Block("", section, at - 1, [line]))


def _put_progress(parts: Parts, at: int, line: str) -> bool:
    for kind, pattern in _HEADER:
        if pattern.match(line):
            parts.header.append(Line(kind, line, at))
            return True
    if found := _COLLECTED.match(line):
        parts.collected = (parts.collected or 0) + int(found[1])
        return True
    if found := _XDIST.match(line):
        return _count(parts, _DONE[found[1]], Line(_DONE[found[1]], line, at, found[2]))
    if found := _VERBOSE.match(line):
        return _count(parts, _DONE[found[2]], Line(_DONE[found[2]], line, at, found[1]))
    if (found := _DOTS.match(line)) and ("%]" in line or ".py " in line):
        if (file := _OF_FILE.match(line)) and set(found[1]) == {"."}:
            _keep(parts.passes, Line("passed", line, at, file[1]))
        for letter in found[1]:
            outcome = _LETTERS.get(letter, "rerun")
            parts.seen[outcome] = parts.seen.get(outcome, 0) + 1
        return True
    found = _SUMMARY.match(line)
    if found and ("::" in found[2] or found[2].partition(" ")[0].endswith(".py")):
        parts.summary.append(Line("error" if found[1] == "ERROR" else "failed", line, at, found[2]))
        return True
    return False


def _count(parts: Parts, outcome: str, line: Line) -> bool:
    parts.seen[outcome] = parts.seen.get(outcome, 0) + 1
    if outcome in ("failed", "error"):
        parts.named.append(line)
    elif outcome == "passed":
        _keep(parts.passes, line)
    return True


def _keep(lines: list[Line], line: Line) -> None:
    if len(lines) < PASSES_LIMIT:
        lines.append(line)


def reasons(parts: Parts) -> list[Line]:
    """Why most of what was skipped was, the most frequent first."""
    return sorted(parts.skips, key=lambda line: -int(line.text.partition("[")[2].partition("]")[0]))[:_REASONS_SHOWN]


def pieces(block: Block) -> Iterator[Block]:
    """A block as it is, or with `--tb=line` one block for every location line."""
    if block.title:
        yield block
        return
    begin = 0
    for offset, line in enumerate(block.lines):
        if _LOCATION.match(line):
            yield Block("", block.section, block.at + begin, block.lines[begin : offset + 1])
            begin = offset + 1


_LOCATION = re.compile(r"^(?!E )(\S.{0,500}?\.\w{1,5}|<[^>\n]{1,80}>):(\d{1,7}): (?!in )(.{1,2000})$")


def location_of(lines: Sequence[str]) -> tuple[str, int, str] | None:
    """File, line and words of a `--tb=line` line, the last of its block."""
    found = _LOCATION.match(lines[-1]) if lines else None
    return (found[1], int(found[2]), found[3]) if found else None
