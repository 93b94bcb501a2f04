"""Where in a tree a marker is registered: every ini file that pytest could read from some folder, and every conftest.

Only files are read, nothing is imported. Bounded: so many folders, so many files, so many bytes of one.
"""

import ast
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

__all__ = ["Registration", "registered"]

_INI: Final = {"pytest.ini": "pytest", ".pytest.ini": "pytest", "tox.ini": "pytest", "setup.cfg": "tool:pytest"}
_TOML: Final = {
    "pyproject.toml": (("tool", "pytest", "ini_options"), ("tool", "pytest")),
    "pytest.toml": (("pytest",),),
    ".pytest.toml": (("pytest",),),
}
_NEVER: Final = frozenset({"node_modules", "site-packages", "__pycache__", "build", "dist"})
_MOST_FOLDERS: Final = 20_000
_MOST_FILES: Final = 500
_MOST_BYTES: Final = 1_000_000


class Registration(NamedTuple):
    """A line that registers a marker."""

    marker: str
    file: Path
    line: int  # from 1


def registered(root: Path) -> list[Registration]:
    """All registrations at and below a folder, sorted by file and line. A file that cannot be read registers nothing."""
    found: list[Registration] = []
    for file in _files(root):
        try:
            text = file.read_text("utf-8") if file.stat().st_size <= _MOST_BYTES else ""
            found += [Registration(marker, file, line) for marker, line in _of(file.name, text)]
        except (OSError, ValueError, SyntaxError, RecursionError):
            continue
    return sorted(found, key=lambda one: (one.file, one.line))


def _files(root: Path) -> Iterator[Path]:
    files = 0
    for folders, (folder, below, names) in enumerate(os.walk(root), 1):
        below[:] = sorted(name for name in below if _worth(Path(folder), name))
        for name in sorted({*_INI, *_TOML, "conftest.py"}.intersection(names)):
            files += 1
            yield Path(folder) / name
        if folders >= _MOST_FOLDERS or files >= _MOST_FILES:
            return


def _worth(folder: Path, name: str) -> bool:
    return not name.startswith(".") and name not in _NEVER and not (folder / name / "pyvenv.cfg").exists()


def _of(name: str, text: str) -> Iterator[tuple[str, int]]:
    if name in _INI:
        return _of_ini(text, _INI[name])
    if name in _TOML:
        return _of_toml(text, _TOML[name])
    return _of_conftest(text)


def _of_ini(text: str, wanted: str) -> Iterator[tuple[str, int]]:
    section = key = ""
    for number, line in enumerate(text.splitlines(), 1):
        if heading := re.match(r"\[([^]]+)\]", line):
            section, key = heading[1].strip(), ""
        elif line.strip() and not line.lstrip().startswith(("#", ";")):
            value = line.strip()
            if not line[0].isspace():
                pair = re.match(r"([^\s=:]+)\s*[=:]\s*(.*)", line)
                key, value = pair.groups() if pair else ("", "")
            if section == wanted and key == "markers" and value:
                yield _name(value), number


def _of_toml(text: str, tables: tuple[tuple[str, ...], ...]) -> Iterator[tuple[str, int]]:
    whole = tomllib.loads(text)
    lines = text.splitlines()
    for path in tables:
        table: Any = whole
        for key in path:
            table = table.get(key, {}) if isinstance(table, dict) else {}
        markers = table.get("markers", []) if isinstance(table, dict) else []
        for row in markers if isinstance(markers, list) else str(markers).splitlines():
            first = str(row).split("\n")[0]
            at = next((number for number, line in enumerate(lines, 1) if first and first in line), 1)
            if first.strip():
                yield _name(first), at


def _of_conftest(text: str) -> Iterator[tuple[str, int]]:
    if "addinivalue_line" not in text:
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "addinivalue_line":
            given = [
                piece.value for piece in node.args if isinstance(piece, ast.Constant) and isinstance(piece.value, str)
            ]
            if len(given) == 2 and given[0] == "markers":
                yield _name(given[1]), node.lineno


def _name(line: str) -> str:
    return re.split("[:(]", line, maxsplit=1)[0].strip()
