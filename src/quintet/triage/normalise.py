"""From bytes or pasted text to plain lines.

Rules: the n-th line stays the n-th line of the input, so a fact's line number can be looked up; nothing that a terminal
or a reader would act upon survives (escape sequences, control and direction characters); every size is bounded.
"""

import codecs
import itertools
import re
import textwrap
from collections.abc import Callable

LINE_LIMIT = 4_000
LINES_LIMIT = 400_000
TEXT_LIMIT = 64 * 1024 * 1024

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_ESCAPES = re.compile(
    r"(?:\x1b|#x1B|\u241b)(?:\[[0-?]{0,40}[ -/]{0,8}[@-~]|\][^\x07\x1b\n]{0,400}(?:\x07|\x1b\\)?|[PX^_][^\x1b\n]{0,400}(?:\x1b\\)?|[@-Z\\^_])"
)
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")
_STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z ?"
_LONG, _AROUND = 8 * 1024 * 1024, 512 * 1024
_MARKS = re.compile(
    r"test session starts|= (?:FAILURES|ERRORS) =|= short test summary|\b\d{1,6} (?:failed|passed|errors?) ?[^\n]{0,100} in \d|"
    r"\nRan \d{1,7} tests? in "
)
_NEARLY = 0.8  # of the lines; a shell's own words stand between them
_PREFIXES = (
    re.compile(rf"^[^\t\n]{{0,200}}\t[^\t\n]{{0,200}}\t\ufeff?{_STAMP}"),
    re.compile(rf"^\ufeff?{_STAMP}(?:\d\d[OE]\+? ?)?"),
    re.compile(r"^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d| UTC)?\]? ?"),
    re.compile(r"^\[?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\]? ?"),
    re.compile(r"^#\d{1,4} \d{1,6}\.\d{1,4} ?"),
    re.compile(r"^[\w.-]{1,60} +\| ?"),
    re.compile(r"^> ?"),
)


def decode(data: bytes) -> str:
    """Text of a file: UTF-8 or UTF-16 (with or without a mark, also with a stray last byte), otherwise Latin-1."""
    data = data[:TEXT_LIMIT]
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    head = data[:2000]
    if head.count(0) > len(head) // 4:
        return data.decode("utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as fault:
        cut_at_the_end = fault.start > len(data) - 4
        return data.decode("utf-8", "replace") if cut_at_the_end else data.decode("cp1252", "replace")


def normalise(text: str, line_limit: int = LINE_LIMIT) -> str:
    """Plain text: no escape sequences, no log prefixes, no lone surrogates. A longer line is cut."""
    text = _near(text[:TEXT_LIMIT].replace("\r\n", "\n").replace("\r", "\n"))
    text = _ESCAPES.sub("", text)
    lines = [line[:line_limit].rstrip() for line in _bounded(text.split("\n"))]
    for prefix in _PREFIXES:
        lines = _without(prefix, lines)
    text = _UNSEEN.sub("", textwrap.dedent("\n".join(lines)))
    return text.encode("utf-8", "replace").decode("utf-8")


def _near(text: str) -> str:
    """Of a very long log what stands around the report in it; the rest becomes empty lines, so that numbers stay."""
    marks = [found.start() for found in _MARKS.finditer(text)] if len(text) > _LONG else []
    if not marks:
        return text
    begin = max(0, text.rfind("\n", 0, max(0, marks[0] - _AROUND)) + 1)
    end = text.find("\n", min(len(text), marks[-1] + _AROUND))
    end = len(text) if end < 0 else end
    return "\n" * text.count("\n", 0, begin) + text[begin:end] + "\n" * text.count("\n", end)


def _bounded(lines: list[str]) -> list[str]:
    """At most so many lines that are not empty."""
    if len(lines) <= LINES_LIMIT:
        return lines
    counted = itertools.accumulate(map(bool, lines))
    return [line for line, number in zip(lines, counted, strict=True) if number <= LINES_LIMIT]


def _without(prefix: re.Pattern[str], lines: list[str]) -> list[str]:
    """Only when nearly every line has it: a log collector's mark, not a line of the report."""
    written = [line for line in lines[:2000] if line]
    if len(written) < 3 or sum(1 for line in written if prefix.match(line)) < _NEARLY * len(written):
        return lines
    strip: Callable[[str], str] = lambda line: prefix.sub("", line, count=1)  # noqa: E731
    return [strip(line) for line in lines]


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters on one line, with an ellipsis where something was cut."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"
