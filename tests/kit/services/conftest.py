"""Small projects with services, and services on their own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quintet.testing.services.processes import Plan, Supervised


@pytest.fixture
def supervised() -> Iterator[Callable[[], Supervised]]:
    """Makes processes with supervisors; none is left after the test."""
    made: list[Supervised] = []

    def make() -> Supervised:
        made.append(Supervised("thing"))
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.fixture
def plan(tmp_path: Path) -> Callable[..., Plan]:
    """How to run a text as a Python program."""
    import sys

    def make(text: str, **more: object) -> Plan:
        log = str(tmp_path / "thing.log")
        base: dict[str, object] = {"argv": [sys.executable, "-c", text], "env": {}, "cwd": str(tmp_path), "log": log}
        return Plan(**base | more)  # type: ignore[arg-type]

    return make
