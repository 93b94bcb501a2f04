"""A small pytest project in a folder of its own, run in a process of its own with the kit loaded.

`KIT_PYTHON` may name another interpreter, so that the same tests hold the kit to its word under another pytest.
"""

import os
import re
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

_OF_THIS_RUN = ("PYTEST_", "COV_", "QUINTET_TEST_")
PYTHON = os.environ.get("KIT_PYTHON", sys.executable)
SOURCE = Path(__file__).parents[2] / "src"


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    code: int
    text: str
    took: float

    def says(self, *parts: str) -> None:
        """Each of these is in what the run printed, in this order."""
        at = 0
        for part in parts:
            found = self.text.find(part, at)
            assert found >= 0, f"not said (in this order): {part!r}\n\n{self.text}"
            at = found + len(part)

    def count(self, **wanted: int) -> None:
        """The last line counts exactly these: `passed=1, failed=2, errors=0`."""
        counted = re.compile(r"\b\d+ (passed|failed|error|skipped|deselected)")
        last = next((line for line in reversed(self.text.splitlines()) if counted.search(line)), "")
        for what, number in wanted.items():
            word = what.rstrip("s") if what == "errors" and number == 1 else what
            assert (f"{number} {word}" in last) if number else (what.rstrip("s") not in last), (
                f"{number} {what}: {last}\n\n{self.text}"
            )


class Project:
    """Files below one folder, and runs of pytest in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, text: str) -> Path:
        """A file with this text, dedented."""
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return file

    def line(self, name: str, text: str) -> int:
        """The number of the first line with this text."""
        return next(
            number for number, line in enumerate((self.root / name).read_text("utf-8").splitlines(), 1) if text in line
        )

    def run(self, *arguments: str, plugins: tuple[str, ...] = (), within: float = 60.0, folder: str = ".") -> Outcome:
        """Runs pytest with the kit and only these plugins beside it; killed with an error after `within` seconds."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_OF_THIS_RUN)}
        environment |= {
            "PYTHONPATH": str(SOURCE),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }
        environment |= {"NO_COLOR": "1", "COLUMNS": "160"}
        loaded = [word for name in (*plugins, "quintet.testing.plugin", "no:cacheprovider") for word in ("-p", name)]
        started = time.monotonic()
        try:
            done = subprocess.run(
                [PYTHON, "-m", "pytest", *loaded, *arguments],
                cwd=self.root / folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=within,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            said = (late.stdout or b"").decode(errors="replace") + (late.stderr or b"").decode(errors="replace")
            pytest.fail(f"pytest had not ended after {within:g} s\n{said}", pytrace=False)
        return Outcome(done.returncode, done.stdout + done.stderr, time.monotonic() - started)
