"""What the kit gives by name, and what a project pays that has not asked for anything."""

import subprocess
import sys

import pytest

from quintet import testing
from support.project import SOURCE, Project

pytestmark = pytest.mark.l2


def test_names() -> None:
    """Every name that is offered is there."""
    for name in testing.__all__:
        assert getattr(testing, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = testing.Nothing


def test_light() -> None:
    """The plugin itself loads nothing but pytest and the standard library, and less of that than would be felt."""
    program = (
        "import sys, pytest; from _pytest.config import get_config; before = set(sys.modules)\n"
        "import quintet.testing.plugin as p\n"
        "from importlib import import_module\n"
        "for name in p.ROOMS: import_module(name)\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before} - {'quintet'} - set(sys.stdlib_module_names)\n"
        "print(sorted(new))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]", done.stdout


def test_not_declared(project: Project) -> None:
    """A fixture whose service is not declared says what to write, and where."""
    project.write("pyproject.toml", "[tool.quintet.test]\n")
    project.write(
        "test_it.py", "def test_a(database): pass\ndef test_b(server): pass\ndef test_c(services):\n    services['x']\n"
    )
    outcome = project.run()
    outcome.count(errors=2, failed=1)
    outcome.says("[tool.quintet.test.services.postgres]", "[tool.quintet.test.services.quintet]", "no service 'x'")
