"""Every use of an unregistered marker during one collection, with file and line.

- pytest stops a module at its first unknown marker, or warns; either way the list is never complete. Here `pytest.mark.<name>` notes an
  unknown name and then lets pytest believe that it knows it, so that the module goes on.
- It lasts as long as the collection, and only in a project that has a `[tool.quintet.test]` table.
"""

import sys
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple

import pytest

from quintet.testing.markers import registry

__all__ = ["Census", "Use"]

_MOST: Final = 2_000  # uses that are kept
_PYTEST: Final = str(Path(pytest.__file__).parent.parent / "_pytest")


class Use(NamedTuple):
    """One place that uses an unknown marker."""

    marker: str
    file: str
    line: int


class Census:
    """Listens to `pytest.mark` from `begin` to `end`."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._known: set[str] = set()
        self._before: Any = None
        self.uses: list[Use] = []
        self.unknown: set[str] = set()

    def begin(self) -> None:
        """Notes unknown markers from now on."""
        generator: Any = pytest.MarkGenerator
        before = self._before = generator.__getattr__

        def listening(marks: pytest.MarkGenerator, name: str) -> Any:
            if not name.startswith("_") and self._is_unknown(name):
                self._note(name, sys._getframe(1))
            return before(marks, name)

        generator.__getattr__ = listening

    def end(self) -> None:
        """Stops listening; further calls do nothing."""
        if self._before is not None:
            generator: Any = pytest.MarkGenerator
            generator.__getattr__, self._before = self._before, None

    def _is_unknown(self, name: str) -> bool:
        if name in self.unknown:
            return True
        if name not in self._known:
            self._known = set(registry.names(self._config)) - self.unknown
        return name not in self._known and name not in {"parameterize", "parametrise", "parameterise"}

    def _note(self, name: str, frame: FrameType | None) -> None:
        if name not in self.unknown:
            self.unknown.add(name)
            self._config.addinivalue_line("markers", f"{name}: unknown, and about to be reported")
        while frame is not None and frame.f_code.co_filename.startswith(_PYTEST):
            frame = frame.f_back
        if frame is not None and len(self.uses) < _MOST:
            self.uses.append(Use(name, frame.f_code.co_filename, frame.f_lineno))
