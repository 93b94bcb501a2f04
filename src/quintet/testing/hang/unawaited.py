"""Coroutines that nobody awaited: a warning that Python prints when the object is freed becomes a failure of the test that made it.

- What the project's warning filters ignore is ignored here too; what they would show or raise is noted instead.
- Python remembers where a coroutine was made as long as this listens, eight frames deep: enough to see through a mock.
- Noted only while a phase of a test runs. Before that, what an earlier test's traceback has kept alive is let go, or the next test would
  be blamed for it.
"""

import gc
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest

from quintet.testing.hang.frames import Step, is_project

__all__ = ["NeverAwaited", "Unawaited"]

_DEPTH: Final = 8
_MOST: Final = 20
_HOOK: Final = "_warn_unawaited_coroutine"  # what the interpreter calls when such a coroutine is freed
_LAST: Final = ("last_type", "last_value", "last_traceback", "last_exc")


class NeverAwaited(pytest.fail.Exception):  # type: ignore[name-defined, misc]
    """A phase made a coroutine that nobody awaited."""

    __module__ = "builtins"  # as pytest's own outcomes do, for a short name in reports

    def __init__(self, text: str = "") -> None:
        super().__init__(text, pytrace=False)


class Unawaited:
    """Listens from `begin` to `end`, and notes from `watch` to `told`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._notes: list[str] = []
        self._watching = False
        self._before: Any = None
        self._depth = 0

    def begin(self) -> None:
        """Listens from now on; does nothing under an interpreter without the hook."""
        self._before = getattr(warnings, _HOOK, None)
        if self._before is not None:
            setattr(warnings, _HOOK, self._freed)
            self._depth = sys.get_coroutine_origin_tracking_depth()
            sys.set_coroutine_origin_tracking_depth(max(_DEPTH, self._depth))

    def end(self) -> None:
        """Stops listening."""
        if self._before is not None:
            setattr(warnings, _HOOK, self._before)
            sys.set_coroutine_origin_tracking_depth(self._depth)
            self._before = None

    def watch(self) -> None:
        """A phase begins."""
        for name in _LAST:
            with suppress(AttributeError):  # pytest does the same, but inside the next test's phase
                delattr(sys, name)
        self._watching = True

    def told(self) -> str:
        """The phase is over: what was freed in it without having been awaited, empty if nothing was."""
        gc.collect(1)
        self._watching = False
        notes, self._notes = self._notes, []
        return "\n".join(notes)

    def _freed(self, coroutine: Any) -> None:
        if not self._watching or len(self._notes) >= _MOST:
            self._before(coroutine)
            return
        with warnings.catch_warnings(record=True) as shown:
            try:
                self._before(coroutine)
            except RuntimeWarning as raised:
                shown.append(raised)  # type: ignore[arg-type]
        if shown:
            self._notes.append(self._words(coroutine))

    def _words(self, coroutine: Any) -> str:
        origin = [Step(file, line, name) for file, line, name in coroutine.cr_origin or ()]
        made = next((one for one in origin if is_project(one.file)), None)
        where = (
            f"made at {self._short(made.file)}:{made.line} in {made.name}: {made.source}"
            if made
            else "made outside the project"
        )
        mock = _mock_name(coroutine)
        if mock:
            return (
                f"the coroutine of the mock {mock!r} was never awaited, {where}\n"
                f"fix: await the call; if the real one is not async, use a Mock (or a spec) instead of an AsyncMock"
            )
        return (
            f"the coroutine {coroutine.__qualname__!r} was never awaited, {where}\nfix: await it, or hand it to a task"
        )

    def _short(self, file: str) -> str:
        return str(Path(file).relative_to(self._root)) if Path(file).is_relative_to(self._root) else file


def _mock_name(coroutine: Any) -> str:
    """The name of the AsyncMock that made this coroutine; it stands in the frame that never started."""
    if coroutine.__qualname__ != "AsyncMockMixin._execute_mock_call" or coroutine.cr_frame is None:
        return ""
    mock = coroutine.cr_frame.f_locals.get("self")
    name = getattr(mock, "_extract_mock_name", None)
    return str(name()) if name is not None else ""
