"""What the rules look at: the tree, its configuration, the interpreter, and what the probes have brought."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .collected import Collected
from .configuration import Configuration
from .interpreter import Interpreter
from .invocations import Invocation
from .matrix import Matrix, Row
from .probing import Clock
from .tree import Tree

__all__ = ["Case", "Runs"]


@dataclass(frozen=True, slots=True)
class Runs:
    """Collect-only runs: the main one, the same with another hash seed, and test folders under the other of two files.

    `as_program` is the one as plain `pytest`, where only `python -m pytest` came further.
    """

    main: Collected
    again: Collected | None = None
    as_program: Collected | None = None
    folders: Mapping[Path, tuple[Collected, Collected]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """Everything is read before the rules run; `runs` is None where nothing may be probed or could be."""

    tree: Tree
    python: Interpreter
    files: Mapping[Path, Configuration]
    invocations: tuple[Invocation, ...]
    matrix: Matrix
    main: Row
    environment: Mapping[str, str]
    runs: Runs | None = None
    clock: Clock | None = None
    why_not: str = ""

    @property
    def major(self) -> int:
        """The major version of the pytest that is meant; the newest where there is none."""
        return (self.python.pytest or (9,))[0]

    @property
    def ruling(self) -> Configuration | None:
        """The configuration of the main invocation."""
        return self.files.get(self.main.resolved.file) if self.main.resolved.file else None

    @property
    def collected(self) -> Collected | None:
        """The main run, if it came to its end."""
        return self.runs.main if self.runs and self.runs.main.finished else None

    def words(self, key: str) -> tuple[str, ...]:
        """A setting of the ruling file, as its items."""
        return self.ruling.words(key) if self.ruling else ()

    def value(self, key: str) -> str:
        """A setting of the ruling file, empty where it is not set."""
        return " ".join(self.words(key))

    def shown(self, path: Path | str) -> Path:
        """A path relative to the examined folder where it lies below."""
        return self.tree.shown(Path(path))

    def place(self, key: str) -> tuple[Path | None, int | None]:
        """Where a setting of the ruling file stands."""
        return (self.shown(self.ruling.path), self.ruling.line(key)) if self.ruling else (None, None)

    @property
    def strict(self) -> bool:
        """Whether an unknown marker ends a module's collection under the ruling file."""
        old = any(word in ("--strict-markers", "--strict") for word in self.words("addopts"))
        inert = (self.python.pytest or ())[:2] == (9, 0)
        new = self.major >= 9 and "true" in (*self.words("strict_markers"), *self.words("strict"))
        return (old and not inert) or new

    @property
    def warnings_fail(self) -> bool:
        """Whether the ruling file turns warnings into errors."""
        return any(line.split(":")[0] == "error" for line in self.words("filterwarnings"))

    def deepest(self, error: Mapping[str, Any]) -> tuple[Path | None, int | None]:
        """The project's own line that an exception came through last."""
        frames = error.get("frames") or ()
        if not frames:
            return (self.shown(error["path"]), None) if error.get("path") else (None, None)
        return self.shown(frames[-1][0]), int(frames[-1][1])
