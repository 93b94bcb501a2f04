"""The Python whose pytest is meant, and what is installed beside it.

1. The one that was given; else the project's own `.venv` or `venv`; else the one that runs.
2. The one that runs is the project's only if it has everything that the project declares. Where it is not, what is missing in it proves
   nothing about the project, and findings of that sort are suspect.
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path
from typing import Literal

__all__ = ["Interpreter", "NoInterpreterError", "canonical", "choose", "installed", "numbers"]

Origin = Literal["given", "project", "running"]


class NoInterpreterError(Exception):
    """The interpreter that was asked for is not there."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """`distributions` are names in their canonical form with versions; `plugins` the names of installed pytest plugins."""

    path: Path
    origin: Origin
    distributions: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    """What the project declares and this interpreter does not have."""

    @property
    def proves(self) -> bool:
        """Whether something that is missing here is missing for the project."""
        return self.origin != "running" or not self.missing

    @property
    def pytest(self) -> tuple[int, ...] | None:
        """The version of its pytest, None where there is none."""
        found = self.distributions.get("pytest")
        return numbers(found) if found else None

    def has(self, *names: str) -> bool:
        """Whether one of the distributions is installed."""
        return any(canonical(name) in self.distributions for name in names)

    def version(self, name: str) -> tuple[int, ...] | None:
        """The version of a distribution as numbers, None where it is not installed."""
        found = self.distributions.get(canonical(name))
        return numbers(found) if found else None


def canonical(name: str) -> str:
    """A distribution's name in the form of PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def numbers(version: str) -> tuple[int, ...]:
    """The numbers a version begins with; what makes it a pre-release is left out."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def choose(root: Path, given: Path | None) -> tuple[Path, Origin]:
    """Which interpreter is meant. Raises `NoInterpreterError` if the given one cannot be run."""
    if given is not None:
        path = given / "bin" / "python" if given.is_dir() else given
        if not path.is_file():
            raise NoInterpreterError(f"There is no Python at {given}")
        return path.absolute(), "given"
    for folder in (".venv", "venv"):
        for inside in ("bin/python", "Scripts/python.exe"):
            if (root / folder / inside).is_file():
                return root / folder / inside, "project"
    return Path(sys.executable), "running"


def installed(path: Path) -> dict[str, str]:
    """What is installed beside an interpreter, by reading its folders; the interpreter is not run."""
    if path == Path(sys.executable):
        folders = [entry for entry in sys.path if entry]
    else:
        prefixes = (path.parent.parent, path.resolve().parent.parent)
        lib = [prefixes[0]] if (prefixes[0] / "pyvenv.cfg").is_file() else prefixes
        folders = [str(found) for prefix in lib for found in prefix.glob("lib/python3.*/site-packages")]
        folders += [str(prefix / "Lib" / "site-packages") for prefix in lib]
    found: dict[str, str] = {}
    for one in distributions(path=folders):
        name = one.metadata["Name"]
        if name:
            found.setdefault(canonical(name), one.version)
    return found
