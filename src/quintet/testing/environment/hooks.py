"""pytest's view of the environment: variables that the project reads and does not find while it is collected."""

from collections.abc import Generator
from dataclasses import astuple
from typing import Any

import pytest

from quintet.testing import config as asked
from quintet.testing.environment.spy import Absent, Spy

_SPY = pytest.StashKey[Spy]()
_FOUND = pytest.StashKey[dict[Absent, None]]()
_SHARED = "quintet_absent"  # from a worker of pytest-xdist to its controller
_MOST_LINES = 20


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """From before the first line of the project; a wrapper comes before other plugins import its settings."""
    kit = asked.of(early_config)
    if kit.asked:
        spy = early_config.stash[_SPY] = Spy(kit.root)
        early_config.stash[_FOUND] = spy.found
        early_config.add_cleanup(spy.stop)
        spy.start()
    yield


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Until all is collected: what a test reads is the test's business."""
    spy = session.config.stash.get(_SPY, None)
    if spy is not None:
        spy.stop()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker has found."""
    found = node.config.stash.get(_FOUND, None)
    for row in getattr(node, "workeroutput", {}).get(_SHARED, ()) if found is not None else ():
        found[Absent(*row)] = None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker tells its controller."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_SHARED] = [astuple(row) for row in session.config.stash.get(_FOUND, None) or ()]


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter") -> None:
    """Each with its file and line."""
    rows = sorted(terminalreporter.config.stash.get(_FOUND, None) or ())
    if not rows:
        return
    terminalreporter.section("variables read but absent during collection")
    for row in rows[:_MOST_LINES]:
        terminalreporter.line(str(row))
    if len(rows) > _MOST_LINES:
        terminalreporter.line(f"… and {len(rows) - _MOST_LINES} more")
    names = ", ".join(sorted({row.name for row in rows[:_MOST_LINES]}))
    terminalreporter.line(
        f"Give {names} a value in [tool.quintet.test.env] of pyproject.toml, or the reading a default."
    )
