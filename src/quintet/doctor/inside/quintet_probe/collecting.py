"""A collect-only run of the project's own pytest that says what it met."""

# ruff: noqa: PTH109  # plain strings: path objects would be watched as well
from __future__ import annotations

import os
import sys
from typing import Any

from . import notes as handed
from .notes import Notes
from .watching import guard, listen_to_conftests, spy_on_environment


def main(arguments: list[str]) -> None:
    """`arguments`: the file of the answer, the examined tree, `module` or `program`, then pytest's own."""
    answer, tree, style, *rest = arguments
    if style == "module":  # `python -m pytest` puts the current folder first, `pytest` does not
        sys.path.insert(0, os.getcwd())
    notes = handed.current = Notes(answer, tree)
    sys.argv = ["pytest"]  # a module that reads its arguments when it is imported must not meet ours
    code: Any = None
    try:
        listen_to_conftests(notes)
        spy_on_environment(notes)
        guard(notes)
        import pytest

        code = pytest.main(["-p", "quintet_probe.plugin", *rest])
    except SystemExit as error:
        notes.said["left"] = notes.raised(error)
    except BaseException as error:
        notes.said["broke"] = notes.raised(error)
    notes.said["code"] = None if code is None else int(code)
    notes.write()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # threads that test modules have started must not keep the probe
