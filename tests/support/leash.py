"""Ends the servers of a test run that died: a tiny process whose standard input closes when the run is gone.

It knows the process groups that were started and not yet ended, and kills only those.
"""

import contextlib
import os
import signal
import subprocess
import sys
from functools import cache

__all__ = ["forget", "hold"]

_WATCH = """
import os, signal, sys
held = set()
for line in sys.stdin:
    (held.add if line[0] == "+" else held.discard)(int(line[1:]))
for group in held:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
"""


@cache
def _watcher() -> "subprocess.Popen[str]":
    command = [sys.executable, "-S", "-E", "-c", _WATCH]
    return subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)


def _tell(word: str) -> None:
    pipe = _watcher().stdin
    assert pipe is not None
    pipe.write(word + "\n")
    pipe.flush()


def hold(group: int) -> None:
    """Have this process group killed if the test run dies without ending it."""
    _tell(f"+{group}")


def forget(group: int) -> None:
    """The process group has ended: kill what may be left of it now, and never again."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    _tell(f"-{group}")


def end() -> None:
    """Close the watcher itself, at the end of the run."""
    if _watcher.cache_info().currsize:
        _watcher().communicate()
        _watcher.cache_clear()
