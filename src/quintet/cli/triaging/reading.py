"""Gets the texts to be read: files, standard input, the report files that lie in a folder.

1. A text is data. Its name is too: both are cleaned and masked before anything shows them.
2. Bounds on the size of a file, on how many, and on how far a folder is searched; what is beyond is said, not dropped in silence.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from quintet.triage import decode, read
from quintet.triage.masking import mask
from quintet.triage.normalise import TEXT_LIMIT, normalise, shorten

__all__ = ["Report", "Unreadable", "found_in", "reports"]

FILES = 200
_ENTRIES = 5_000  # of folders that are looked at for reports
_DEEPEST = 4
_HEAD = 64 * 1024  # bytes by which a file is known for a report
_BESIDE = 120.0  # seconds between two files of one run
_LEFT_OUT = frozenset(
    {".git", ".hg", ".venv", "venv", "node_modules", "site-packages", "__pycache__", ".tox", ".nox", ".mypy_cache"}
)
_TELLING = (
    "<testsuite",
    "$report_type",
    "reportFormat",
    "nodeid",
    " passed",
    " failed",
    " error",
)  # a look that costs nothing
_ENDINGS = (".xml", ".txt", ".log", ".json", ".jsonl", ".out")


class Unreadable(Exception):  # noqa: N818 - what happened, in one line
    """A file that cannot be read; the text is one line for the person who named it."""


class Report(NamedTuple):
    """A text and the name by which facts cite it."""

    name: str
    text: str


def reports(names: Sequence[str]) -> list[Report]:
    """The files of these names; `-` is standard input.

    Raises:
        Unreadable: one of them cannot be read, or there are too many.
    """
    if len(names) > FILES:
        raise Unreadable(f"{len(names)} files are more than the {FILES} that one run may have. Name fewer.")
    return [_of_input() if name == "-" else _of_file(Path(name), name) for name in names]


def shown(name: str) -> str:
    """A name that was given by whoever made the file, fit to be shown."""
    return shorten(mask(normalise(name)), 200) or "(no name)"


def _of_input() -> Report:
    if sys.stdin.isatty():
        print("Reading standard input; end it with Ctrl-D.", file=sys.stderr)  # noqa: T201
    return Report("standard input", decode(sys.stdin.buffer.read(TEXT_LIMIT)))


def _of_file(path: Path, name: str) -> Report:
    try:
        with path.open("rb") as file:
            return Report(shown(name), decode(file.read(TEXT_LIMIT)))
    except OSError as fault:
        raise Unreadable(f"{shown(name)} cannot be read: {fault.strerror or fault}") from None


class Found(NamedTuple):
    """The reports of the newest run in a folder, and how many older ones were left alone."""

    reports: list[Report]
    older: int


def found_in(folder: Path) -> Found:
    """The newest run that left its reports in a folder: the newest report and those written within two minutes before it, beside it."""
    candidates = sorted(_candidates(folder), key=lambda one: (-one[0], one[1]))
    newest = candidates[0] if candidates else None
    if newest is None:
        return Found([], 0)
    together = [path for when, path in candidates if path.parent == newest[1].parent and newest[0] - when <= _BESIDE][
        :FILES
    ]
    made = [_of_file(path, path.relative_to(folder).as_posix()) for path in sorted(together)]
    return Found(made, len(candidates) - len(made))


def _candidates(folder: Path) -> Iterator[tuple[float, Path]]:
    seen = 0
    for where, folders, files in os.walk(folder):
        depth = len(Path(where).relative_to(folder).parts)
        kept = sorted(name for name in folders if name not in _LEFT_OUT and not Path(where, name).is_symlink())
        folders[:] = kept if depth < _DEEPEST else []
        for name in sorted(files):
            seen += 1
            if seen > _ENTRIES:
                return
            path = Path(where, name)
            if name.lower().endswith(_ENDINGS) and path.is_file() and _is_report(path):
                yield path.stat().st_mtime, path


def _is_report(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = decode(file.read(_HEAD))
    except OSError:
        return False
    if not any(word in head for word in _TELLING):
        return False
    return read(head, path.name).kind not in ("nothing", "traceback")
