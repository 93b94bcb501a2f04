"""What is collected: not twice the same, not at all, or not by intention: D29 to D32."""

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from ..case import Case
from ..findings import Finding, Rule, rule
from ..matrix import started
from ..syntax import is_test_file

__all__ = ["RULES"]

_MOST_KEPT_OUT = 8


@rule(
    "D29",
    "P",
    "Tests whose order depends on chance, distributed to several workers",
    fix="Sort what parametrizes: @pytest.mark.parametrize(…, sorted(values)).",
)
def unequal_workers(case: Case, this: Rule) -> Iterator[Finding]:
    first, second = _both(case)
    if first == second:
        return
    place = _distributed(case)
    at = (
        next(one for one, other in zip([*first, ""], [*second, ""], strict=False) if one != other)
        or second[len(first) :][0]
    )
    statement = f"Two hash seeds collect the tests in another order, first at {at[:120]}: workers of pytest-xdist then refuse to start."
    if place:
        yield this.certain(statement, _file(case, at))
    elif case.python.has("pytest-xdist") and set(first) == set(second):
        yield this.suspect(statement, _file(case, at))


@rule(
    "D30",
    "P",
    "Other tests are collected with another hash seed",
    fix="Sort what parametrizes, and give it ids that do not depend on chance.",
)
def unequal_seeds(case: Case, this: Rule) -> Iterator[Finding]:
    first, second = _both(case)
    only = [*(set(first) - set(second)), *(set(second) - set(first))]
    if only:
        example = min(only)
        what = f"{len(only)} tests are in one of two collections only, such as {example[:120]}"
        statement = f"{what}; the hash seed was another. A failure cannot be run again by its name."
        yield this.certain(statement, _file(case, example))


def _both(case: Case) -> tuple[list[str], list[str]]:
    again = case.runs.again if case.runs else None
    if case.collected is None or again is None or not again.finished or len(case.collected.errors) != len(again.errors):
        return [], []
    return case.collected.items, again.items


def _distributed(case: Case) -> bool:
    """Whether the project itself asks for workers."""
    words = [*case.words("addopts"), *(word for one in case.invocations for word in one.arguments)]
    if not case.python.has("pytest-xdist") or (case.tree.root / "tox.ini").exists() or _one_seed(case):
        return False
    return any(re.match(r"-n(?:\d+|auto|logical|$)|--numprocesses", word) for word in words)


def _one_seed(case: Case) -> bool:
    """Whether something sets the hash seed, which all workers then inherit; tox always does."""
    files = [
        file
        for file in case.tree.files
        if file.suffix in (".yml", ".yaml", ".toml") or file.name in ("Makefile", "noxfile.py")
    ]
    return any(
        "PYTHONHASHSEED" in text or "tool.tox" in text for text in (case.tree.text(file) or "" for file in files)
    )


def _file(case: Case, item: str) -> Path:
    root = Path(case.collected.said["root"]) if case.collected else case.tree.root
    return case.shown(root / item.partition("::")[0])


@rule(
    "D31",
    "P",
    "Classes that look like tests and have an __init__, while warnings are errors",
    fix="Rename the class, or set __test__ = False in it.",
)
def not_a_test_class(case: Case, this: Rule) -> Iterator[Finding]:
    for error in case.collected.errors if case.collected else ():
        text = str(error.get("text"))
        at = re.search(r"cannot collect test class '?(\w+)'? because it has an? (\w+)", text)
        if at:
            statement = f"The class {at[1]} has an {at[2]}, so it is no test class; the warning is an error here and its module is lost."
            yield this.certain(statement, case.shown(error["path"]))


@rule(
    "D32",
    "S",
    "Tests that nobody collects",
    fix="Name the file and the function as python_files and python_functions say, or give the helper another name.",
)
def uncollected(case: Case, this: Rule) -> Iterator[Finding]:
    """Modules in folders of tests with test functions whose file name no pattern matches."""
    patterns = case.words("python_files") or ("test_*.py", "*_test.py")
    starts = started(case.tree, case.main, case.files)
    collected = {case.shown(_file(case, item)) for item in case.collected.items} if case.collected else None
    failed = {case.shown(error["path"]) for error in case.collected.errors} if case.collected else set()
    for file in case.tree.modules:
        path = case.tree.root / file
        named = any(fnmatch(file.name, pattern) or fnmatch(path.as_posix(), pattern) for pattern in patterns)
        if (
            named
            or file.name in ("conftest.py", "__init__.py")
            or not any(path.is_relative_to(start) for start in starts)
        ):
            continue
        if (
            not any(re.fullmatch(r"tests?|testing", part) for part in file.parts[:-1])
            or (collected and file in collected)
            or file in failed
        ):
            continue
        tests = _tests(case.tree.module(file))
        if tests:
            yield this.suspect(
                f"{len(tests)} functions in {file.as_posix()} look like tests ({tests[0].name}), and no pattern of python_files matches the file.",
                file,
                tests[0].lineno,
            )
    for file, word, line in list(_kept_out(case))[:_MOST_KEPT_OUT]:
        yield this.suspect(
            f"No test is collected at all, and {file.as_posix()} has tests: `{word}` in norecursedirs keeps it out.",
            file,
            line,
        )


def _kept_out(case: Case) -> Iterator[tuple[Path, str, int]]:
    """Where nothing at all is collected: modules with tests that norecursedirs keeps out, by which of its words."""
    if case.collected is None or case.collected.items or case.collected.errors:
        return
    for file in case.tree.modules if case.words("norecursedirs") else ():
        tests = _tests(case.tree.module(file)) if is_test_file(file) else []
        word = next(
            (one for one in case.words("norecursedirs") if any(fnmatch(part, one) for part in file.parts[:-1])), ""
        )
        if tests and word:
            yield file, word, tests[0].lineno


def _tests(module: ast.Module | None) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions named as tests that assert something: others are more likely parts of the program."""
    found: list[ast.FunctionDef | ast.AsyncFunctionDef] = []
    for node in module.body if module else ():
        test = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        if test and any(isinstance(inner, ast.Assert) for inner in ast.walk(node)):
            found.append(node)  # type: ignore[arg-type]
    return found


RULES = (unequal_workers, unequal_seeds, not_a_test_class, uncollected)
