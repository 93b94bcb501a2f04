"""The matrix as lines: what is started, what rules then, and what differs."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from quintet.triage.masking import mask

from ..case import Case
from ..configuration import differing, spoken
from ..matrix import Row

__all__ = ["Line", "table"]

MOST_LINES = 12
MOST_LETTERS = 44


class Line(NamedTuple):
    """One way to start the tests; `differs` names the settings that differ from those of the first line."""

    command: str
    place: str
    file: str
    root: str
    differs: str


def table(case: Case) -> list[Line]:
    """A line for each different way. Folders that, given alone, are ruled as plain `pytest` is share one."""
    first = case.matrix.rows[0]
    plain = [row for row in case.matrix.rows if row.alone is not None and row.resolved == first.resolved]
    rows = [row for row in case.matrix.rows if row not in plain]
    made = [_line(case, row, first) for row in rows]
    ordered = list({(line.command, line.file, line.root): line for line in reversed(made)}.values())[::-1][:MOST_LINES]
    if len(plain) == 1:
        ordered.append(_line(case, plain[0], first))
    elif plain:
        ordered.append(ordered[0]._replace(command=f"each of {len(plain)} folders of tests", place="given alone"))
    return ordered


def _line(case: Case, row: Row, first: Row) -> Line:
    invocation = row.invocation
    command = _short(mask(invocation.command))
    moved = "" if invocation.folder == Path() else f"in {invocation.folder.as_posix()}: "
    place = invocation.place if invocation.source else ("given alone" if row.alone else "at the root")
    if row.resolved.error:
        return Line(moved + command, place, "refused", _shown(case, row.resolved.root), "")
    file = case.shown(row.resolved.file).as_posix() if row.resolved.file else "none"
    return Line(moved + command, place, file, _shown(case, row.resolved.root), _differs(case, row, first))


def _short(text: str) -> str:
    """The text, without its middle where it is long: the end of a path says the most."""
    half = MOST_LETTERS // 2
    return text if len(text) <= MOST_LETTERS else f"{text[: half - 1]}…{text[-half:]}"


def _shown(case: Case, path: Path) -> str:
    return case.shown(path).as_posix()


def _differs(case: Case, row: Row, first: Row) -> str:
    if row.resolved.file == first.resolved.file:
        return ""
    keys = differing(_settings(case, first), _settings(case, row))
    return spoken(keys, 6) if keys else "the same settings"


def _settings(case: Case, row: Row) -> Mapping[str, object]:
    found = case.files.get(row.resolved.file) if row.resolved.file else None
    return (found.settings if found else None) or {}
