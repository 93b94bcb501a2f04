"""The matrix as lines: what is started, what rules then, and what differs."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ..case import Case
from ..configuration import differing, spoken
from ..matrix import Row

__all__ = ["Line", "table"]

MOST_LINES = 14


class Line(NamedTuple):
    """One way to start the tests; `differs` names the settings that differ from those of the first line."""

    command: str
    place: str
    file: str
    root: str
    differs: str


def table(case: Case) -> list[Line]:
    """A line for each different way: invocations that say the same and read the same are one line."""
    first = case.matrix.rows[0]
    lines = {
        (line.command, line.file, line.root): line
        for line in reversed([_line(case, row, first) for row in case.matrix.rows])
    }
    ordered = list(lines.values())[::-1]
    return ordered[:MOST_LINES]


def _line(case: Case, row: Row, first: Row) -> Line:
    invocation = row.invocation
    command = invocation.command if len(invocation.command) <= 48 else invocation.command[:47] + "…"
    moved = "" if invocation.folder == Path() else f"in {invocation.folder.as_posix()}: "
    place = invocation.place if invocation.source else ("given alone" if row.alone else "at the root")
    if row.resolved.error:
        return Line(moved + command, place, "refused", _shown(case, row.resolved.root), "")
    file = case.shown(row.resolved.file).as_posix() if row.resolved.file else "none"
    return Line(moved + command, place, file, _shown(case, row.resolved.root), _differs(case, row, first))


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
