"""The plugin of a collect-only run, loaded by `-p quintet_probe.plugin`.

Strictness is switched off and every unknown marker and setting is noted: the list is whole, not its first entry.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from . import notes as handed
from .gathering import absent_fixtures, addresses, settings_classes
from .notes import MOST, Notes


def _notes() -> Notes:
    if handed.current is None:
        raise pytest.UsageError("quintet_probe is started by the doctor")
    return handed.current


@pytest.hookimpl(trylast=True)
def pytest_configure(config: Any) -> None:
    """What rules; and from here on the markers are listened to."""
    said = _notes().said
    said["started"] = True
    said["pytest"] = pytest.__version__
    said["root"] = str(config.rootpath)
    said["file"] = str(config.inipath) if config.inipath else None
    said["args"] = [str(one) for one in config.args]
    for name in ("strict", "strict_markers", "strict_config"):
        if hasattr(config.option, name):
            setattr(config.option, name, False)
    _listen_to_markers(_notes())


def pytest_warning_recorded(warning_message: Any) -> None:
    """Settings that no installed plugin knows."""
    text = str(warning_message.message)
    if text.startswith("Unknown config option: "):
        _notes().add("unknown_settings", text.split(": ", 1)[1].strip())


@pytest.hookimpl(tryfirst=True)
def pytest_exception_interact(node: Any, call: Any) -> None:
    """What stopped a module from being collected."""
    if call.excinfo is not None:
        path = str(getattr(node, "path", "") or "")
        notes = _notes()
        notes.add("errors", {"path": path, "node": node.nodeid, **notes.raised(call.excinfo.value)})


@pytest.hookimpl(tryfirst=True)
def pytest_internalerror(excinfo: Any) -> None:
    """A module that leaves, or a plugin that breaks: pytest ends the run with this, and says it on the terminal only."""
    notes = _notes()
    left = isinstance(excinfo.value, SystemExit)
    notes.said.setdefault("left" if left else "broke", notes.raised(excinfo.value))


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_collection_modifyitems(config: Any, items: list[Any]) -> Iterator[None]:
    """Before anybody shuffles or deselects. What would follow only prints, and reports to files."""
    _gather(config, items)
    if config.option.collectonly:
        pytest.exit("the doctor has seen what it needs", returncode=0)
    yield


def _gather(config: Any, items: list[Any]) -> None:
    notes = _notes()
    said = notes.said
    said["items"] = [item.nodeid[:300] for item in items[:MOST]]
    said["count"] = len(items)
    said["absent_fixtures"] = absent_fixtures(items)
    said["registered"] = [line.split(":")[0].split("(")[0].strip() for line in config.getini("markers")]
    said["settings_classes"] = settings_classes(notes)
    said["addresses"] = addresses()
    said["finished"] = True
    notes.write()


def _listen_to_markers(notes: Notes) -> None:
    """Every marker that is made is noted; pytest's own judgement is kept silent, for it would end a module at the first."""
    kind: Any = type(pytest.mark)
    original = kind.__getattr__

    def listening(self: Any, name: str) -> Any:
        if name[:1] == "_":
            return original(self, name)
        place = sys._getframe(1)
        if notes.ours(place.f_code.co_filename):
            notes.add("markers", [name, place.f_code.co_filename, place.f_lineno])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pytest.PytestUnknownMarkWarning)
            return original(self, name)

    kind.__getattr__ = listening
