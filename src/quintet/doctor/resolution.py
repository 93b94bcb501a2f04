"""Which file rules for an invocation, by reading alone. Where a probe may run, pytest itself is asked instead.

1. The search starts at the common ancestor of the arguments that exist, in the current folder where there is none, and goes upwards.
2. In each folder the names are tried in their order; the first that configures pytest rules, and its folder is the root.
3. Without one: the folder of the nearest `pyproject.toml`, else of the nearest `setup.py`, else the arguments one by one, else the ancestor.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from .configuration import NAMES, Configuration

__all__ = ["Resolved", "resolve"]


class Resolved(NamedTuple):
    """The effective file (None: there is none), the root folder, or why pytest refuses."""

    file: Path | None
    root: Path
    error: str | None = None


Reader = Callable[[Path], Configuration | None]
"""The reading of a file, None where there is no such file."""

_TAKE_VALUE = {"-c", "--config-file", "--rootdir", "-o", "--override-ini", "-k", "-m", "-p", "-W", "-n", "-r"}


def resolve(folder: Path, arguments: Sequence[str], reading: Reader, major: int = 9) -> Resolved:
    """What rules when pytest is started in `folder` with these arguments."""
    paths, options = _split(arguments)
    starts = [_folder(folder, text) for text in paths]
    folders = [start for start in starts if start is not None]
    ancestor = _ancestor(folder, folders)
    if "-c" in options:
        file = _absolute(folder, options["-c"])
        given = _absolute(folder, options["--rootdir"]) if "--rootdir" in options else file.parent
        return Resolved(file, given, None if file.is_file() else f"Config file '{file}' not found.")
    found = _locate([ancestor], reading, major)
    if found is None and "--rootdir" not in options:
        found = _by_setup(ancestor) or (_locate(folders, reading, major) if folders != [ancestor] else None)
    if found is None:
        common = _ancestor(folder, [folder, ancestor])
        found = Resolved(None, ancestor if common == Path(common.anchor) else common)
    return found._replace(root=_absolute(folder, options["--rootdir"])) if "--rootdir" in options else found


def _split(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    paths: list[str] = []
    options: dict[str, str] = {}
    rest = iter(arguments)
    for text in rest:
        name, equals, value = text.partition("=")
        if name in _TAKE_VALUE:
            options["-c" if name == "--config-file" else name] = value if equals else next(rest, "")
        elif not text.startswith("-"):
            paths.append(text.partition("::")[0])
    return paths, options


def _absolute(folder: Path, text: str) -> Path:
    return Path(os.path.abspath(folder / text))  # noqa: PTH100 - `resolve` would follow symbolic links, pytest does not


def _folder(folder: Path, text: str) -> Path | None:
    path = _absolute(folder, text)
    return (path if path.is_dir() else path.parent) if path.exists() else None


def _ancestor(folder: Path, paths: Iterable[Path]) -> Path:
    existing = [str(path) for path in paths]
    return Path(os.path.commonpath(existing)) if existing else folder


def _locate(starts: Iterable[Path], reading: Reader, major: int) -> Resolved | None:
    plain: Path | None = None
    for start in starts:
        for base in (start, *start.parents):
            for name in NAMES if major >= 9 else NAMES[2:]:
                found = reading(base / name)
                if found is None:
                    continue
                if found.error is not None:
                    return Resolved(found.path, base, found.error)
                if found.rules:
                    return Resolved(found.path, base, _later_error(base, name, reading) if major >= 9 else None)
                if name == "pyproject.toml" and plain is None:
                    plain = found.path
    return Resolved(plain, plain.parent) if plain else None


def _later_error(base: Path, name: str, reading: Reader) -> str | None:
    """Since 9 the files that come later in the same folder are read too, to name those that are ignored."""
    later = (reading(base / other) for other in NAMES[NAMES.index(name) + 1 :])
    return next((found.error for found in later if found is not None and found.error), None)


def _by_setup(ancestor: Path) -> Resolved | None:
    for folder in (ancestor, *ancestor.parents):
        if (folder / "setup.py").is_file():
            return Resolved(None, folder)
    return None
