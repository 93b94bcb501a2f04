"""Watches a run from inside: which variables are missed, which conftest breaks, and that nothing below the tree is written.

An attempt to write is refused and noted; what followed from a refusal proves nothing. Processes that the run starts are not held by this.
"""

# ruff: noqa: PTH100, PTH112, PTH115, PTH117, PTH118, PTH120  # plain strings: path objects would be watched as well
from __future__ import annotations

import os
import sys
from typing import Any

from .notes import TEXT, Notes

_MAPPING = "collections.abc"  # `get` and `in` read through it


def spy_on_environment(notes: Notes) -> None:
    """Notes variables that are read and absent, with the reader's line."""
    kind: Any = type(os.environ)
    original = kind.__getitem__

    def spying(self: Any, key: Any) -> Any:
        try:
            return original(self, key)
        except KeyError:
            caller: Any = sys._getframe(1)
            soft = caller.f_globals.get("__name__") == _MAPPING
            while caller is not None and caller.f_globals.get("__name__") in (_MAPPING, "os"):
                caller = caller.f_back
            if caller is not None and notes.ours(caller.f_code.co_filename):
                notes.add("reads", [str(key), caller.f_code.co_filename, caller.f_lineno, soft])
            raise

    kind.__getitem__ = spying


_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_EVENTS = {  # of each: which argument is a path, and which the open folder that it is relative to
    "os.mkdir": ((0, 2),),
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((1, 3),),
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, None),),
    "os.chmod": ((0, 2),),
    "os.utime": ((0, 3),),
    "sqlite3.connect": ((0, None),),
}
_OF_WHAT_IS_THERE = {
    "os.remove",
    "os.rmdir",
    "os.truncate",
    "os.chmod",
    "os.utime",
}  # fail by themselves where nothing is


def guard(notes: Notes) -> None:
    """Refuses this process to change anything below the tree. What it starts is not held by this."""
    allowed = os.path.dirname(notes.file) + os.sep

    def refuse(event: str, path: Any, folder: Any = None) -> None:
        full = _full(path, folder)
        if full is None or not (full + os.sep).startswith(notes.tree) or full.startswith(allowed):
            return
        if (event == "os.mkdir" and os.path.isdir(full)) or (event in _OF_WHAT_IS_THERE and not os.path.lexists(full)):
            return  # changes nothing, and its own error is what the code expects
        notes.add("refused", [event, full[:TEXT]])
        raise ReadOnlyTreeError(30, "The doctor lets nothing write into the examined tree", full)

    def hook(event: str, arguments: Any) -> None:
        if event == "open":
            path, mode, flags = arguments
            if any(c in mode for c in "wax+") if isinstance(mode, str) else (flags or 0) & _WRITING:
                refuse(event, path)
        else:
            for path, folder in _EVENTS.get(event, ()):
                if path < len(arguments):
                    refuse(event, arguments[path], arguments[folder] if folder and folder < len(arguments) else None)

    sys.addaudithook(hook)


def _full(path: Any, folder: Any) -> str | None:
    """The absolute path, None where it is no path or cannot be known."""
    if not isinstance(path, (str, bytes, os.PathLike)):
        return None
    text = os.fsdecode(path)
    if text.startswith("file:"):  # an address of SQLite
        text, _, options = text[5:].partition("?")
        if "mode=ro" in options or "memory" in options:
            return None
    if not text or text.startswith(":memory:"):
        return None
    if isinstance(folder, int) and folder >= 0 and not os.path.isabs(text):
        try:
            return os.path.join(os.readlink(f"/proc/self/fd/{folder}"), text)
        except OSError:
            return None
    return os.path.abspath(text)


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
