"""Sees every patch that `unittest.mock`, pytest-mock or `monkeypatch` applies, and says no to some of them.

- The wrapping goes in when a test is collected that demands real services, and never in a run without one.
- A patch that is in force already (a session's fixture, a patcher started at import) is remembered, so that a demanding test that
  begins later can be refused too. A spy calls through to the real thing and is let by.
"""

import pkgutil
import sys
import unittest.mock
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

from quintet.testing.markers.networks import network_of, replaced

__all__ = ["Patch", "Watch"]

_MOST: Final = 1_000  # patches in force that are remembered
_RUNNERS: Final = frozenset(
    {"_pytest", "pluggy", "asyncio", "pytest_asyncio", "anyio", "trio", "unittest"}
)  # call a decorated test
_SKIPPED: Final = ("unittest/mock.py", "/mock/mock.py", "contextlib.py", "pytest_mock/plugin.py")


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch of a network or a database."""

    what: str
    file: str  # empty where only a decorator applied it
    line: int


class Watch:
    """Calls `refuse` for each patch of a network or a database; it may raise, then nothing is patched."""

    def __init__(self, refuse: Callable[[Patch], None]) -> None:
        self._refuse = refuse
        self._undo: list[Callable[[], None]] = []
        self.in_force: dict[tuple[int, str], Patch] = {}

    def begin(self) -> None:
        """Wraps the patchers, once."""
        if self._undo:
            return
        modules = [unittest.mock, *([sys.modules["mock"]] if hasattr(sys.modules.get("mock"), "patch") else [])]
        for module in modules:
            patcher = type(module.patch("sys.path"))
            self._wrap(patcher, "__enter__", self._mock_begins)
            self._wrap(patcher, "__exit__", self._mock_ends)
            self._wrap(module.patch.dict, "__enter__", self._mock_dict_begins)
            self._wrap(module.patch.dict, "__exit__", self._mock_ends)
            for early in getattr(patcher, "_active_patches", ()):
                self._remember_early(early)
        self._wrap(pytest.MonkeyPatch, "setattr", self._attribute_begins)
        self._wrap(pytest.MonkeyPatch, "delattr", self._attribute_begins)
        self._wrap(pytest.MonkeyPatch, "setitem", self._item_begins)
        self._wrap(pytest.MonkeyPatch, "delitem", self._item_begins)
        self._wrap(pytest.MonkeyPatch, "undo", self._undone)

    def end(self) -> None:
        """Puts the patchers back."""
        while self._undo:
            self._undo.pop()()

    def _wrap(self, owner: Any, name: str, before: Callable[..., None]) -> None:
        original = getattr(owner, name)

        def wrapped(*given: Any, **named: Any) -> Any:
            before(*given, **named)
            return original(*given, **named)

        setattr(owner, name, wrapped)
        self._undo.append(lambda: setattr(owner, name, original))

    def _mock_begins(self, patcher: Any) -> None:
        if (patcher.kwargs or {}).get("wraps") is None and not _is_spy():
            target = patcher.getter()
            self._judge(patcher, target, patcher.attribute, getattr(target, patcher.attribute, None))

    def _mock_dict_begins(self, patcher: Any) -> None:
        if patcher.in_dict is sys.modules or (isinstance(patcher.in_dict, str) and patcher.in_dict == "sys.modules"):
            for name in patcher.values:
                self._judge_module(patcher, name)

    def _mock_ends(self, patcher: Any, *_: Any) -> None:
        self._forget(patcher)

    def _attribute_begins(self, monkeypatch: Any, target: Any, name: Any = None, *_: Any, **__: Any) -> None:
        if isinstance(target, str):
            path, _dot, name = target.rpartition(".")
            try:
                target = pkgutil.resolve_name(path)
            except (ImportError, AttributeError, ValueError):
                return  # pytest will say it better
        if isinstance(name, str):
            self._judge(monkeypatch, target, name, getattr(target, name, None))

    def _item_begins(self, monkeypatch: Any, dic: Any, name: Any, *_: Any, **__: Any) -> None:
        if dic is sys.modules:
            self._judge_module(monkeypatch, name)

    def _undone(self, monkeypatch: Any) -> None:
        self._forget(monkeypatch)

    def _judge_module(self, patcher: Any, name: object) -> None:
        if isinstance(name, str) and network_of(name):
            self._seen(patcher, f"sys.modules[{name!r}]")

    def _judge(self, patcher: Any, target: Any, attribute: str, original: Any) -> None:
        what = replaced(target, attribute, original)
        if what is not None:
            self._seen(patcher, what)

    def _seen(self, patcher: Any, what: str) -> None:
        patch = Patch(what, *_caller())
        self._refuse(patch)
        if len(self.in_force) < _MOST:
            self.in_force[id(patcher), what] = patch

    def _forget(self, patcher: Any) -> None:
        for key in [key for key in self.in_force if key[0] == id(patcher)]:
            del self.in_force[key]

    def _remember_early(self, patcher: Any) -> None:
        if hasattr(patcher, "temp_original"):
            what = replaced(patcher.target, patcher.attribute, patcher.temp_original)
            if what is not None:
                self.in_force[id(patcher), what] = Patch(what, "", 0)


def _is_spy() -> bool:
    frame: FrameType | None = sys._getframe(3)
    while frame is not None and frame.f_code.co_filename.endswith(_SKIPPED):
        if frame.f_code.co_name == "spy":
            return True
        frame = frame.f_back
    return False


def _caller() -> tuple[str, int]:
    """The line that applies the patch; nothing where the next in line is pytest or an event loop, for then it was a decorator."""
    frame = sys._getframe(1)
    own = (__file__, *_SKIPPED)
    while frame.f_back is not None and frame.f_code.co_filename.endswith(own):
        frame = frame.f_back
    file = Path(frame.f_code.co_filename)
    return ("", 0) if _RUNNERS.intersection(file.parts[-4:-1]) else (str(file), frame.f_lineno)
