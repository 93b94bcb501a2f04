"""Folders of tests: under two configurations (D05, D34), or named and not there (D36).

Two files that differ prove nothing by themselves: a repository of several packages has them on purpose. Certain is only what differs in the
outcome: a marker that the folder uses and only one of the files knows, or a collection that fails, or finds other tests, under one of them.
"""

import glob
from collections.abc import Iterator
from pathlib import Path

from ..arguments import positional
from ..case import Case
from ..collected import Collected
from ..configuration import Configuration, spoken
from ..findings import Finding, Rule, rule
from ..matrix import Conflict, Row, reaches, test_folders
from .markers import name, registered_anywhere, used

__all__ = ["RULES"]


@rule(
    "D05",
    "C",
    "A folder of tests that two configurations claim, with another outcome under each",
    fix="Keep one configuration, at the root, and delete the other; put into it what only the other has.",
)
def two_claims(case: Case, this: Rule) -> Iterator[Finding]:
    for conflict in case.matrix.conflicts:
        if not conflict.keys:
            continue
        harm = [*_markers(case, conflict), *_outcomes(case, conflict)]
        if not harm and not conflict.nearest_settings:
            continue
        folder = conflict.folder.as_posix()
        statement = (
            f"{folder}: {_said(conflict.row)} is ruled by {_file(case, conflict.row)}, {_said(conflict.nearest)} by "
            f"{_file(case, conflict.nearest)}. They differ in {spoken(conflict.keys)}."
        )
        nearest = conflict.nearest.resolved.file or conflict.row.resolved.file
        place = case.shown(nearest) if nearest else None
        yield this.either(harm and _collected(case, conflict), " ".join([statement, *harm]), place)


def _said(row: Row) -> str:
    command = f"`{row.invocation.command}`"
    return f"{command} ({row.invocation.place})" if row.invocation.source else command


def _file(case: Case, row: Row) -> str:
    return case.shown(row.resolved.file).as_posix() if row.resolved.file else "no file"


def _markers(case: Case, conflict: Conflict) -> Iterator[str]:
    """Markers that the folder uses, known under one file and unknown under the other."""
    uses = used(case, conflict.folder)
    ruling = {name(line) for line in _lines(conflict.ruling_settings.get("markers"))}
    nearest = {name(line) for line in _lines(conflict.nearest_settings.get("markers"))}
    by_code = _by_code(case)
    for row, here, there in ((conflict.row, ruling, nearest), (conflict.nearest, nearest, ruling)):
        if not _claims(conflict, row):
            continue
        absent = [marker for marker in uses if marker in there - here - by_code]
        if absent:
            file, line = uses[absent[0]][0]
            yield f"{_file(case, row)} does not know {spoken(tuple(absent))} ({file.as_posix()}:{line})."


def _claims(conflict: Conflict, row: Row) -> bool:
    """Whether the file of the row says anything to pytest: a folder whose own way is `-c` is not meant to be run without."""
    return row is conflict.row or bool(conflict.nearest_settings)


def _by_code(case: Case) -> set[str]:
    written = {name(line) for found in case.files.values() for line in found.words("markers")}
    return registered_anywhere(case) - written


def _lines(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(line) for line in value]
    return [line for line in str(value or "").split("\n") if line.strip()]


def _outcomes(case: Case, conflict: Conflict) -> Iterator[str]:
    """What collecting the folder gave under the one file and under the other."""
    pair = (case.runs.folders if case.runs else {}).get(conflict.folder)
    if pair is None:
        return
    ruling, nearest = (_below(case, one, conflict.folder) for one in pair)
    for run, row, other in ((pair[0], conflict.row, pair[1]), (pair[1], conflict.nearest, pair[0])):
        words = _failure(run)
        if words and _claims(conflict, row) and other.finished and not _failure(other):
            yield f"Under {_file(case, row)} the collection fails: {words}."
            return
    if (
        ruling is not None
        and nearest is not None
        and ruling != nearest
        and _claims(conflict, conflict.nearest)
        and not (_failure(pair[0]) or _failure(pair[1]))
    ):
        yield f"{_file(case, conflict.row)} collects {ruling} tests there, {_file(case, conflict.nearest)} {nearest}."


def _failure(run: Collected) -> str:
    if run.unrecognized:
        return f"addopts has {', '.join(run.unrecognized)}, which nobody knows"
    if run.missing_plugins:
        return f"required_plugins asks for {run.missing_plugins}"
    if run.conftest:
        return f"a conftest cannot be imported ({run.conftest['text'][:200]})"
    if not run.finished or not run.errors:
        return ""
    return f"{len(run.errors)} modules cannot be collected" if len(run.errors) > 1 else "a module cannot be collected"


def _below(case: Case, run: Collected, folder: Path) -> int | None:
    """How many tests of the folder were collected; the names of tests begin at the root of their own configuration."""
    if not run.finished or not run.said.get("root"):
        return None
    root = Path(run.said["root"])
    return sum((root / item.partition("::")[0]).is_relative_to(case.tree.root / folder) for item in run.items)


def _collected(case: Case, conflict: Conflict) -> bool:
    """Whether the ruling invocation reaches the folder for sure: by the probe, else by its own words."""
    pair = (case.runs.folders if case.runs else {}).get(conflict.folder)
    if pair is not None and pair[0].finished:
        errors = any(Path(one["path"]).is_relative_to(case.tree.root / conflict.folder) for one in pair[0].errors)
        return bool(_below(case, pair[0], conflict.folder)) or errors
    if pair is not None:
        return bool(_failure(pair[0]))
    named = conflict.row.invocation.arguments or conflict.ruling_settings.get("testpaths")
    return bool(named)


@rule(
    "D34",
    "S",
    "Invocations that stand in the project read different configurations",
    fix="Start the tests in the same way everywhere, or keep one configuration at the root.",
)
def different_invocations(case: Case, this: Rule) -> Iterator[Finding]:
    written = [row for row in case.matrix.rows if row.invocation.source and not row.resolved.error]
    for folder in case.matrix.folders:
        reaching = [row for row in written if reaches(case.tree, row, folder, case.files, case.matrix.folders)]
        files = {row.resolved.file: row for row in reversed(reaching)}
        if len(files) > 1:
            first, second = list(files.values())[::-1][:2]
            where = "the root" if folder == Path() else folder.as_posix()
            yield this.suspect(
                f"Tests in {where} are ruled by {_file(case, first)} for {_said(first)} and by {_file(case, second)} for {_said(second)}.",
                second.invocation.source,
                second.invocation.line,
            )


@rule(
    "D36",
    "C",
    "testpaths names what is not there",
    fix="Name the folder in which the tests lie, or take testpaths out.",
)
def no_such_folder(case: Case, this: Rule) -> Iterator[Finding]:
    """Pytest passes over a name without a file; where none has one it warns and searches from where it was started (`_decide_args`)."""
    ruling = {row.resolved.file for row in case.matrix.rows}
    for path, found in sorted(case.files.items()):
        named = _searched(found)
        absent = [one for one in named if path in ruling and not _is_there(path.parent, one)]
        if not absent:
            continue
        names, place = ", ".join(f"`{one}`" for one in absent[:8]), (case.shown(path), found.line("testpaths"))
        if len(absent) < len(named):
            yield this.suspect(
                f"testpaths names {names}, and nothing is there: pytest passes over it in silence.", *place
            )
            continue
        harm = (
            "pytest warns of it, and warnings are errors here: no run without arguments begins."
            if case.warnings_fail and case.ruling is found
            else "pytest warns of it, and collects whatever looks like a test below the folder in which it is started."
        )
        yield this.either(_is_used(case, found), f"testpaths names {names}, and nothing is there: {harm}", *place)


def _searched(found: Configuration) -> tuple[str, ...]:
    """What testpaths names as paths: with --pyargs these are packages, and with --rootdir another folder counts."""
    options = found.words("addopts")
    other = any(word.startswith(("--pyargs", "--rootdir")) for word in options)
    return () if other else found.words("testpaths")


def _is_there(folder: Path, name: str) -> bool:
    return next(glob.iglob(name, root_dir=folder, recursive=True), None) is not None  # noqa: PTH207 - as pytest does


def _is_used(case: Case, found: Configuration) -> bool:
    """Whether the main invocation goes by it, and there are tests that it means. A tree without tests proves nothing."""
    main = case.main.invocation
    here = case.tree.root / main.folder == found.path.parent and not positional(main.arguments)
    return case.ruling is found and here and bool(test_folders(case.tree, case.files))


RULES = (two_claims, different_invocations, no_such_folder)
