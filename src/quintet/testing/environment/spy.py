"""Notes which variables the project's code reads while it is collected, and does not find.

`os.environ["X"]` and `os.getenv("X")` count; a look with a default of its own, or with `in`, expects absence and does not. Only lines of
the project are noted, not those of its libraries.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

__all__ = ["Absent", "Spy"]

_MOST = 200  # lines noted
_DEPTH = 12  # frames between a reading and the line of the project
_MAPPING = {
    "get": "default",
    "getenv": "default",
    "__getitem__": "",
}  # functions of the standard library, and where their default is
_LIBRARIES = ("site-packages", "dist-packages", "lib/python")
_KIT = str(Path(__file__).parents[1]) + os.sep


@dataclass(frozen=True, order=True)
class Absent:
    """A variable that was read at a line and was not there."""

    file: str
    line: int
    name: str
    how: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.how}"


class Spy:
    """Watches `os.environ` between `start` and `stop`. What it found is in `found`, each line once."""

    def __init__(self, root: Path) -> None:
        self._root = str(root) + os.sep
        self._read: Callable[[os._Environ[str], str], str] | None = None
        self.found: dict[Absent, None] = {}

    def start(self) -> None:
        """From now on."""
        kind = type(os.environ)
        self._read = read = kind.__getitem__

        def watched(environ: "os._Environ[str]", key: str) -> str:
            __tracebackhide__ = True
            try:
                return read(environ, key)
            except KeyError:
                self._note(key, sys._getframe(1))
                raise

        kind.__getitem__ = watched  # type: ignore[method-assign]

    def stop(self) -> None:
        """No longer; may be called again."""
        if self._read is not None:
            type(os.environ).__getitem__ = self._read  # type: ignore[method-assign]
            self._read = None

    def _note(self, key: object, frame: FrameType | None) -> None:
        how = f'os.environ["{key}"]'
        for _ in range(_DEPTH):
            if frame is None:
                return
            code = frame.f_code
            if not code.co_filename.endswith(("os.py", "_collections_abc.py")) and "<frozen" not in code.co_filename:
                break
            if code.co_name not in _MAPPING or frame.f_locals.get("default") is not None:
                return
            how = f'os.{"getenv" if code.co_name == "getenv" else "environ.get"}("{key}")'
            frame = frame.f_back
        self._keep(str(key), frame, how)

    def _keep(self, key: str, frame: FrameType | None, how: str) -> None:
        if frame is None or len(self.found) >= _MOST:
            return
        file = frame.f_code.co_filename
        if (
            file.startswith(self._root)
            and not file.startswith(_KIT)
            and not any(part in file[len(self._root) :] for part in _LIBRARIES)
        ):
            self.found[Absent(file[len(self._root) :], frame.f_lineno, key, how)] = None
