"""The loop is closed: a fault is planted, named, repaired as proposed, and the proposed command turns from red to green."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command_line.commands import clean
from triage_loop.project import FAULTS, Fault, Place

pytestmark = pytest.mark.l3

_UNNAMED: list[str] = []


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A copy of the project, green."""
    made = Place(tmp_path).build()
    yield made
    made.stop_service()


def _run(place: Place, *command: str, shell: bool = False) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = clean({**place.environment, "PATH": path})
    line: Any = command[0] if shell else list(command)
    return subprocess.run(
        line, shell=shell, cwd=place.folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def _explained(place: Place) -> dict[str, Any]:
    command = (sys.executable, "-m", "quintet", "triage", "run", "--format", "json", "--", "pytest", "-q")
    data: dict[str, Any] = json.loads(_run(place, *command).stdout)
    return data


def test_the_project_is_green(place: Place) -> None:
    """Without a fault there is nothing to name."""
    told = _explained(place)
    assert told["causes"] == []
    assert told["totals"]["passed"] == 5


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_named_and_its_repair_seen(place: Place, fault: Fault) -> None:
    """The first cause is of its kind and names it; before the repair its command is red, after it green, and so is the run."""
    fault.plant(place)
    told = _explained(place)
    cause = told["causes"][0]
    assert (cause["category"], fault.says in json.dumps(cause)) == (fault.category, True), cause
    assert cause["certainty"] in ("proven", "probable", "suspect")
    assert cause["verify"]
    before = _run(place, cause["verify"], shell=True)
    assert before.returncode != 0, f"{cause['verify']} is green although nothing was repaired\n{before.stdout}"
    fault.repair(place)
    after = _run(place, cause["verify"], shell=True)
    assert after.returncode == 0, f"{cause['verify']}\n{after.stdout}{after.stderr}"
    assert _run(place, "pytest", "-q").returncode == 0
