"""Watches a run from inside: which variables are missed, which conftest breaks, and that nothing below the tree is written.

An attempt to write is refused and noted; what followed from a refusal proves nothing. Processes that the run starts are not held by this.
"""

# ruff: noqa: PTH100, PTH109, PTH112, PTH119, PTH120, PTH123  # plain strings: path objects would be watched as well
from __future__ import annotations

import os
import sys
from typing import Any

from .notes import TEXT, Notes

_MAPPING = "_collections_abc.py"  # `get` and `in` read through it


def spy_on_environment(notes: Notes) -> None:
    """Notes variables that are read and absent, with the reader's line."""
    kind: Any = type(os.environ)
    original = kind.__getitem__

    def spying(self: Any, key: Any) -> Any:
        try:
            return original(self, key)
        except KeyError:
            caller: Any = sys._getframe(1)
            soft = os.path.basename(caller.f_code.co_filename) == _MAPPING
            while caller is not None and os.path.basename(caller.f_code.co_filename) in (_MAPPING, "os.py"):
                caller = caller.f_back
            if caller is not None and notes.ours(caller.f_code.co_filename):
                notes.add("reads", [str(key), caller.f_code.co_filename, caller.f_lineno, soft])
            raise

    kind.__getitem__ = spying


_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_EVENTS = {
    "os.mkdir": (0,),
    "os.remove": (0,),
    "os.rmdir": (0,),
    "os.rename": (0, 1),
    "os.link": (1,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "os.chmod": (0,),
    "os.utime": (0,),
    "sqlite3.connect": (0,),
}


def guard(notes: Notes) -> None:
    """Refuses this process to change anything below the tree. What it starts is not held by this."""
    allowed = os.path.dirname(notes.file) + os.sep

    def below(path: Any) -> bool:
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, (str, os.PathLike)):
            return False
        text = os.fspath(path)
        if text.startswith(("file:", ":memory:")) or not text:
            return False
        full = os.path.abspath(text)
        return (full + os.sep).startswith(notes.tree) and not full.startswith(allowed)

    def refuse(event: str, path: Any) -> None:
        notes.add("refused", [event, str(path)[:TEXT]])
        raise ReadOnlyTreeError(30, "The doctor lets nothing write into the examined tree", str(path))

    def hook(event: str, arguments: Any) -> None:
        if event == "open":
            path, mode, flags = arguments
            writes = any(c in mode for c in "wax+") if isinstance(mode, str) else bool((flags or 0) & _WRITING)
            if writes and below(path):
                refuse(event, path)
        elif event in _EVENTS:
            for at in _EVENTS[event]:
                if at < len(arguments) and below(arguments[at]) and _changes(event, arguments[at]):
                    refuse(event, arguments[at])

    sys.addaudithook(hook)


def _changes(event: str, path: Any) -> bool:
    """A folder that is there already is not made: the call fails by itself, and `exist_ok` must go on working."""
    return not (event == "os.mkdir" and os.path.isdir(path))


class ReadOnlyTreeError(PermissionError):
    """The attempt to write into the examined tree."""


def listen_to_conftests(notes: Notes) -> None:
    """The exception of a conftest as data. Without this method of pytest's, which is private, its printed text has to do."""
    from _pytest.config import PytestPluginManager

    kind: Any = PytestPluginManager
    original = getattr(kind, "_importconftest", None)
    if original is None:
        return

    def importing(self: Any, conftestpath: Any, *rest: Any, **more: Any) -> Any:
        try:
            return original(self, conftestpath, *rest, **more)
        except Exception as error:
            cause = getattr(error, "cause", None) or error
            notes.said.setdefault("conftest", {"path": str(conftestpath), **notes.raised(cause)})
            raise

    kind._importconftest = importing
