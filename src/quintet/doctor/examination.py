"""One examination from beginning to end: read, ask, probe, apply the rules.

1. Nothing raises for what the project holds: what cannot be found out is said in `not_probed`.
2. Probes follow each other, each with its own bound and all with one; the rules run when everything is known.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from . import matrix as matrices
from .asking import Answer, ask, read_alone
from .case import Case, Runs
from .collected import Collected
from .configuration import Configuration
from .declared import missing
from .findings import Finding
from .interpreter import Interpreter, canonical, choose, installed
from .invocations import found as find_invocations
from .probing import Clock, Run, collect
from .rules import RULES
from .tree import Tree

__all__ = ["Examination", "Said", "examination", "examine"]

SECONDS_EACH = 60.0
SECONDS_WHOLE = 240.0
MOST_FOLDER_PROBES = 4

Said = Callable[[str], None]
"""Told what is being done, for people who wait."""


@dataclass(frozen=True, slots=True)
class Examination:
    """The findings, certain ones first, the matrix, and what could not be probed and why."""

    case: Case
    findings: tuple[Finding, ...]
    not_probed: tuple[str, ...]

    @property
    def certain(self) -> tuple[Finding, ...]:
        """The findings that fail a build."""
        return tuple(one for one in self.findings if one.certainty == "certain")


def examine(path: Path | str, probe: bool = True, python: Path | str | None = None) -> list[Finding]:
    """The findings about the pytest configuration of a project, certain ones first.

    With `probe` off nothing is run and files are read only. `python` is the interpreter of the project (a file, or the folder of an
    environment); its own `.venv` or the running one if not given. Raises `NotADirectoryError` and `interpreter.NoInterpreterError`.
    """
    return list(examination(Path(path), probe=probe, python=Path(python) if python else None).findings)


def examination(
    path: Path,
    *,
    probe: bool = True,
    python: Path | None = None,
    seconds: float = SECONDS_EACH,
    together: float | None = None,
    said: Said = lambda _: None,
) -> Examination:
    """The same with the matrix and what was not probed.

    `seconds` bounds each probe; all of them take `together` at most, four times `seconds` if not given.
    """
    if not path.is_dir():
        raise NotADirectoryError(f"{path} is not a folder")
    tree = Tree(path)
    said("Reading files")
    case = _read(tree, probe, python)
    notes: list[str] = [case.why_not] if case.why_not else []
    if probe and not case.why_not:
        clock = Clock(min(SECONDS_WHOLE, seconds * 4 if together is None else together), seconds)
        case = replace(case, runs=_probed(case, clock, said), clock=clock)
    said("Applying the rules")
    findings: list[Finding] = []
    for rule in RULES:
        try:
            findings += rule.check(case, rule)
        except Exception as error:
            notes.append(f"{rule.number} could not be applied: {type(error).__name__}: {error}")
    notes += _not_probed(case, probe)
    ordered = sorted(
        dict.fromkeys(findings), key=lambda one: (one.certainty != "certain", one.rule, one.file or "", one.line or 0)
    )
    return Examination(case, tuple(ordered), tuple(dict.fromkeys(notes)))


def _read(tree: Tree, probe: bool, given: Path | None) -> Case:
    path, origin = choose(tree.root, given)
    distributions = installed(path)
    candidates = matrices.candidates(tree)
    major = int((distributions.get("pytest") or "9").partition(".")[0])
    alone = read_alone(tree, candidates, (), major)
    folders = matrices.test_folders(tree, alone.files)
    invocations = find_invocations(tree)
    entries = matrices.rows(tree, invocations, folders)
    questions = [(tree.root / one.folder, one.arguments) for one, _ in entries]
    answer = ask(path, tree, candidates, questions, major) if probe else read_alone(tree, candidates, questions, major)
    built = matrices.built(tree, entries, answer.resolved, answer.files, answer.by_pytest)
    if answer.distributions is not None:
        distributions = {canonical(name): version for name, version in answer.distributions.items()}
    interpreter = Interpreter(path, origin, distributions, missing(tree, distributions))
    main = matrices.main_row(tree, built, answer.files)
    return Case(
        tree, interpreter, answer.files, invocations, built, main, dict(os.environ), why_not=_why(answer, probe)
    )


def _why(answer: Answer, probe: bool) -> str:
    return answer.why_not if probe else "nothing was run, as asked: files were read only"


def _probed(case: Case, clock: Clock, said: Said) -> Runs:
    def run(seed: int = 1, case: Case = case) -> Run:
        return Run(case.python.path, case.tree, case.main.invocation, case.ruling, case.major, seed)

    stamp = _stamp(case)
    said(f"Collecting tests: {case.main.invocation.command}")
    wanted = run()
    main = collect(wanted, clock)
    program = None
    broken = main.conftest or any("builtins.ImportError" in one["kinds"] for one in main.errors)
    if broken and not main.module:
        said("Collecting again as python -m pytest")
        other = collect(replace(wanted, invocation=wanted.invocation._replace(module=True)), clock)
        if other.finished and not other.conftest and len(other.errors) < len(main.errors) + bool(main.conftest):
            program = main
            wanted, main = replace(wanted, invocation=wanted.invocation._replace(module=True)), other
    again = None
    if main.finished and any("[" in item for item in main.items):  # without parameters nothing depends on chance
        said("Collecting again with another hash seed")
        again = collect(replace(wanted, seed=2), clock)
        if _stamp(case) != stamp:
            again = Collected(why_not="the tree was changed while it was probed")
    return Runs(main, again, program, _folders(case, wanted, clock, said) if main.finished else {})


def _stamp(case: Case) -> set[tuple[Path, int]]:
    """The modules with their times. Two collections can be compared only if nobody has edited between them."""
    fresh = Tree(case.tree.root)
    return {(file, (fresh.root / file).stat().st_mtime_ns) for file in fresh.modules if (fresh.root / file).exists()}


def _folders(case: Case, wanted: Run, clock: Clock, said: Said) -> dict[Path, tuple[Collected, Collected]]:
    """The folders that two files claim, collected under the one and under the other."""
    found: dict[Path, tuple[Collected, Collected]] = {}
    for conflict in [one for one in case.matrix.conflicts if one.keys][:MOST_FOLDER_PROBES]:
        said(f"Collecting {conflict.folder} under both of its files")
        pair = [
            collect(replace(wanted, invocation=row.invocation, ruling=_file(case, row)), clock)
            for row in (conflict.row, conflict.nearest)
        ]
        found[conflict.folder] = (pair[0], pair[1])
    return found


def _file(case: Case, row: matrices.Row) -> Configuration | None:
    return case.files.get(row.resolved.file) if row.resolved.file else None


def _not_probed(case: Case, probe: bool) -> list[str]:
    if not probe or case.runs is None:
        return []
    main = case.runs.main
    notes = [f"collection: {main.why_not}"] if not main.finished and main.why_not else []
    if main.finished and case.runs.again is not None and not case.runs.again.finished:
        notes.append(f"a second hash seed: {case.runs.again.why_not}")
    if case.tree.cut:
        notes.append("the tree is large: only its first files were looked at")
    return notes
