"""A probe is bounded, leaves no trace, shows no value, and says when it could not be run."""

import os
import time
from pathlib import Path

import pytest

from doctor.examples import TEST
from doctor.projects import Examine, Make, Pythons
from quintet.doctor import examination, examine
from quintet.doctor.report.data import as_data
from quintet.doctor.report.markdown import as_markdown

pytestmark = pytest.mark.l3

CANARY = "canary-4f1d9c0b7a"


def test_a_probe_ends_in_time(make: Make, pythons: Pythons) -> None:
    """A conftest that never ends, and what it has started, are gone after the limit, and the report says so."""
    waiting = "import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\ntime.sleep(600)\n"
    root = make({"conftest.py": waiting, "test_a.py": TEST})
    begun = time.monotonic()
    found = examination(root, python=pythons(), seconds=2)
    assert time.monotonic() - begun < 30
    assert found.findings == ()
    assert any("longer than" in why for why in found.not_probed), found.not_probed


def test_a_flood_is_bounded(examined: Examine) -> None:
    """Output without end is read and dropped; the examination goes on."""
    found = examined(
        {"conftest.py": "import sys\nfor _ in range(60_000):\n    sys.stderr.write('x' * 1000)\n", "test_a.py": TEST}
    )
    assert (found.findings, found.not_probed) == ((), ())


def test_nothing_is_written_into_the_tree(examined: Examine, tmp_path: Path) -> None:
    """What writes when it is imported is refused and proves nothing; no cache and no bytecode stays behind."""
    writing = """
        import os, sqlite3, pathlib
        here = pathlib.Path(__file__).parent
        for attempt in (
            lambda: (here / "left.txt").write_text("x"),
            lambda: os.mkdir(here / "folder"),
            lambda: sqlite3.connect(here / "left.db"),
            lambda: os.remove(here / "test_b.py"),
        ):
            try:
                attempt()
            except OSError:
                pass
        (here / "left.txt").write_text("x")
        def test_one(): pass
    """
    files = {
        "pytest.ini": "[pytest]\naddopts = --junitxml=report.xml --log-file=run.log\n",
        "test_a.py": writing,
        "test_b.py": TEST,
        "pkg/test_c.py": TEST,
    }
    found = examined(files)
    assert found.certain == ()
    left = {
        path.relative_to(tmp_path / "project").as_posix()
        for path in (tmp_path / "project").rglob("*")
        if path.is_file()
    }
    assert left == set(files)
    assert found.case.collected is not None
    assert any("test_b.py::test_one" in item for item in found.case.collected.items)


def test_no_value_is_shown(examined: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a password in an address nor a value in an exception's text gets into any form of the report."""
    monkeypatch.setenv("DATABASE_URL", f"postgresql://someone:{CANARY}@127.0.0.1:9/db")
    monkeypatch.setenv("DOCTOR_EXAMPLE_TOKEN", CANARY)
    found = examined(
        {
            ".env": f"REDIS_URL=redis://:{CANARY}@127.0.0.1:9/0\n",
            "app.py": "env_file = '.env'\nimport os\nDATABASE = os.environ['DATABASE_URL']\n",
            "test_a.py": "import os\nraise RuntimeError('refused: token=' + os.environ['DOCTOR_EXAMPLE_TOKEN'])\n",
            "test_b.py": "import os\nraise RuntimeError('cannot reach ' + os.environ['DATABASE_URL'])\n",
            "pytest.ini": "[pytest]\n",
            "tox.ini": f"[pytest]\naddopts = --api-key={CANARY}\n",
            "Makefile": f"test:\n\tpytest --api-key={CANARY}\n",
        }
    )
    assert {one.rule for one in found.findings} >= {"D04", "D22", "D35"}
    everything = f"{as_data(found)}{as_markdown(found)}{found.findings}"
    assert CANARY not in everything


def test_without_probes_nothing_is_run(make: Make, tmp_path: Path) -> None:
    """With `probe` off not even the interpreter is started."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\ntouch {tmp_path}/was-run\n")
    python.chmod(0o755)
    root = make({"conftest.py": f"open({str(tmp_path / 'was-run')!r}, 'w')\n", "test_a.py": TEST})
    assert examine(root, probe=False, python=python) == []
    assert not (tmp_path / "was-run").exists()
    examine(root, python=python)
    assert (tmp_path / "was-run").exists()


def test_a_python_without_pytest(make: Make, tmp_path: Path) -> None:
    """Where there is no pytest nothing is claimed that needs one, and the report says why."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho nothing here >&2\nexit 3\n")
    python.chmod(0o755)
    found = examination(make({"pytest.ini": "[pytest]\naddopts = --cov\n", "test_a.py": TEST}), python=python)
    assert found.certain == ()
    assert "nothing here" in " ".join(found.not_probed)


def test_one_fault_does_not_hide_the_others(examined: Examine) -> None:
    """An unknown option, a missing variable, a module that leaves and an unknown marker are all named at once."""
    found = examined(
        {
            "pytest.ini": "[pytest]\naddopts = --cov=app --strict-markers\nrequired_plugins = pytest-django\n",
            "conftest.py": "import os\nKEY = os.environ['DOCTOR_EXAMPLE_KEY']\nOTHER = os.environ['DOCTOR_EXAMPLE_OTHER']\n",
            "test_a.py": "import sys\nsys.exit()\n",
            "test_b.py": "import pytest\n@pytest.mark.one\n@pytest.mark.two\ndef test_one(): pass\n",
        }
    )
    assert [one.rule for one in found.certain] == ["D08", "D08", "D10", "D12", "D18", "D18", "D33"], found.findings


def test_python_m_pytest_is_enough(examined: Examine) -> None:
    """A conftest that only `python -m pytest` can import is no fault: that is how many projects are run."""
    found = examined(
        {"helpers_of_tests.py": "", "tests/conftest.py": "import helpers_of_tests\n", "tests/test_a.py": TEST}
    )
    assert found.findings == ()


def test_where_the_project_writes_pytest_that_only_python_m_can_import_is_worth_a_look(examined: Examine) -> None:
    """Its own command then fails; it is said, and fails no build."""
    found = examined(
        {
            "Makefile": "test:\n\tpytest -q\n",
            "helpers_of_tests.py": "",
            "tests/conftest.py": "import helpers_of_tests\n",
            "tests/test_a.py": TEST,
        }
    )
    assert [(one.rule, one.certainty) for one in found.findings] == [("D35", "suspect")]


MARKED_X = "import pytest\n@pytest.mark.x\ndef test_one(): pass\n"
OWN = "[tool.pytest.ini_options]\nmarkers = ['x: of this project']\naddopts = '--strict-markers'\n"


def test_projects_that_only_share_a_folder_are_judged_by_their_own_files(examined: Examine) -> None:
    """Nothing rules above them, nobody starts pytest there: modules of one name and markers of one's own are no fault."""
    found = examined(
        {
            f"{name}/{file}": text
            for name in "ab"
            for file, text in (("pyproject.toml", OWN), ("tests/test_api.py", MARKED_X))
        }
    )
    assert found.certain == ()


def test_where_every_command_runs_elsewhere_that_is_probed(examined: Examine) -> None:
    """A marker that only the root knows is unknown to the workflow, which starts pytest below."""
    found = examined(
        {
            ".github/workflows/ci.yml": "jobs:\n  t:\n    steps:\n      - run: cd api && pytest\n",
            "pytest.ini": "[pytest]\nmarkers =\n    x: known here\n",
            "api/pytest.ini": "[pytest]\naddopts = --strict-markers\n",
            "api/tests/test_a.py": MARKED_X,
        }
    )
    assert [one.rule for one in found.certain] == ["D08"]


def test_a_python_that_is_not_the_projects_proves_no_absence(
    make: Make, pythons: Pythons, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the running Python, what the project declares and this Python lacks makes missing plugins a suspicion; without it they are certain."""
    files = {
        "pytest.ini": "[pytest]\naddopts = --cov=app\n",
        "pyproject.toml": "[project]\nname = 'app-of-nobody'\ndependencies = ['nothing-of-that-name']\n",
        "test_a.py": TEST,
    }
    root = make(files)
    monkeypatch.setattr("sys.executable", str(pythons()))
    assert [(one.rule, one.certainty) for one in examine(root)] == [("D10", "suspect")]
    assert [(one.rule, one.certainty) for one in examine(root, python=pythons())] == [("D10", "certain")]
    (root / "pyproject.toml").unlink()
    assert [(one.rule, one.certainty) for one in examine(root)] == [("D10", "certain")]


def test_the_outer_run_is_not_seen(examined: Examine) -> None:
    """Variables of the pytest that runs this test do not reach the project's."""
    assert "PYTEST_CURRENT_TEST" in os.environ
    found = examined({"conftest.py": "import os\nassert 'PYTEST_CURRENT_TEST' not in os.environ\n", "test_a.py": TEST})
    assert found.findings == ()


_SETTINGS = (
    "pydantic-settings", "pydantic", "pydantic-core", "typing-extensions", "annotated-types", "python-dotenv", "typing-inspection",
)  # fmt: skip


def test_an_env_file_beside_the_settings_that_is_not_read_is_named(make: Make, pythons: Pythons) -> None:
    """Where it stands and why it does not count, without a word of what is in it."""
    settings = (
        "from pydantic_settings import BaseSettings, SettingsConfigDict\nclass Settings(BaseSettings):\n"
        "    model_config = SettingsConfigDict(env_file='.env', env_prefix='BILL_')\n    host_name: str\n"
    )
    for lines, told in ((f"BILL_HOST_NAME={CANARY}\n", True), (f"BILL_OTHER={CANARY}\n", False)):
        files = {"bill/conf.py": settings, "bill/.env": lines, "test_a.py": f"import bill.conf\n{TEST}"}
        (found,) = [one for one in examination(make(files), python=pythons(*_SETTINGS)).findings if one.rule == "D19"]
        assert ("bill/.env has it" in found.statement) is told
        assert CANARY not in f"{found.statement}{found.fix}"


def test_two_conftests_of_one_name_are_told_apart(examined: Examine) -> None:
    """The way out is another than installing something."""
    files = {
        f"{name}/tests/{file}": text
        for name in "ab"
        for file, text in (("__init__.py", ""), ("conftest.py", ""), (f"test_{name}.py", TEST))
    }
    (found,) = [one for one in examined(files).findings if one.rule == "D26"]
    assert "importlib" in found.fix
