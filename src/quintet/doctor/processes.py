"""Other programs, run with bounds: in time, in output, in what they inherit.

1. A process gets a session of its own, and the whole session is killed at its deadline: nothing survives a probe.
2. Of its output the first and the last part are kept, the rest is read and dropped.
3. It has no terminal and no standard input of ours, and none of the variables that an outer pytest sets for its own tests.
"""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

__all__ = ["Ran", "environment", "run"]

MOST_KEPT = 256 * 1024
_OUTER = ("PYTEST_CURRENT_TEST", "PYTEST_VERSION", "PYTEST_ADDOPTS", "PYTEST_DEBUG", "QUINTET_TEST_RUN")
_OUTER_PREFIXES = ("PYTEST_XDIST_", "COV_CORE_")


class Ran(NamedTuple):
    """How it ended: `code` is None where the deadline ended it. Output beyond the bound is missing in the middle."""

    code: int | None
    output: str
    errors: str


def environment(**more: str) -> dict[str, str]:
    """What a probe inherits: our environment without the traces of an outer pytest, and nothing that writes beside the sources."""
    kept = {
        name: value for name, value in os.environ.items() if name not in _OUTER and not name.startswith(_OUTER_PREFIXES)
    }
    return kept | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "PY_COLORS": "0"} | more


def run(command: Sequence[str], folder: Path, variables: Mapping[str, str], seconds: float, text: str = "") -> Ran:
    """Runs a command for at most `seconds`. `text` is what it reads from its standard input. Raises `OSError` if it cannot start."""
    with subprocess.Popen(  # noqa: S603 - the interpreter of the project, chosen by the person who asks
        list(command),
        cwd=folder,
        env=dict(variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        kept = [_Kept(process.stdout), _Kept(process.stderr)]
        try:
            _feed(process, text)
            code: int | None = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(process)
        return Ran(code, *(one.text() for one in kept))


def _feed(process: "subprocess.Popen[bytes]", text: str) -> None:
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(text.encode())
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends the whole session, also what the probe left behind; a test module may start a server when it is imported."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class _Kept:
    """Reads a pipe to its end in a thread of its own and keeps both ends of what came."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        self._pipe = pipe
        self._first = b""
        self._last = b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while self._pipe is not None and (piece := self._pipe.read(65_536)):
            room = MOST_KEPT - len(self._first)
            self._first += piece[:room]
            self._last = (self._last + piece[room:])[-MOST_KEPT:]

    def text(self) -> str:
        """What was kept. Waits a second at most: a grandchild outside the session could hold the pipe open."""
        self._thread.join(1)
        return (self._first + self._last).decode(errors="replace")
