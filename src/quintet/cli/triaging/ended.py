"""What the journal of a run tells of its ending: the test that was running, a conftest that ended the process, the interpreter."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from quintet.triage.ending import Ending

from .running import Ran

__all__ = ["Noted", "noted"]

_LONGEST = 1_000_000  # characters of a line that is looked at
_CONFTEST = re.compile(r'File "([^"\n]{1,500}conftest\.py)", line \d+')


class Noted(NamedTuple):
    """`fault` is a traceback in the words of a console text."""

    python: str | None
    running: str
    fault: str

    def ending(self, ran: Ran, seconds: float) -> Ending:
        """How the run ended."""
        return Ending(ran.code, seconds if ran.stopped else None, self.running)


def noted(ran: Ran) -> Noted:
    """What the journal holds beside the reports. A line that is not whole is passed over; an interrupted test begins and never finishes."""
    python, fault = None, ""
    begun: dict[str, None] = {}
    for line in _lines(ran.journal):
        kind, node = line.get("$report_type"), str(line.get("nodeid", ""))
        if kind == "SessionStart" and Path(str(line.get("executable", ""))).is_file():
            python = str(line["executable"])
        elif kind == "TestStart":
            begun[node] = None
        elif kind == "TestFinish":
            begun.pop(node, None)
        elif kind == "SessionFault":
            fault = _in_console_words(str(line.get("traceback", "")))
    return Noted(python, next(iter(begun), ""), fault)


def _lines(journal: bytes) -> Iterator[dict[str, Any]]:
    for raw in journal.splitlines():
        try:
            line = json.loads(raw) if len(raw) <= _LONGEST else None
        except ValueError:
            continue
        if isinstance(line, dict):
            yield line


def _in_console_words(told: str) -> str:
    """As pytest would have told it, had it been an exception."""
    found = _CONFTEST.findall(told)
    lines = told.rstrip().split("\n")
    conftest = found[-1] if found else "conftest.py"
    frames = [line for line in lines[:-1] if found or line]
    return "\n".join([f"SystemExit while loading conftest '{conftest}'.", *frames, f"E   {lines[-1]}"])
