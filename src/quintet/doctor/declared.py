"""What a project says it needs: the requirements of its package, its groups for tests, and its requirement files.

Only used to tell whether an interpreter is the project's: names count, versions and markers do not. A requirement with a marker may not
apply here and is passed over.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .interpreter import canonical
from .tree import Tree

__all__ = ["declared", "missing"]

_NAME = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(?:$|[<>=!~(@;,#\s])")
_OF_TESTS = re.compile(r"test|dev|ci\b|all\b|check|qa", re.IGNORECASE)
_FILES = re.compile(
    r"(?:requirements|dev-requirements|test-requirements|requirements[-_.]\w+|(?:test|tests|dev)[\w-]*)\.(?:txt|in)"
)


def missing(tree: Tree, distributions: Mapping[str, str]) -> tuple[str, ...]:
    """What is declared and not installed, sorted."""
    return tuple(sorted(declared(tree) - distributions.keys()))


def declared(tree: Tree) -> set[str]:
    """The names of the distributions that the project declares for itself and its tests."""
    return {name for name in map(_name, (*_project(tree), *_requirements(tree))) if name}


def _name(line: str) -> str | None:
    if ";" in line or line.lstrip().startswith(("#", "-")):
        return None
    found = _NAME.match(line)
    return canonical(found[1]) if found else None


def _project(tree: Tree) -> Iterator[str]:
    try:
        document = tomllib.loads(tree.text(Path("pyproject.toml")) or "")
    except tomllib.TOMLDecodeError:
        return
    project = _table(document, "project")
    yield from _strings(project.get("dependencies"))
    for groups in (_table(project, "optional-dependencies"), _table(document, "dependency-groups")):
        for name, group in groups.items():
            if _OF_TESTS.search(name):
                yield from _strings(group)
    poetry = _table(_table(document, "tool"), "poetry")
    tables = [poetry, *(_table(group) for group in _table(poetry, "group").values())]
    for table in tables:
        yield from (
            name for key in ("dependencies", "dev-dependencies") for name in _table(table, key) if name != "python"
        )


def _table(value: Any, key: str = "") -> dict[str, Any]:
    found = value.get(key) if key and isinstance(value, dict) else value
    return found if isinstance(found, dict) else {}


def _strings(value: Any) -> Iterator[str]:
    return (one for one in value if isinstance(one, str)) if isinstance(value, list) else iter(())


def _requirements(tree: Tree) -> Iterable[str]:
    for file in tree.files:
        if len(file.parts) <= 2 and _FILES.fullmatch(file.name):
            yield from (tree.text(file) or "").split("\n")
