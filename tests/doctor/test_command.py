"""`quintet doctor`: what it prints, how it ends, and that it needs the base only."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from doctor.examples import TEST
from doctor.projects import Make, Pythons, write

pytestmark = pytest.mark.l3

SERVER = ("sqlalchemy", "fastapi", "uvicorn", "pytest", "_pytest", "structlog", "dotenv")
"""What the base installation does not have."""


def run(*arguments: str, without: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    code = f"import sys\nfor name in {without!r}: sys.modules[name] = None\nfrom quintet.cli import main\nmain(sys.argv[1:])"
    variables = {"COLUMNS": "100", "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(
        [sys.executable, "-c", code, "doctor", *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=variables,
    )


STORY = {
    "pytest.ini": "[pytest]\ntestpaths = backend/tests auth/tests\naddopts = --strict-markers\nmarkers =\n    l3: real services\n",
    "backend/pytest.ini": "[pytest]\nmarkers =\n    business_value: why it matters\n",
    "backend/tests/test_chat.py": """
        import pytest
        @pytest.mark.business_value
        def test_chat(): pass
        @pytest.mark.l3
        def test_socket(): pass
    """,
    "auth/tests/conftest.py": "import os\nKEY = os.environ['DOCTOR_STORY_KEY']\n",
    "auth/tests/test_auth.py": TEST,
    "app.py": "import os\nenv_file = '.env'\nURL = os.environ.get('DATABASE_URL')\n",
    ".env": "DATABASE_URL=postgresql://app:secret-of-the-story@127.0.0.1:9/app\n",
    ".github/workflows/ci.yml": "jobs:\n  test:\n    steps:\n      - run: pytest\n      - run: pytest backend/tests\n",
}


def test_the_story(make: Make, pythons: Pythons) -> None:
    """Every fault of the story's tree is named with its fix, on one screen; after the fixes nothing is wrong and the exit code says so."""
    root = make(STORY)
    before = run(str(root), "--python", str(pythons()))
    assert before.returncode == 1, before.stderr
    for words in (
        "D05",
        "business_value",
        "D08",
        "D18",
        "DOCTOR_STORY_KEY",
        "D22",
        "127.0.0.1:9",
        "backend/pytest.ini",
        "ci.yml:5",
    ):
        assert words in before.stdout, before.stdout
    assert "secret-of-the-story" not in before.stdout + before.stderr
    assert len(before.stdout.splitlines()) <= 50, before.stdout

    (root / "backend/pytest.ini").unlink()
    (root / ".env").unlink()
    markers = STORY["pytest.ini"] + "    business_value: why\n"
    write(
        root,
        {
            "pytest.ini": markers,
            "auth/tests/conftest.py": "import os\nKEY = os.environ.setdefault('DOCTOR_STORY_KEY', 'x')\n",
        },
    )
    after = run(str(root), "--python", str(pythons()))
    assert after.returncode == 0, after.stdout
    assert "Nothing wrong" in after.stdout


def test_json(make: Make, pythons: Pythons) -> None:
    """The findings are an object's `findings`, with the published keys; standard output holds nothing else."""
    ran = run(
        str(make({"pytest.ini": "[pytest]\naddopts = --cov\n", "test_a.py": TEST})),
        "--format",
        "json",
        "--python",
        str(pythons()),
    )
    said = json.loads(ran.stdout)
    assert ran.returncode == 1
    assert [{**one, "statement": "", "fix": ""} for one in said["findings"]] == [
        {"rule": "D10", "certainty": "certain", "statement": "", "fix": "", "file": "pytest.ini", "line": 2}
    ]
    assert said["totals"] == {"certain": 1, "suspect": 0}
    assert said["matrix"][0]["file"] == "pytest.ini"


def test_markdown(make: Make) -> None:
    """The matrix is a table, a finding is a line of a list."""
    ran = run(
        str(make({"pytest.ini": "[tool:pytest]\naddopts = -ra\n", "test_a.py": TEST})),
        "--format",
        "markdown",
        "--no-probe",
    )
    assert ran.returncode == 1
    assert "| `pytest` | `at the root` | `pytest.ini` | `.` |" in ran.stdout
    assert "- **D01** `pytest.ini:1`" in ran.stdout


def test_only_worth_a_look(make: Make) -> None:
    """A suspicion is printed and does not fail a build."""
    ran = run(str(make({"pytest.ini": "[pytest]\ntimeout_method = thread\n", "test_a.py": TEST})), "--no-probe")
    assert ran.returncode == 0
    assert "Worth a look (1)" in ran.stdout


@pytest.mark.parametrize("wrong", [["nowhere-at-all"], [".", "--python", "nowhere-at-all"], [".", "--format", "yaml"]])
def test_wrong_usage(wrong: list[str]) -> None:
    """What cannot be examined ends with 2 and says so on standard error."""
    ran = run(*wrong, "--no-probe")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.strip()


def test_the_base_is_enough(make: Make, pythons: Pythons) -> None:
    """With neither the server's packages nor pytest beside Quintet the doctor works: it is the project's pytest that is asked."""
    root = make({"pytest.ini": "[pytest]\naddopts = --cov\n", ".env": "QUINTET_PORT=x\n", "test_a.py": TEST})
    ran = run(str(root), "--python", str(pythons()), without=SERVER)
    assert ran.returncode == 1, ran.stderr
    assert "D10" in ran.stdout


def test_the_projects_own_environment_is_taken(make: Make, pythons: Pythons) -> None:
    """Without --python it is the project's .venv that counts."""
    root = make({"pytest.ini": "[pytest]\n", "test_a.py": TEST})
    Path(root / ".venv").symlink_to(pythons().parent.parent)
    said = json.loads(run(str(root), "--format", "json").stdout)
    assert said["python"]["origin"] == "project"
