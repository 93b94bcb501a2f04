"""One configuration file: what pytest takes from it, and where that stands.

Source of the rules: pytest's documentation ("Configuration", "rootdir and configfile") and `_pytest/config/findpaths.py` of 8.2 to 9.2.
Used where nothing may be run; with a probe pytest's own reading of the same file counts (`resolving.py`).
"""

import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .ini import IniError, read_ini

__all__ = ["NAMES", "Configuration", "differing", "normal", "read", "spoken"]

NAMES = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
"""In the order in which pytest looks in one folder. The first two are known since 9.0."""

_LINES = {"markers", "filterwarnings", "env", "env_files"}
_WORDS = {
    "addopts",
    "testpaths",
    "python_files",
    "python_classes",
    "python_functions",
    "norecursedirs",
    "required_plugins",
    "usefixtures",
    "pythonpath",
    "doctest_optionflags",
}
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


@dataclass(frozen=True, slots=True)
class Configuration:
    """`settings` is None where the file does not configure pytest, `error` what pytest says when it refuses the file."""

    path: Path
    settings: Mapping[str, object] | None = None
    lines: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None
    error_line: int | None = None
    sections: Mapping[str, int] = field(default_factory=dict)
    tables: tuple[str, ...] = ()
    """Of `[tool.pytest]`: what stands beside `ini_options`."""

    @property
    def rules(self) -> bool:
        """Whether pytest's search ends at this file."""
        return self.settings is not None

    def words(self, key: str) -> tuple[str, ...]:
        """The value of a key as its items; empty where it is not set."""
        return normal(key, (self.settings or {}).get(key, ""))

    def line(self, key: str) -> int | None:
        """The line of a key."""
        return self.lines.get(key)


def read(path: Path, text: str, major: int = 9) -> Configuration:
    """What pytest of this major version makes of the file. Never raises: a broken file is a fact like any other."""
    if major < 9 and path.name in NAMES[:2]:
        return Configuration(path)
    try:
        return _toml(path, text, major) if path.suffix == ".toml" else _ini(path, text, major)
    except IniError as error:
        return Configuration(path, error=error.what, error_line=error.line)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+)", str(error))
        return Configuration(path, error=str(error), error_line=int(at[1]) if at else None)


def _ini(path: Path, text: str, major: int) -> Configuration:
    sections = read_ini(text)
    where = {name: section.line for name, section in sections.items()}
    wanted = "tool:pytest" if path.name == "setup.cfg" else "pytest"
    if wanted in sections:
        entries = sections[wanted].entries
        settings = {name: entry.value for name, entry in entries.items()}
        return Configuration(path, settings, {name: entry.line for name, entry in entries.items()}, sections=where)
    if path.name == "setup.cfg" and "pytest" in sections:
        refused = "[pytest] section in setup.cfg files is no longer supported, change to [tool:pytest] instead."
        return Configuration(path, error=refused, error_line=where["pytest"], sections=where)
    always = path.name == "pytest.ini" or (
        path.name == ".pytest.ini" and major >= 9
    )  # rule even where they set nothing
    return Configuration(path, {} if always else None, sections=where)


def _toml(path: Path, text: str, major: int) -> Configuration:
    document = tomllib.loads(text)
    if path.name != "pyproject.toml":
        return _own_toml(path, text, document)
    tool = document.get("tool", {})
    pytest = tool.get("pytest", {}) if isinstance(tool, dict) else {}
    if not isinstance(pytest, dict):
        return Configuration(path, error="[tool.pytest] is not a table")
    old = pytest.get("ini_options")
    beside = {key: value for key, value in pytest.items() if key != "ini_options"}
    tables = tuple(beside)
    if major >= 9 and beside and old:
        refused = "Cannot use both [tool.pytest] and [tool.pytest.ini_options]"
        return Configuration(path, error=refused, error_line=_table(text, "tool.pytest"), tables=tables)
    if major >= 9 and beside:
        return Configuration(path, beside, _lines(text, "tool.pytest", beside), tables=tables)
    if isinstance(old, dict):
        settings = {key: value if isinstance(value, list) else str(value) for key, value in old.items()}
        return Configuration(path, settings, _lines(text, "tool.pytest.ini_options", settings), tables=tables)
    return Configuration(path, tables=tables)


def _own_toml(path: Path, text: str, document: dict[str, object]) -> Configuration:
    table = document.get("pytest")
    if isinstance(table, dict):
        return Configuration(
            path, table, _lines(text, "pytest", table), sections={"pytest": _table(text, "pytest") or 1}
        )
    loose = [key for key, value in document.items() if not isinstance(value, dict)]
    if loose:  # pytest before 9.2 passes over them in silence
        return Configuration(
            path, {}, sections={key: _line(text, 0, key) or 1 for key in loose}, tables=tuple(document)
        )
    return Configuration(path, {}, tables=tuple(document))


def _table(text: str, name: str) -> int | None:
    found = re.search(rf"^[ \t]*\[\s*{re.escape(name)}[\w.-]*\s*\]", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else None


def _lines(text: str, table: str, settings: Mapping[str, object]) -> dict[str, int]:
    heading = re.search(rf"^[ \t]*\[\s*{re.escape(table)}\s*\]", text, re.MULTILINE)
    start = heading.end() if heading else 0
    found = ((key, _line(text, start, key)) for key in settings)
    return {key: line for key, line in found if line is not None}


def _line(text: str, start: int, key: str) -> int | None:
    found = re.compile(rf"^[ \t]*[\"']?{re.escape(key)}[\"']?[ \t]*[=.]", re.MULTILINE).search(text, start)
    return text.count("\n", 0, found.start()) + 1 if found else None


def normal(key: str, value: object) -> tuple[str, ...]:
    """A value in a form in which two files can be compared: its items, whatever file they stand in."""
    if isinstance(value, list | tuple):
        return tuple(str(item).strip() for item in value)
    text = str(value).strip()
    if key in _LINES:
        return tuple(line.strip() for line in text.split("\n") if line.strip())
    if key in _WORDS:
        return tuple(_words(text))
    lowered = text.lower()
    plain = "true" if lowered in _TRUE else "false" if lowered in _FALSE else text
    return (plain,) if plain else ()


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text, comments=True)
    except ValueError:
        return text.split()


def differing(first: Mapping[str, object], second: Mapping[str, object]) -> tuple[str, ...]:
    """The keys that two files set differently, or that only one sets."""
    return tuple(
        key
        for key in sorted(first.keys() | second.keys())
        if (key in first) != (key in second) or normal(key, first[key]) != normal(key, second[key])
    )


def spoken(keys: tuple[str, ...], most: int = 8) -> str:
    """The keys as words, the first `most` of them."""
    return ", ".join(keys[:most]) + (f" and {len(keys) - most} more" if len(keys) > most else "")
