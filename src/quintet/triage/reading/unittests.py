"""What `python -m unittest` and `manage.py test` print, to a Run.

Rules: a test keeps unittest's own dotted name, by which it can be run again; the numbers are those of the last lines; a text that ends before
them tells only what its progress lines tell; where pytest has printed the text, nothing of this is looked for.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from quintet.triage.model import Entry, Line, Outcome, Phase, Raised, Run, Totals
from quintet.triage.reading.logs import logged_in
from quintet.triage.reading.tracebacks import chain_of

ENTRIES_LIMIT = 20_000
_WARNINGS_LIMIT = 200

_PYTEST = re.compile(
    r"^=+ (?:test session starts|FAILURES|ERRORS|short test summary info) =+$|^(?:=+ )?(?:\d+ \w+, )*\d+ (?:passed|failed|errors?)\b.* in \d",
    re.MULTILINE,
)
_NAMED = r"(\S{1,300}) \(([\w.<>]{1,500})\)"
_HEAD = re.compile(rf"^(ERROR|FAIL|UNEXPECTED SUCCESS): {_NAMED}(?: ([\[(].{{1,300}}))?$")
_PROGRESS = re.compile(rf"^{_NAMED}(?:.{{0,300}}?) \.\.\. (?:.{{0,300}})$")
_RESULT = re.compile(r" \.\.\. (ok|ERROR|FAIL|skipped .{0,300}|expected failure|unexpected success)$")
_RAN = re.compile(r"^Ran (\d{1,7}) tests? in \d[\d.]{0,12}s\b")
_LAST = re.compile(r"^(OK|FAILED|NO TESTS RAN)(?: \((.{1,300})\))?$")
_NUMBER = re.compile(r"([a-z ]{1,30}?)=(\d{1,7})")
_UNAWAITED = re.compile(r"^(?:\S{1,400}:\d{1,7}: )?RuntimeWarning: (coroutine '[\w.]{1,200}' was never awaited)$")
_RULES = ("=" * 70, "-" * 70)
_OF_DJANGO = re.compile(
    r"^(?:Creating test database for alias .{1,200}|System check identified .{1,200}|Found \d{1,7} test\(s\)\.)$"
)
_NOT_IMPORTED = "unittest.loader._FailedTest"
_GROUPS = frozenset({"setUpClass", "setUpModule", "tearDownClass", "tearDownModule"})
_BEFORE = frozenset({"setUp", "asyncSetUp", "setUpClass", "setUpTestData", "setUpModule"})
_AFTER = frozenset({"tearDown", "asyncTearDown", "tearDownClass", "tearDownModule"})


def looks_like(text: str) -> bool:
    """True where a test's heading, unittest's last lines or its progress lines stand in the text, and nothing of pytest's."""
    if _PYTEST.search(text):
        return False
    lines = text.split("\n")
    return any(_is_head(lines, at) or _is_end(lines, at) or _PROGRESS.match(line) for at, line in enumerate(lines))


def _is_head(lines: Sequence[str], at: int) -> bool:
    """Below its ruler, or where a text begins that was cut off between the two."""
    return (at == 0 or lines[at - 1] == _RULES[0]) and bool(_HEAD.match(lines[at]))


def _is_end(lines: Sequence[str], at: int) -> bool:
    return bool(_RAN.match(lines[at])) and any(map(_LAST.match, lines[at + 1 : at + 4]))


@dataclass(slots=True)
class _Block:
    """A heading and what stands below it, up to the next ruler that ends it."""

    head: re.Match[str]
    at: int
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Read:
    """What the lines gave. `ran` is None where the text ends before unittest's own numbers."""

    blocks: list[_Block] = field(default_factory=list)
    progress: list[tuple[str, str, int]] = field(default_factory=list)
    header: list[Line] = field(default_factory=list)
    ran: int | None = None
    said: dict[str, int] = field(default_factory=dict)
    between: list[str] = field(default_factory=list)
    warnings: list[Line] = field(default_factory=list)


def read(text: str, source: str) -> Run:
    """The run in the text, which is clean and masked."""
    found = _taken(text.split("\n"))
    entries = [_entry(block) for block in found.blocks]
    known = {entry.name.partition(" [")[0] for entry in entries}
    entries += [
        _of_progress(name, word, at) for name, word, at in found.progress if word in _OUTCOMES and name not in known
    ]
    gaps = (
        ()
        if found.ran is not None
        else ("The text ends before unittest's last lines, so the totals are counted from what is there.",)
    )
    return Run(
        "unittest",
        source,
        _totals(found, entries),
        tuple(found.header),
        tuple(entries[:ENTRIES_LIMIT]),
        tuple(found.warnings[:_WARNINGS_LIMIT]),
        gaps,
        logged_in(found.between, 1, source),
    )


_OUTCOMES: dict[str, Outcome] = {
    "ERROR": "error",
    "FAIL": "failed",
    "UNEXPECTED SUCCESS": "failed",
    "unexpected success": "failed",
}


def _taken(lines: Sequence[str]) -> _Read:
    found = _Read()
    inside, waiting = False, ""
    for at, line in enumerate(lines, 1):
        found.between.append("" if inside else line)
        if _is_head(lines, at - 1) and (head := _HEAD.match(line)):
            found.blocks.append(_Block(head, at))
            inside = True
        elif line == _RULES[0] or (line == _RULES[1] and at < len(lines) and _RAN.match(lines[at])):
            inside = False
        elif inside:
            found.blocks[-1].lines.append(line)
        else:
            waiting = _outside(found, at, line, waiting)
    return found


def _outside(found: _Read, at: int, line: str, waiting: str) -> str:
    """A line between the failures. Gives the name of a test whose result stands on a later line."""
    if ran := _RAN.match(line):
        found.ran = (found.ran or 0) + int(ran[1])
        found.header.append(Line("end", line, at))
    elif (last := _LAST.match(line)) and found.ran is not None:
        found.header.append(Line("end", line, at))
        for name, number in _NUMBER.findall(last[2] or ""):
            found.said[name.strip()] = found.said.get(name.strip(), 0) + int(number)
    elif unawaited := _UNAWAITED.match(line):
        found.warnings.append(Line("RuntimeWarning", unawaited[1], at, waiting))
    elif _OF_DJANGO.match(line):
        found.header.append(Line("django", line, at))
    elif named := re.match(rf"^{_NAMED}(?=$| \.\.\.)", line):
        waiting = _name(named[1], named[2])
    if waiting and (result := _RESULT.search(line)):
        found.progress.append(
            (waiting, result[1].partition(" ")[0] if result[1].startswith("skipped") else result[1], at)
        )
        waiting = ""
    return waiting


def _name(test: str, where: str) -> str:
    """`test_x (app.tests.Case)` as older Pythons write it, or with the whole name in the brackets: the name that can be run."""
    if test in _GROUPS:
        return where
    if where.startswith(_NOT_IMPORTED):
        return test
    return where if where.endswith(f".{test}") else f"{where}.{test}"


def _entry(block: _Block) -> Entry:
    word, test, where, part = block.head.groups()
    name = _name(test, where) + (f" [{part.strip('[]()')}]" if part else "")
    if word not in ("ERROR", "FAIL"):
        return Entry(name, "failed", "call", (Raised("", "an unexpected success", block.at),), block.at)
    begin = next((at for at, line in enumerate(block.lines) if line == _RULES[1]), -1) + 1
    told = list(_told(block.lines[begin:]))
    chain = chain_of(told, block.at + 1 + begin)
    return Entry(name, _OUTCOMES[word], _phase(test, where, chain), chain, block.at, logged=_logged(block, begin))


def _logged(block: _Block, begin: int) -> tuple[Raised, ...]:
    """What the test has printed (`--buffer`)."""
    at = next((at for at, line in enumerate(block.lines) if at >= begin and line in ("Stdout:", "Stderr:")), None)
    return () if at is None else logged_in(block.lines[at + 1 :], block.at + 2 + at)


def _told(lines: Sequence[str]) -> Iterator[str]:
    """Without what the test has printed."""
    for line in lines:
        if line in ("Stdout:", "Stderr:"):
            return
        yield line


def _phase(test: str, where: str, chain: Sequence[Raised]) -> Phase:
    if where.startswith(_NOT_IMPORTED):
        return "collect"
    names = {frame.function for raised in chain for frame in raised.frames} | {test}
    own = test.partition("[")[0]
    if names & _AFTER and own not in names - {test}:
        return "teardown"
    return "setup" if names & _BEFORE and own not in names - {test} else "call"


def _of_progress(name: str, word: str, at: int) -> Entry:
    return Entry(name, _OUTCOMES[word], "call", (Raised("", "", at),), at)


def _totals(found: _Read, entries: Sequence[Entry]) -> Totals:
    """Unittest counts what a test did twice (its call and its teardown, each part of a subtest) as often as it happened."""
    failing = {entry.name.partition(" [")[0] for entry in entries if entry.phase != "setup" or "." in entry.name}
    shown = {outcome: sum(1 for entry in entries if entry.outcome == outcome) for outcome in ("failed", "error")}
    if found.ran is None:
        passed = sum(1 for _, word, _ in found.progress if word == "ok")
        skipped = sum(1 for _, word, _ in found.progress if word == "skipped")
        return Totals(max(len(found.progress), len(failing)), passed, shown["failed"], shown["error"], skipped)
    said = found.said
    skipped = said.get("skipped", 0)
    groups = {block.head[3] for block in found.blocks if block.head[2] in _GROUPS}
    passed = found.ran - len(failing - groups) - skipped - said.get("expected failures", 0)
    failures = said.get("failures", 0) + said.get("unexpected successes", 0)
    return Totals(found.ran, max(0, passed), failures, said.get("errors", 0), skipped)
