"""Modules that cannot be imported as they stand: D25 to D27, D33, D35."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from quintet.triage.masking import mask

from ..case import Case
from ..findings import Finding, Rule, rule
from ..matrix import started
from ..syntax import is_test_file, test_files
from .environment import explained

__all__ = ["RULES"]

_IMPORT = "builtins.ImportError"


def said(error: dict[str, object]) -> str:
    """An exception's class and text, shortened, without secrets."""
    kinds = error.get("kinds")
    kind = str(kinds[0]).rpartition(".")[2] if isinstance(kinds, list) and kinds else "an error"
    text = " ".join(str(error.get("text", "")).split())
    return mask(f"{kind}: {text[:300]}" if text else kind)


@rule(
    "D25",
    "C",
    "Test modules of the same name that pytest takes for one another",
    fix="Give the folders an __init__.py, rename one module, or set --import-mode=importlib.",
)
def same_name(case: Case, this: Rule) -> Iterator[Finding]:
    if any("importlib" in word for word in case.words("addopts")):
        return
    if case.collected is not None:
        for error in case.collected.errors:
            if "import file mismatch" in str(error.get("told")):
                path = case.shown(error["path"])
                twins = [file for file in case.tree.modules if file.name == path.name and file != path]
                also = f" and {twins[0].as_posix()}" if twins else ""
                statement = f"{path.as_posix()}{also} have the same module name, so only the first is collected."
                yield this.certain(statement, path)
        return
    for group in _twins(case).values():
        names = " and ".join(file.as_posix() for file in group[:3])
        sure = case.runs is None and bool(case.words("testpaths")) and not _ignores(case)
        yield this.either(sure, f"{names} have the same module name, so pytest collects only one of them.", group[1])


def _twins(case: Case) -> dict[str, list[Path]]:
    """Modules that one invocation collects and whose import name is the same."""
    starts = started(case.tree, case.main, case.files)
    groups: dict[str, list[Path]] = defaultdict(list)
    for file in case.tree.modules:
        path = case.tree.root / file
        test = is_test_file(file) and file.name != "conftest.py"
        if test and not (path.parent / "__init__.py").exists() and any(path.is_relative_to(start) for start in starts):
            groups[file.name].append(file)
    return {name: files for name, files in sorted(groups.items()) if len(files) > 1}


def _ignores(case: Case) -> bool:
    options = any(word.startswith(("--ignore", "--deselect")) for word in case.words("addopts"))
    return (
        options
        or bool(case.words("norecursedirs"))
        or any("collect_ignore" in (case.tree.text(file) or "") for file, _ in test_files(case.tree))
    )


@rule(
    "D26",
    "P",
    "A conftest that cannot be imported: nothing is collected",
    fix="Make the import work: install what is missing, or correct the path.",
)
def broken_conftest(case: Case, this: Rule) -> Iterator[Finding]:
    run = case.runs.main if case.runs else None
    if run is None or run.conftest is None or explained(case, run, run.conftest):
        return
    error = run.conftest
    missing = str(error.get("name") or "").partition(".")[0]
    statement = f"{case.shown(error['path']).as_posix()} cannot be imported: {said(error)}"
    elsewhere = bool(missing) and case.python.origin == "running" and _in_tree(case, missing)
    twin = "ImportPathMismatchError" in f"{error.get('kinds')}{error.get('text')}"
    foreign = _IMPORT in error["kinds"] and (elsewhere or not case.python.proves)
    yield this.either(not foreign, f"{statement}.", *case.deepest(error), fix=_import_fix(case, missing, foreign, twin))


def _import_fix(case: Case, missing: str, foreign: bool, twin: bool) -> str:
    if foreign:
        absent = ", ".join(case.python.missing[:4]) or missing
        return f"Give the project's Python with --python: {case.python.path} lacks what the project needs ({absent})."
    if twin:
        return "Run each project's tests by itself, set --import-mode=importlib, or take the __init__.py out of these folders."
    if not missing:
        return ""
    if _in_tree(case, missing):
        return (
            f"{missing} is part of this project: install it (pip install -e .), or set pythonpath in the configuration."
        )
    return f"Install what provides {missing}, and add it to the requirements of the tests."


def _in_tree(case: Case, package: str) -> bool:
    return any(
        part == package
        for file in case.tree.modules
        for part in (*file.parts[:-1][:3], file.stem if len(file.parts) < 3 else "")
    )


@rule("D27", "C", "pytest_plugins in a conftest below the root", fix="Move pytest_plugins to the conftest at the root.")
def plugins_below(case: Case, this: Rule) -> Iterator[Finding]:
    errors = [
        *(case.collected.errors if case.collected else ()),
        *([case.runs.main.conftest] if case.runs and case.runs.main.conftest else ()),
    ]
    refused = [
        error
        for error in errors
        if "pytest_plugins" in str(error.get("text")) and "non-top-level" in str(error.get("text"))
    ]
    for file, module in test_files(case.tree):
        if file.name != "conftest.py" or not _defines_plugins(module) or _initial(case, file.parent):
            continue
        proven = any(
            case.tree.root.joinpath(file).as_posix() in str(error.get("text"))
            or str(error.get("path", "")).endswith(file.as_posix())
            for error in refused
        )
        sure = (
            bool(refused) and proven
            if case.runs
            else bool(case.words("testpaths")) and _collected(case, file) and not _ignores(case)
        )
        statement = (
            f"{file.as_posix()} defines pytest_plugins, which pytest refuses when it meets the file while collecting."
        )
        yield this.either(sure, statement, file)


def _defines_plugins(module: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Assign)
        and any(isinstance(one, ast.Name) and one.id == "pytest_plugins" for one in node.targets)
        and not (isinstance(node.value, ast.List | ast.Tuple) and not node.value.elts)
        for node in module.body
    )


def _initial(case: Case, folder: Path) -> bool:
    """Whether the conftest of a folder is read before anything is collected, where pytest_plugins is allowed."""
    here = case.tree.root / folder
    for start in started(case.tree, case.main, case.files):
        below = start if start.is_dir() else start.parent
        if below.is_relative_to(here) or (here.parent == below and here.name.startswith("test")):
            return True
    return False


def _collected(case: Case, file: Path) -> bool:
    here = case.tree.root / file
    holds = any(one.is_relative_to(file.parent) and is_test_file(one) and one != file for one in case.tree.modules)
    return holds and any(here.is_relative_to(start) for start in started(case.tree, case.main, case.files))


@rule(
    "D33",
    "P",
    "A module ends the whole run when it is imported",
    fix='Put the call under if __name__ == "__main__", or raise an exception that says what is missing.',
)
def leaves(case: Case, this: Rule) -> Iterator[Finding]:
    left = case.runs.main.left if case.runs else None
    if left and left.get("frames"):
        file, line = case.deepest(left)
        yield this.certain(f"Importing {file} ends the whole run (SystemExit), without a report.", file, line)


@rule(
    "D35",
    "S",
    "Test modules that cannot be imported",
    fix="Make the import work, or skip the module with pytest.importorskip.",
)
def broken_modules(case: Case, this: Rule) -> Iterator[Finding]:
    yield from _as_program(case, this)
    kinds: dict[str, list[dict[str, object]]] = defaultdict(list)
    run = case.collected
    for error in run.errors if run else ():
        text = f"{error.get('text')}{error.get('told')}"
        if (
            run
            and not explained(case, run, error)
            and not re.search("import file mismatch|pytest_plugins|cannot collect test class", text)
        ):
            kinds[_cause(error)].append(error)
    for cause, errors in sorted(kinds.items()):
        file, line = case.deepest(errors[0])
        count = (
            f"{len(errors)} modules cannot"
            if len(errors) > 1
            else f"{case.shown(str(errors[0]['path'])).as_posix()} cannot"
        )
        yield this.suspect(f"{count} be collected: {cause}.", file, line)


def _as_program(case: Case, this: Rule) -> Iterator[Finding]:
    """`python -m pytest` has the current folder on its path, `pytest` has not. It matters where the project writes the latter only."""
    run = case.runs.as_program if case.runs else None
    styles = {one.module for one in case.invocations}
    errors = [run.conftest, *run.errors] if run and styles == {False} else []
    error = next((one for one in errors if one), None)
    if error is None:
        return
    file, line = case.deepest(error)
    statement = f"Started as `pytest`, {case.shown(str(error['path'])).as_posix()} cannot be imported: {_cause(error)}. As `python -m pytest` it can."
    yield this.suspect(
        statement, file, line, fix='Set `pythonpath = ["."]` (or install the project), so that both find it.'
    )


def _cause(error: dict[str, object]) -> str:
    """Errors of the test module's own import come wrapped in text; its last line names the cause."""
    text = str(error.get("text", ""))
    causes = [line[1:].strip() for line in text.split("\n") if line.startswith("E  ")]
    return mask(causes[-1][:300]) if causes else said(error)


RULES = (same_name, broken_conftest, plugins_below, leaves, broken_modules)
