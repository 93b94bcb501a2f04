"""`quintet triage run -- pytest …`: what a JUnit file loses is kept, and what the claims say is tried out."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line.commands import clean, quintet

pytestmark = pytest.mark.l3

INI = "[pytest]\naddopts = -p no:cacheprovider"
OK = "def test_ok():\n    pass\n"
SESSIONS: dict[str, tuple[dict[str, str], str, str]] = {
    "bad option": ({"pytest.ini": "[pytest]\naddopts = --covv=src\n"}, "markers-config", "--covv"),
    "broken conftest": (
        {"conftest.py": "import nothing_of_this_name\n"},
        "dependencies or imports",
        "nothing_of_this_name",
    ),
    "duplicate key": (
        {"pytest.ini": "[pytest]\nmarkers =\n  a: x\nmarkers =\n  b: y\n"},
        "markers-config",
        "duplicate name",
    ),
    "two tables": (
        {"pyproject.toml": '[tool.pytest]\nminversion="9.0"\n[tool.pytest.ini_options]\naddopts="-q"\n'},
        "markers-config",
        "Cannot use both",
    ),
    "missing required plugin": (
        {"pytest.ini": "[pytest]\nrequired_plugins = pytest-nothing>=1\n"},
        "markers-config",
        "pytest-nothing",
    ),
    "bad asyncio mode": (
        {"pytest.ini": f"{INI} -p pytest_asyncio.plugin\nasyncio_mode = sometimes\n"},
        "markers-config",
        "asyncio_mode",
    ),
    "SystemExit in conftest": ({"conftest.py": "import sys\nsys.exit(3)\n"}, "imports", "SystemExit"),
    "hard crash": (
        {"test_c.py": "import ctypes\ndef test_crash():\n    ctypes.string_at(0)\n"},
        "resources",
        "test_crash",
    ),
    "killed worker": (
        {
            "pytest.ini": f"{INI} -p xdist.plugin -n1\n",
            "test_k.py": "import os\ndef test_kill():\n    os.kill(os.getpid(), 9)\n",
        },
        "resources",
        "test_kill",
    ),
    "import file mismatch": ({"a/test_one.py": OK, "b/test_one.py": OK}, "imports", "test_one"),
    "unknown markers": (
        {"pytest.ini": f"{INI} --strict-markers\n", "test_m.py": f"import pytest\n@pytest.mark.slowly\n{OK}"},
        "markers-config",
        "slowly",
    ),
    "nothing collected": ({"test_ok.py": ""}, "markers-config", "no tests"),
    "interrupted": ({"test_i.py": "def test_i():\n    raise KeyboardInterrupt\n"}, "markers-config", "interrupted"),
    "os._exit": ({"test_e.py": "import os\ndef test_exit():\n    os._exit(3)\n"}, "resources", "test_exit"),
}

Explain = Callable[..., subprocess.CompletedProcess[str]]


def _project(folder: Path, files: dict[str, str]) -> None:
    for name, text in {"pytest.ini": f"{INI}\n", "test_ok.py": OK, **files}.items():
        if name == "pytest.ini" and "pyproject.toml" in files and name not in files:
            continue
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _triage(
    folder: Path, *options: str, run: tuple[str, ...] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """The project's pytest loads only what the case names: nothing else of this machine belongs to it."""
    command = [sys.executable, "-m", "pytest", *run]
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment}
    return quintet("triage", "run", *options, "--", *command, folder=folder, environment=environment, within=60)


@pytest.mark.parametrize("kind", SESSIONS)
def test_a_session_that_fails_is_named(tmp_path: Path, kind: str) -> None:
    """Also where pytest leaves no JUnit file: the first cause is of the right kind and names the culprit."""
    files, category, culprit = SESSIONS[kind]
    _project(tmp_path, files)
    done = _triage(tmp_path, "--format", "json")
    assert done.returncode == 1, done.stdout + done.stderr
    cause = json.loads(done.stdout)["causes"][0]
    assert cause["category"] in category, cause
    assert culprit in json.dumps(cause), cause


def test_the_output_stays_visible_and_the_report_follows(tmp_path: Path) -> None:
    """What pytest prints is seen as it is; in another form than text it goes to standard error, out of the report's way."""
    _project(tmp_path, {"test_a.py": "def test_a():\n    assert 1 == 2\n"})
    text = _triage(tmp_path)
    assert text.returncode == 1
    assert text.stdout.index("test session starts") < text.stdout.index("No common cause was found")
    data = _triage(tmp_path, "--format", "json")
    assert "test session starts" in data.stderr
    assert json.loads(data.stdout)["totals"]["failures"] == 1


def test_a_green_run_ends_with_0_and_a_wrong_command_with_2(tmp_path: Path) -> None:
    """Nothing found and nothing wrong; and one line for a program that is not there."""
    _project(tmp_path, {})
    assert _triage(tmp_path).returncode == 0
    missing = quintet("triage", "run", "--", "no-such-program", folder=tmp_path)
    assert (missing.returncode, missing.stdout, len(missing.stderr.splitlines())) == (2, "", 1)
    silent = quintet("triage", "run", "--", sys.executable, "-c", "raise SystemExit(7)", folder=tmp_path)
    assert silent.returncode == 1


def test_a_run_without_end_is_stopped_and_its_test_named(tmp_path: Path) -> None:
    """The time is the person's to give."""
    _project(tmp_path, {"test_a.py": "import time\ndef test_waits():\n    time.sleep(600)\n"})
    done = _triage(tmp_path, "--within", "8", "--format", "json")
    cause = json.loads(done.stdout)["causes"][0]
    assert (cause["category"], cause["certainty"]) == ("resources", "proven")
    assert cause["entries"] == ["test_a.py::test_waits"]


def test_what_a_claim_says_is_tried_out(tmp_path: Path) -> None:
    """A variable that is not set in the run's environment, a port that refuses: proven, with the probe as a fact. Else not."""
    code = "import os\ndef test_env():\n    os.environ['LEDGER_HOST']\n"
    _project(tmp_path, {"test_a.py": code})
    [proven] = json.loads(_triage(tmp_path, "--format", "json").stdout)["causes"]
    assert proven["certainty"] == "proven"
    assert any(fact["id"] == "P1" and "LEDGER_HOST is not set" in fact["excerpt"] for fact in proven["evidence"])
    [untried] = json.loads(_triage(tmp_path, "--format", "json", "--no-probe").stdout)["causes"]
    assert untried["certainty"] == "probable"
    deleted = code.replace("    os", "    os.environ.pop('LEDGER_HOST')\n    os")
    (tmp_path / "test_a.py").write_text(deleted)
    contradicted = json.loads(_triage(tmp_path, "--format", "json", LEDGER_HOST="CaNaRy-value").stdout)
    assert contradicted["causes"][0]["certainty"] == "suspect"
    assert "A probe speaks against it" in contradicted["causes"][0]["counter"][0]
    assert "CaNaRy-value" not in json.dumps(contradicted)


def test_nothing_is_added_to_the_command_or_left_behind(tmp_path: Path) -> None:
    """The person's own options rule, the folder stays as it was, and the journal's place is gone."""
    _project(
        tmp_path,
        {
            "test_a.py": "import os, sys\ndef test_a():\n    print(os.environ['PYTEST_ADDOPTS'])\n    assert not sys.argv\n"
        },
    )
    before = sorted(path.name for path in tmp_path.iterdir())
    done = _triage(tmp_path, run=("-q", "--tb=line"), PYTEST_ADDOPTS="-p no:randomly", PYTHONDONTWRITEBYTECODE="1")
    assert done.returncode == 1
    assert "test session starts" not in done.stdout
    assert "-p no:randomly" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_help_names_every_option_without_loading_what_it_does_not_need(tmp_path: Path) -> None:
    """`quintet triage --help` teaches the three ways; each command's help its options; none of it loads pytest or the server."""
    assert all(word in quintet("triage", "--help", folder=tmp_path).stdout for word in ("run", "diff", "Exit code"))
    for command, options in (
        ("read", ("--format", "--out", "--explain", "--probe")),
        ("run", ("--within",)),
        ("diff", ("--out",)),
    ):
        shown = quintet("triage", command, "--help", folder=tmp_path).stdout
        assert all(option in shown for option in options), shown
    code = "import sys\nfrom quintet.cli import main\ntry: main(['triage', '--help'])\nexcept SystemExit: print('pytest' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=clean({}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout.splitlines()[-1] == "False"


def test_what_a_crash_would_take_with_it_is_kept(tmp_path: Path) -> None:
    """A failure before the crash was never printed by pytest; the journal has it."""
    crash = "import os\ndef test_a():\n    assert 'first' == 'second'\ndef test_b():\n    os._exit(9)\n"
    _project(tmp_path, {"test_a.py": crash})
    names = [entry["name"] for entry in json.loads(_triage(tmp_path, "--format", "json").stdout)["entries"]]
    assert set(names) == {"test_a.py::test_a", "test_a.py::test_b"}
