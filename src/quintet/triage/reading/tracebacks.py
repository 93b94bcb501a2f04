"""One failure's block of lines, in any of pytest's styles (long, short, native, line, groups), to the chain of its exceptions.

Rules: what was captured (output, logs) is not part of the failure; the last `E` text of a segment is its exception;
a block without either keeps its own words as the message. Anything unknown is skipped, never guessed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from quintet.triage.model import Frame, Place, Raised

MESSAGE_LINES = 14
MESSAGE_LIMIT = 1_600
CHAIN_LIMIT = 12
FRAMES_LIMIT = 120
GIVEN_LIMIT = 8

_SHORT = re.compile(r"^(\S.{0,500}?):(\d{1,7}): in (.{1,300})$")
_LONG = re.compile(r"^(\S.{0,500}?\.\w{1,6}|<[^>]{1,80}>):(\d{1,7}):?(?: ([A-Za-z_][\w.]*))?$")
_NATIVE = re.compile(r'^\s*File "([^"]{1,500})", line (\d{1,7})(?:, in (.{1,300}))?$')
_GUTTER = re.compile(r"^\s*(?:[|+]\s?)+")
_SUB_EXCEPTION = re.compile(r"^[\s|]{0,40}\+-[+-]*-+ \d+ -+$")
_HEAD = re.compile(r"^([A-Za-z_][\w.]*)(?:: (.*)|:)?$")
_UNREPEATED = re.compile(
    r"[\w.]*\bFlaky\w*: "
)  # Hypothesis: that the failure does not repeat itself says more than the failure
_ABOUT_FIXTURES = re.compile(r"^>\s+(?:available fixtures: |use 'pytest --fixtures)")  # marked as if it were the source
_SOURCE = ("    def ", "    async def ", "    @", "    class ")
_WORKER = re.compile(r"^\[gw\d+\] \w+ -- Python ")  # xdist's line above a failure
_CLOSE = re.compile(r"^message = \{'type': 'websocket\.close', 'code': (\d{4})(?:, 'reason': '([^']{0,120})')?")
_SETS = re.compile(
    r"(?:\bsetenv\(\s{0,4}|\benviron\[|\benviron, ?\{\s{0,4})['\"](\w{1,80})['\"](?:\]\s{0,2}=|,|:)\s{0,4}['\"]([^'\"\n]{1,120})['\"]"
)
_CHAIN = ("During handling of the above exception", "The above exception was the direct cause")
_LIBRARY = re.compile(r"(?:site|dist)-packages/|/\.venv/|/venv/lib|/\.tox/|/\.nox/", re.IGNORECASE)
_GENERATED = re.compile(r"^<(?!frozen |doctest |stdin>)")  # by a library: `<string>`, `<sqlalchemy generated …>`
_STDLIB = re.compile(
    r"^<frozen |(?:^|/)(?:lib/python3[.\d]*|python3?[\d.]*/lib|python/\d[\d.]*/(?:x\d\d/|arm64/)?lib|cpython-[^/]*/lib"
    r"|(?:ana|mini)conda3?/lib|envs/[^/]+/lib|pythonsoftwarefoundation[^/]*/lib)/",
    re.IGNORECASE,
)
_RUNNER = re.compile(
    r"(?:^|/)(?:_pytest|pluggy|pytest_[a-z_]+|xdist|anyio/pytest_plugin)[/.]|/(?:bin|Scripts)/(?:pytest|py\.test)(?:\.exe|-script\.py)?$"
)
_MOCK = re.compile(r"(?:^|/)unittest/mock\.py$|/mock/mock\.py$")
_TEST = re.compile(r"(?:^|/)(?:tests?|testing)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest|tests)\.py$")


def place_of(path: str) -> Place:
    """Where a source file lives, judged by its path alone."""
    path = path.replace("\\", "/")
    if _MOCK.search(path):
        return "mock"
    if _RUNNER.search(path):
        return "runner"
    if _LIBRARY.search(path) or _GENERATED.match(path):
        return "library"
    if _STDLIB.search(path):
        return "stdlib"
    return "test" if _TEST.search(path) else "product"


@dataclass(slots=True)
class _Segment:
    """What is known so far of one exception of the chain."""

    frames: list[Frame] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    at: int = 0
    named: str = ""
    code: str = ""
    last_was_words: bool = False
    native: bool = False
    indent: int = 0
    closed: tuple[str, int] = ("", 0)
    given: list[str] = field(default_factory=list)


def chain_of(lines: Sequence[str], first: int) -> tuple[Raised, ...]:
    """The exceptions of a block, first one first. `first` is the input line number of `lines[0]`. Never empty."""
    segments = [_Segment()]
    grouped = any(line.lstrip().startswith(("+ Exception Group", "| Traceback")) for line in lines[:4])
    for offset, line in enumerate(lines):
        if is_captured(line):
            break
        plain = _GUTTER.sub("", line) if grouped and line.lstrip()[:1] in ("|", "+") else line
        if plain.startswith(_CHAIN):
            segments.append(_Segment())
        elif grouped and _SUB_EXCEPTION.match(line):  # what the group holds says more than the group
            if any(_UNREPEATED.match(words) for words in segments[-1].words[:1]):
                break
            segments[-1] = _Segment()
        else:
            _take(segments[-1], plain, lines[offset + 1] if offset + 1 < len(lines) else "", first + offset)
    raised = [_finish(segment) for segment in segments if segment.words]
    return tuple(raised[-CHAIN_LIMIT:]) or (_own_words(lines, first, segments[-1].frames),)


def is_captured(line: str) -> bool:
    """The banner over what a test has printed or logged."""
    return line.startswith("-") and " Captured " in line


def _take(segment: _Segment, line: str, following: str, at: int) -> None:
    if line.startswith("E ") or line == "E":
        _words(segment, line[1:].removeprefix("   "), at)
        return
    if segment.native and segment.last_was_words and not _NATIVE.match(line):  # the message goes on
        _words(segment, line, at)
        return
    segment.last_was_words = False
    if (given := _SETS.search(line)) and len(segment.given) < GIVEN_LIMIT:
        segment.given.append(f"{given[1]}={given[2]}")
    if closed := _CLOSE.match(line):
        segment.closed = (f"({closed[1]}, '{closed[2] or ''}')", at)
    if line.startswith(">") and not _ABOUT_FIXTURES.match(line):
        segment.code = line[1:].strip()
    elif found := _SHORT.match(line) or _NATIVE.match(line):
        _frame(segment, found, following.strip(), at)
    elif found := _LONG.match(line):
        segment.named = found[3] or ""
        _frame(segment, found, segment.code, at)
        segment.code = ""
    elif segment.frames and not segment.words and split_head(line)[0]:
        _words(segment, line, at)


def _words(segment: _Segment, text: str, at: int) -> None:
    if not segment.last_was_words:
        segment.words, segment.at, segment.last_was_words = [], at, True
        segment.indent = len(text) - len(text.lstrip())
    if len(segment.words) < MESSAGE_LINES:
        segment.words.append(text.strip() if len(segment.words) == 0 else _outdented(text, segment.indent))


def _outdented(text: str, indent: int) -> str:
    """Without the indentation that the source around it has, and no more."""
    return text[min(indent, len(text) - len(text.lstrip())) :].rstrip()


def _frame(segment: _Segment, found: re.Match[str], code: str, at: int) -> None:
    path, function = found[1], found[3] if found.re is not _LONG else ""
    segment.native = found.re is _NATIVE
    if len(segment.frames) < FRAMES_LIMIT:
        segment.frames.append(Frame(path, int(found[2]), function or "", code[:200], place_of(path), at))


def _finish(segment: _Segment) -> Raised:
    if segment.words[0].startswith("File "):  # a SyntaxError shows the place before its own name
        segment.words.sort(key=lambda words: not split_head(words.strip())[0])
    exception, message = split_head(segment.words[0].strip())
    if not exception and segment.named:
        exception = segment.named
    message = "\n".join([message, *segment.words[1:]]).strip()[:MESSAGE_LIMIT]
    if not message and exception.endswith("WebSocketDisconnect"):  # it tells its code only in the frame that shows it
        message, at = segment.closed[0], segment.closed[1] or segment.at
        return Raised(exception, message, at, tuple(segment.frames))
    return Raised(exception, message, segment.at, tuple(segment.frames), given="\n".join(segment.given))


def split_head(text: str) -> tuple[str, str]:
    """`pkg.SomeError: words` to its two parts; the class is empty where the text does not begin with one."""
    if text.startswith("assert "):
        return "AssertionError", text
    found = _HEAD.match(text)
    name = found[1].rpartition(".")[2] if found else ""
    if found is None or not (name[:1].isupper() or name.endswith(("error", "exception", "timeout", "gaierror"))):
        return "", text
    return found[1], (found[2] or "").strip()


def _own_words(lines: Sequence[str], first: int, frames: Sequence[Frame]) -> Raised:
    """What pytest says without an exception. Source lines are no words: a block that was cut off before its end says nothing."""
    said = [(at, line) for at, line in enumerate(lines, first) if line.strip() and not _WORKER.match(line)]
    if not said or any(line.startswith(_SOURCE) or _SHORT.match(line) for line in lines):
        return Raised("", "", first, tuple(frames))
    exception, message = split_head(said[0][1].strip())
    message = "\n".join([message, *(line for _, line in said[1:MESSAGE_LINES])])[:MESSAGE_LIMIT]
    return Raised(exception, message, said[0][0], tuple(frames))
