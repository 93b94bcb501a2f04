"""What a probe notes, and how it is handed over. No value of a variable is ever noted."""

# ruff: noqa: PTH123  # plain strings: path objects would be watched as well
from __future__ import annotations

import json
import os
import sys
from typing import Any

MOST = 20_000
TEXT = 2_000


class Notes:
    """What is written to the answer, whatever the end of the process."""

    def __init__(self, file: str, tree: str) -> None:
        self.file = file
        self.tree = tree.rstrip(os.sep) + os.sep
        self.said: dict[str, Any] = {
            "started": False,
            "finished": False,
            "items": [],
            "errors": [],
            "markers": [],
            "registered": [],
            "reads": [],
            "refused": [],
            "unknown_settings": [],
        }

    def add(self, key: str, entry: Any) -> None:
        entries = self.said[key]
        if len(entries) < MOST and entry not in entries[-50:]:
            entries.append(entry)

    def write(self) -> None:
        with open(self.file, "w", encoding="utf-8") as file:
            json.dump(self.said, file, default=str)

    def ours(self, name: str) -> bool:
        """Whether a source file belongs to the examined project."""
        inside = name.startswith(self.tree) and "site-packages" not in name and "dist-packages" not in name
        return inside and not name.startswith(sys.prefix + os.sep)

    def place(self, frame: Any) -> tuple[str, int] | None:
        """The nearest line of the project, from a frame outwards."""
        while frame is not None:
            if self.ours(frame.f_code.co_filename):
                return frame.f_code.co_filename, frame.f_lineno
            frame = frame.f_back
        return None

    def raised(self, error: BaseException) -> dict[str, Any]:
        """An exception as data: its class, its text, and the project's lines it came through, outermost first."""
        if (
            type(error).__name__ == "CollectError" and error.__cause__ is not None
        ):  # pytest's wrapping of a failed import
            return {**self.raised(error.__cause__), "told": str(error)[:TEXT]}
        frames = []
        trace = error.__traceback__
        last = None
        while trace is not None:
            name = trace.tb_frame.f_code.co_filename
            last = (name, trace.tb_lineno, trace.tb_frame.f_code.co_name)
            if self.ours(name):
                frames.append(last)
            trace = trace.tb_next
        kinds = [kind.__module__ + "." + kind.__qualname__ for kind in type(error).__mro__[:-2]]
        said: dict[str, Any] = {"kinds": kinds, "text": str(error)[:TEXT], "frames": frames[-30:], "deepest": last}
        if isinstance(error, ImportError):
            said["name"] = error.name
        if hasattr(error, "errors") and hasattr(error, "title"):  # pydantic's; its own text would show the input
            said["text"] = str(error.title)
            said["fields"] = fields(error)
        return said


def fields(error: Any) -> list[list[str]]:
    try:
        return [[str(one.get("type")), ".".join(str(part) for part in one.get("loc", ()))] for one in error.errors()]
    except Exception:
        return []


current: Notes | None = None
"""Of this process; the plugin is made by pytest and finds them here."""
