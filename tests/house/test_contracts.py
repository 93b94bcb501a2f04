"""Who may import whom is checked where the tests are."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.l1
def test_imports_go_down_and_never_sideways() -> None:
    """The contracts of pyproject.toml hold: the layers, what stands alone, what is pure, no cycles."""
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command; lint_imports_command()",
        "--no-cache",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.l1
def test_every_folder_of_code_is_a_package_that_the_contracts_see() -> None:
    """A folder without `__init__.py` would be outside every import contract, and nobody would notice."""
    package = ROOT / "src" / "quintet"
    blind = {path.parent for path in package.rglob("*.py") if not (path.parent / "__init__.py").exists()}
    assert blind == set()
