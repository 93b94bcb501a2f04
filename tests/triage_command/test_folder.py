"""`quintet triage DIR`: a project is examined with the doctor's rules and probes, and is not run."""

import json
from pathlib import Path

import pytest

from command_line.commands import quintet

pytestmark = pytest.mark.l3

GOOD = {
    "pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = ["tests"]\naddopts = "--strict-markers -p no:cacheprovider"\n'
    'markers = ["slowly: takes its time"]\n',
    "tests/test_a.py": "import pytest\n\n@pytest.mark.slowly\ndef test_a():\n    raise RuntimeError('was run')\n",
}


def _examined(folder: Path, *options: str, **changed: str) -> tuple[int, dict[str, object]]:
    for name, text in {**GOOD, **changed}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = quintet(
        *("triage", ".", "--format", "json", *options),
        folder=folder,
        environment={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        within=100,
    )
    return done.returncode, json.loads(done.stdout)


def test_a_broken_configuration_is_proven_without_a_run(tmp_path: Path) -> None:
    """A file that shadows the others and sets nothing, and a marker that is therefore unknown: each with its line."""
    code, data = _examined(tmp_path, **{"pytest.ini": "[tool:pytest]\naddopts = -q\n"})
    causes = data["causes"]
    assert isinstance(causes, list)
    first = causes[0]
    assert (code, first["certainty"], first["category"]) == (1, "proven", "markers-config")
    assert "pytest.ini" in json.dumps(causes)
    assert data["totals"] == {"tests": 0, "passed": 0, "failures": 0, "errors": 0, "skipped": 0}
    assert "was run" not in json.dumps(data)


def test_a_healthy_project_has_no_cause(tmp_path: Path) -> None:
    """Nothing certain is claimed, and the exit code is 0."""
    code, data = _examined(tmp_path)
    assert code == 0, data
    assert [cause for cause in data["causes"] if cause["certainty"] == "proven"] == []  # type: ignore[attr-defined]


def test_probes_that_take_too_long_are_left_out_and_named(tmp_path: Path) -> None:
    """The whole examination has a bound; what it could not find out is said, and what it found stands."""
    slow = "import time\n\nimport pytest\n\ntime.sleep(60)\n"
    for name, text in {**GOOD, "tests/test_a.py": slow}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    done = quintet("triage", ".", "--seconds", "3", folder=tmp_path, within=60)
    assert done.returncode == 0, done.stderr
    assert "Not probed: collection: collecting took longer than 3 s" in done.stderr
    assert done.stdout.startswith("Nothing was found")
