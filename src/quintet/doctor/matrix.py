"""Which file rules for which invocation: every way in which the tests are or can be started, and what pytest then reads.

1. Rows are plain `pytest` at the root, every invocation that stands in the project, and each folder of tests given alone.
2. A folder of tests is the topmost one below the configuration nearest to it that holds test modules.
3. Its nearest configuration and the one that rules from elsewhere are compared key by key, in a form independent of the file's format.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .arguments import positional
from .configuration import NAMES, Configuration, differing
from .invocations import Invocation
from .resolution import Resolved
from .tree import Tree

__all__ = ["Conflict", "Matrix", "Row", "built", "candidates", "main_row", "rows", "started", "test_folders", "way"]

MOST_FOLDERS = 16
_TEST = re.compile(r"test_\w*\.py|\w*_test\.py")
_DATA = re.compile(
    r"\W*(?:test|tests)?[-_]?(?:data|fixtures?|files|resources?|assets|examples?(?:_scripts)?|samples?|projects?|templates?|cases|snapshots|stubs|packages)\d*",
    re.IGNORECASE,
)
_FIRST = ("tests", "test", "testing")


@dataclass(frozen=True, slots=True)
class Row:
    """An invocation and what rules for it. `alone` is the test folder that is given alone, if it is such a row."""

    invocation: Invocation
    resolved: Resolved
    alone: Path | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """A folder of tests under two files: `ruling` for an invocation that reaches it, `nearest` when it is given alone."""

    folder: Path
    row: Row
    nearest: Row
    ruling_settings: Mapping[str, object]
    nearest_settings: Mapping[str, object]

    @property
    def keys(self) -> tuple[str, ...]:
        """What the two files set differently."""
        return differing(self.ruling_settings, self.nearest_settings)


@dataclass(frozen=True, slots=True)
class Matrix:
    """All rows, the folders of tests, and where two files claim one folder. `by_pytest`: resolved by pytest's own code."""

    rows: tuple[Row, ...]
    folders: tuple[Path, ...]
    conflicts: tuple[Conflict, ...]
    by_pytest: bool


def candidates(tree: Tree) -> tuple[Path, ...]:
    """The files that could configure pytest, relative to the root, and those of the folders above it."""
    inside = [file for file in tree.files if file.name in NAMES]
    hidden = [file for name in (".pytest.ini", ".pytest.toml") if (tree.root / (file := Path(name))).is_file()]
    above = [folder / name for folder in tree.root.parents for name in NAMES if (folder / name).is_file()]
    return tuple(dict.fromkeys((*inside, *hidden, *above)))


def test_folders(tree: Tree, files: Mapping[Path, Configuration]) -> tuple[Path, ...]:
    """The folders that hold test modules, the topmost ones below each configuration; at most 16."""
    configured = {tree.shown(path.parent) for path, found in files.items() if found.rules or found.error}
    holding = {file.parent for file in tree.modules if _TEST.fullmatch(file.name)}
    tops: dict[Path, Path] = {}
    for folder in sorted(holding, key=lambda one: len(one.parts)):
        owner = _owner(folder, configured)
        if _is_data(folder, tops):
            continue
        if not any(tops[top] == owner and top != Path() and folder.is_relative_to(top) for top in tops):
            tops[folder] = owner
    own_first = sorted(tops, key=lambda folder: (tops[folder] == Path(), folder))
    return tuple(sorted(own_first[:MOST_FOLDERS]))


def _is_data(folder: Path, tops: Iterable[Path]) -> bool:
    """Whether the folder is what tests work on: a project within a folder of tests, named as such."""
    return any(
        folder.is_relative_to(top) and any(_DATA.fullmatch(part) for part in folder.relative_to(top).parts)
        for top in tops
        if top != Path()
    ) or any(_DATA.fullmatch(part) for part in folder.parts[1:] if folder.parts[0] in _FIRST)


def _owner(folder: Path, configured: Iterable[Path]) -> Path:
    known = set(configured)
    return next((one for one in (folder, *folder.parents) if one in known), Path())


def rows(
    tree: Tree, found: Sequence[Invocation], folders: Sequence[Path]
) -> tuple[tuple[Invocation, Path | None], ...]:
    """The invocations of the matrix, without what rules for them; with the folder, where one is given alone."""
    plain = Invocation("", None, "pytest", Path(), ())
    clear = [one for one in found if one.clear]
    alone = [
        (Invocation("", None, f"pytest {folder.as_posix()}", Path(), (folder.as_posix(),)), folder)
        for folder in folders
        if folder != Path()
    ]
    return ((plain, None), *((one, None) for one in clear), *alone)


def built(
    tree: Tree,
    entries: Sequence[tuple[Invocation, Path | None]],
    resolved: Sequence[Resolved],
    files: Mapping[Path, Configuration],
    by_pytest: bool,
) -> Matrix:
    """The matrix, once it is known what rules for every entry."""
    every = tuple(Row(one, what, alone) for (one, alone), what in zip(entries, resolved, strict=True))
    alone = {row.alone: row for row in every if row.alone is not None}
    meant = [row for row in every if row.alone is None and _is_meant(row, every, files)]
    conflicts: list[Conflict] = []
    for folder, nearest in alone.items():
        for row in every:
            differs = row.resolved.file != nearest.resolved.file
            if differs and row in meant and reaches(tree, row, folder, files, tuple(alone)):
                conflicts.append(
                    Conflict(folder, row, nearest, _settings(files, row.resolved), _settings(files, nearest.resolved))
                )
                break
    return Matrix(every, tuple(alone) or (Path(),), tuple(conflicts), by_pytest)


def _is_meant(row: Row, every: Sequence[Row], files: Mapping[Path, Configuration]) -> bool:
    """Whether anybody starts the tests so: plain `pytest` at the root counts if the root is configured and nothing else is written."""
    if row.invocation.source:
        return True
    settings = _settings(files, row.resolved)
    return bool(settings) and ("testpaths" in settings or not any(one.invocation.source for one in every))


def _settings(files: Mapping[Path, Configuration], resolved: Resolved) -> Mapping[str, object]:
    found = files.get(resolved.file) if resolved.file else None
    return (found.settings if found else None) or {}


def reaches(
    tree: Tree, row: Row, folder: Path, files: Mapping[Path, Configuration], folders: Sequence[Path] = ()
) -> bool:
    """Whether the invocation collects the folder, as far as its paths and `testpaths` say; what begins in another of `folders` below does not."""
    target = tree.root / folder
    below = [tree.root / one for one in folders if one != folder and one.is_relative_to(folder)]
    starts = [one for one in started(tree, row, files) if not any(one.is_relative_to(other) for other in below)]
    return any(target.is_relative_to(start) or start.is_relative_to(target) for start in starts)


def started(tree: Tree, row: Row, files: Mapping[Path, Configuration]) -> tuple[Path, ...]:
    """The absolute paths at which an invocation begins to collect."""
    folder = tree.root / row.invocation.folder
    given = positional(row.invocation.arguments)
    paths = [folder / one.partition("::")[0] for one in given]
    existing = tuple(path for path in paths if path.exists())
    if existing:
        return tuple(Path(path) for path in existing)
    ruling = files.get(row.resolved.file) if row.resolved.file else None
    if ruling is not None and folder == row.resolved.root:
        named = [match for one in ruling.words("testpaths") for match in sorted(folder.glob(one))]
        if named:
            return tuple(named)
    return (folder,)


def way(tree: Tree, row: Row) -> tuple[Path, ...]:
    """The folders in which pytest looks for its configuration, from where it begins up to where it finds one."""
    starts = [one if one.is_dir() else one.parent for one in started(tree, row, {})]
    begin = Path(os.path.commonpath(starts))
    if not begin.is_relative_to(row.resolved.root):
        return (row.resolved.root,)
    return tuple(one for one in (begin, *begin.parents) if one.is_relative_to(row.resolved.root))


def _of_projects(matrix: Matrix) -> list[Row]:
    """The rows of projects that only share a folder: none rules at the root, each has its own, and nobody starts pytest at the root."""
    alone = [row for row in matrix.rows if row.alone is not None]
    at_root = any(row.invocation.source and row.invocation.folder == Path() for row in matrix.rows)
    own = bool(alone) and all(row.resolved.file is not None for row in alone)
    return (
        alone
        if own and not at_root and matrix.rows[0].resolved.file is None and not matrix.rows[0].resolved.error
        else []
    )


def main_row(tree: Tree, matrix: Matrix, files: Mapping[Path, Configuration]) -> Row:
    """The invocation that is probed: what `testpaths` says, else what the project itself writes, else its folder of tests."""
    plain = matrix.rows[0]
    if own := _of_projects(matrix):
        return own[0]
    ruling = files.get(plain.resolved.file) if plain.resolved.file else None
    written = [row for row in matrix.rows if row.invocation.source]
    if (
        written
        and all(row.invocation.folder != Path() for row in written)
        and not (ruling and ruling.words("testpaths"))
    ):
        return written[0]
    if plain.resolved.error or (ruling is not None and ruling.words("testpaths")):
        return plain
    for row in matrix.rows[1:]:
        words = positional(row.invocation.arguments)
        whole = row.alone is None and words and not any("::" in word or word.endswith(".py") for word in words)
        if whole and row.invocation.folder == Path() and all((tree.root / word).exists() for word in words):
            return row
    usual = [row for row in matrix.rows if row.alone and row.alone.parts[:1] and row.alone.parts[0] in _FIRST]
    return usual[0] if len(usual) == 1 and len(matrix.folders) > 1 else plain
