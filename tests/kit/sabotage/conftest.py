"""Projects whose suites are tried."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

collect_ignore = ["project"]  # what is copied from here, and run elsewhere

PROJECT = Path(__file__).parent / "project"
SECONDS = 110.0


class Ran(NamedTuple):
    """How pytest ended, and what it printed."""

    code: int
    text: str

    def line(self, beginning: str) -> str:
        """The first line that begins so, behind a place such as `[3/19]`."""
        for line in self.text.splitlines():
            if line.partition("] ")[2].startswith(beginning) or line.startswith(beginning):
                return line
        raise AssertionError(f"no line {beginning!r} in\n{self.text}")


Sabotage = Callable[..., Ran]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A copy of the project, whose backend is real."""
    return shutil.copytree(PROJECT, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__"))


@pytest.fixture
def sabotage(place: Path) -> Sabotage:
    """Runs `pytest --quintet-sabotage` in the copy; `files` are added to it."""

    def run(*arguments: str, files: dict[str, str] | None = None) -> Ran:
        for name, text in (files or {}).items():
            (place / name).write_text(text)
        # Only what is needed: every pass loads the plugins anew.
        plugins = ("-p", "quintet.testing.plugin", "-p", "pytest_asyncio.plugin")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *plugins, "--quintet-sabotage", *arguments],
            cwd=place,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Ran(done.returncode, done.stdout + done.stderr)

    return run
