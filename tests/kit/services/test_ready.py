"""How soon PostgreSQL and Quintet are there, as the header says it."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

import pytest

from support.project import Project

pytestmark = pytest.mark.l3
WARM, COLD = 1.5, 4.0  # seconds on two cores that have nothing else to do
TABLE = """
    [tool.quintet.test.services.postgres]
    [tool.quintet.test.services.quintet]
    """


def ready(project: Project) -> float:
    """The seconds of the header."""
    outcome = project.run()
    outcome.count(passed=1)
    found = re.search(r"^services: .*; ready in ([\d.]+) s$", outcome.text, re.MULTILINE)
    assert found, outcome.text
    return float(found[1])


def busy() -> float:
    """By how much others slow this machine down: those who want a processor, for each that there is."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def test_ready(project: Project, monkeypatch: pytest.MonkeyPatch, figure: Callable[[str], None]) -> None:
    """PostgreSQL and Quintet are ready within 4 s the first time on a machine, and within 1.5 s from then on (best of three)."""
    project.write("pyproject.toml", TABLE)
    project.write("test_it.py", "def test_it(): pass\n")
    cache = Path(mkdtemp(prefix="kit-cache-"))
    cache.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    try:
        cold = ready(project)
        warm = min(ready(project) for _ in range(3))
    finally:
        shutil.rmtree(cache)
    figure(f"cold {cold:.2f} s, warm {warm:.2f} s, others want {busy():.1f} times the processors")
    assert cold <= COLD * busy()
    assert warm <= WARM * busy()
