"""What the sources of the tests say by their syntax: fixtures, tests, imports, calls. Nothing is imported."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .tree import Tree

__all__ = [
    "Fixture",
    "arguments",
    "decorated_as",
    "fixtures",
    "imported",
    "is_test_file",
    "test_files",
    "tests",
    "top_level",
]

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Fixture(NamedTuple):
    """A fixture as it stands in a file. `maker` is the decorator without its arguments, such as `pytest_asyncio.fixture`."""

    file: Path
    function: Function
    maker: str
    options: dict[str, str]


def is_test_file(file: Path) -> bool:
    """Whether pytest takes a file for a test module or a conftest, by its usual patterns."""
    return file.name.startswith("test_") or file.name.endswith("_test.py") or file.name == "conftest.py"


def test_files(tree: Tree) -> Iterator[tuple[Path, ast.Module]]:
    """The test modules and conftests that have a syntax."""
    for file in tree.modules:
        if is_test_file(file) and (module := tree.module(file)) is not None:
            yield file, module


def _functions(module: ast.Module) -> Iterator[Function]:
    """Functions of the module and methods of its classes; what is defined inside a function is nobody's test."""
    waiting: list[ast.stmt] = list(module.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        elif isinstance(node, ast.ClassDef | ast.If | ast.Try):
            waiting = [*node.body, *waiting]


def decorated_as(function: Function) -> Iterator[tuple[str, dict[str, str]]]:
    """The decorators: their names, and their arguments by keyword as source texts."""
    for one in function.decorator_list:
        called = one.func if isinstance(one, ast.Call) else one
        given = (
            {word.arg: ast.unparse(word.value).strip("'\"") for word in one.keywords if word.arg}
            if isinstance(one, ast.Call)
            else {}
        )
        yield ast.unparse(called), given


def fixtures(tree: Tree) -> Iterator[Fixture]:
    """Every fixture of the test modules and conftests."""
    for file, module in test_files(tree):
        for function in _functions(module):
            for maker, options in decorated_as(function):
                if maker == "fixture" or maker.endswith(".fixture"):
                    yield Fixture(file, function, maker, options)


def tests(tree: Tree) -> Iterator[tuple[Path, Function]]:
    """Every function that looks like a test."""
    for file, module in test_files(tree):
        for function in _functions(module):
            if function.name.startswith("test"):
                yield file, function


def arguments(function: Function) -> list[str]:
    """The names that a function asks for."""
    return [one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]


def imported(module: ast.Module) -> dict[str, int]:
    """The top-level packages that a module imports anywhere, with the line."""
    found: dict[str, int] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for one in node.names:
                found.setdefault(one.name.partition(".")[0], node.lineno)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.setdefault(node.module.partition(".")[0], node.lineno)
    return found


def top_level(module: ast.Module) -> set[str]:
    """The packages that are imported for sure when the module is: outside of functions, conditions and `try`."""
    found: set[str] = set()
    for node in module.body:
        if isinstance(node, ast.Import):
            found |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found
