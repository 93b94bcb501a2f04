"""The examined folder: its files, bounded in number, size and depth, read at most once.

Environments, caches, builds and version control are passed over, symbolic links are not followed.
"""

import ast
import os
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

__all__ = ["Tree"]

MOST_FILES = 40_000
MOST_DEPTH = 14
MOST_BYTES = 1 << 20
MOST_MODULES = 4_000

_PASSED = {
    *("__pycache__", "node_modules", "site-packages", "build", "dist", "venv", "htmlcov", "__pypackages__", "_build"),
}


class Tree:
    """Files are named by their path relative to `root`, with forward slashes where they are shown."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.abspath(root))  # noqa: PTH100 - pytest does not follow symbolic links here either
        self.cut = False
        """Whether there is more than was looked at."""
        self._texts: dict[Path, str | None] = {}
        self._modules: dict[Path, ast.Module | None] = {}

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """Every file that is looked at, relative to the root, in the order of their names."""
        return tuple(sorted(self._walk()))

    def _walk(self) -> Iterator[Path]:
        seen = 0
        for folder, below, names in os.walk(self.root):
            here = Path(folder).relative_to(self.root)
            deep = len(here.parts) >= MOST_DEPTH
            self.cut = self.cut or (deep and bool(below))
            below[:] = [] if deep else sorted(name for name in below if self._entered(Path(folder), name))
            for name in sorted(names):
                seen += 1
                if seen > MOST_FILES:
                    self.cut = True
                    return
                yield here / name

    @staticmethod
    def _entered(folder: Path, name: str) -> bool:
        if name in _PASSED or name.endswith(".egg-info"):
            return False
        if name.startswith(".") and name not in {".github", ".circleci"}:
            return False
        return not (folder / name / "pyvenv.cfg").is_file()

    @cached_property
    def modules(self) -> tuple[Path, ...]:
        """The Python files, relative to the root."""
        found = tuple(file for file in self.files if file.suffix == ".py")
        self.cut = self.cut or len(found) > MOST_MODULES
        return found[:MOST_MODULES]

    def text(self, file: Path) -> str | None:
        """The text of a file, None where it is absent, too large or not text."""
        if file not in self._texts:
            self._texts[file] = self._read(file)
        return self._texts[file]

    def _read(self, file: Path) -> str | None:
        path = self.root / file
        try:
            if not path.is_file() or path.stat().st_size > MOST_BYTES:
                return None
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def module(self, file: Path) -> ast.Module | None:
        """The syntax of a Python file, None where it has none."""
        if file not in self._modules:
            text = self.text(file)
            self._modules[file] = _parsed(text) if text is not None else None
        return self._modules[file]

    def shown(self, path: Path) -> Path:
        """A path relative to the root where it lies below, as it is elsewhere."""
        return path.relative_to(self.root) if path.is_relative_to(self.root) else path


def _parsed(text: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a SyntaxWarning of the examined source is not ours
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
