"""Runs that ended before, or beside, their tests: thirteen kinds, each named from what pytest itself prints about it."""

import pytest

from quintet.triage import analyse
from triage.texts import Session

pytestmark = pytest.mark.l1

# ruff: noqa: E501  # samples keep their own line lengths

_START = "=== test session starts ===\nplatform linux -- Python 3.12.1, pytest-9.2.0, pluggy-1.6.0\n"
_COLLECTED = _START + "collected 4 items\n\n"

KINDS = {
    "bad option": ("markers-config", "--cov", "ERROR: usage: pytest [options] [file_or_dir]\npytest: error: unrecognized arguments: --cov=app\n  inifile: /a/pytest.ini\n"),
    "broken conftest": ("environment", "LEDGER_SALT", "ImportError while loading conftest '/a/conftest.py'.\nconftest.py:2: in <module>\n    SALT = os.environ['LEDGER_SALT']\nE   KeyError: 'LEDGER_SALT'\n"),
    "duplicate key": ("markers-config", "duplicate name", "ERROR: /a/pytest.ini:3: duplicate name 'markers'\n"),
    "two tables": ("markers-config", "Cannot use both", "ERROR: /a/pyproject.toml: Cannot use both [tool.pytest] (native TOML types) and [tool.pytest.ini_options] (string-based INI format) simultaneously.\n"),
    "missing required plugin": ("markers-config", "pytest-unicorns", "ERROR: Missing required plugins: pytest-unicorns>=2.0\n"),
    "bad asyncio mode": ("markers-config", "asyncio_mode", "ERROR: 'automatic' is not a valid asyncio_mode. Valid modes: auto, strict.\n"),
    "SystemExit in a module": ("imports", "sys.exit", _START + "collecting ... mainloop: caught unexpected SystemExit!\nINTERNALERROR> Traceback (most recent call last):\nINTERNALERROR>   File \"/a/test_a.py\", line 2, in <module>\nINTERNALERROR>     sys.exit(4)\nINTERNALERROR> SystemExit: 4\n"),
    "SystemExit that says why": ("environment", "LEDGER_URL", _START + "collecting ... mainloop: caught unexpected SystemExit!\nINTERNALERROR> Traceback (most recent call last):\nINTERNALERROR>   File \"/a/app.py\", line 2, in <module>\nINTERNALERROR>     sys.exit('LEDGER_URL is not set')\nINTERNALERROR> SystemExit: LEDGER_URL is not set\n"),
    "hard crash": ("resources", "died", _COLLECTED + 'test_a.py .Fatal Python error: Segmentation fault\n\nCurrent thread 0x00 (most recent call first):\n  File "/a/test_a.py", line 4 in test_x\n'.replace(".Fatal", ".\nFatal")),
    "import file mismatch": ("imports", "same name", Session().cannot_collect("b/test_same.py", "import file mismatch:", "imported module 'test_same' has this __file__ attribute:", "  /a/a/test_same.py", "which is not the same as the test file we want to collect:", "  /a/b/test_same.py").text),
    "unknown marker": ("markers-config", "nightly", Session().cannot_collect("test_a.py", "'nightly' not found in `markers` configuration option").text),
    "marker of a plugin": ("markers-config", "plugin that owns it", Session().cannot_collect("test_a.py", "'django_db' not found in `markers` configuration option").text),
    "nothing collected": ("markers-config", "no tests", _START + "collected 0 items\n\n=== no tests ran in 0.01s ===\n"),
    "interrupted": ("markers-config", "nterrupt", _COLLECTED + "test_a.py .\n\n!!!!!!!!!!!!! KeyboardInterrupt !!!!!!!!!!!!!\n/a/test_a.py:9: KeyboardInterrupt\n=== 1 passed in 0.50s ===\n"),
    "left by a fixture": ("environment", "LEDGER_URL", _COLLECTED + "!!!!! _pytest.outcomes.Exit: LEDGER_URL is not set: refusing to run !!!!!\n=== no tests ran in 0.01s ===\n"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_named(kind: str) -> None:
    """One cause of the right category, whose statement names it, and a fix."""
    category, word, text = KINDS[kind]
    analysis = analyse(text)
    assert [cause.category for cause in analysis.causes] == [category]
    assert word in analysis.causes[0].statement, analysis.causes[0].statement
    assert analysis.causes[0].fix


def test_a_killed_worker_is_one_entry() -> None:
    """The block bears the module's name and the summary the test's: both are the same failure."""
    text = Session(passed=5).fails("test_a.py::test_x[3]").text
    text = text.replace(
        "____ test_x[3] ____", "____ test_a.py ____\nworker 'gw1' crashed while running 'test_a.py::test_x[3]'"
    )
    analysis = analyse(text)
    assert [(entry.name, entry.phase) for entry in analysis.run.entries] == [("test_a.py::test_x[3]", "call")]
    assert [cause.category for cause in analysis.causes] == ["resources"]


def test_an_option_of_a_plugin_names_the_plugin() -> None:
    """The fix says what to install, not where to look."""
    for option, plugin in (("--cov=app", "pytest-cov"), ("-n", "pytest-xdist"), ("--timeout=3", "pytest-timeout")):
        text = f"ERROR: usage: pytest [options]\npytest: error: unrecognized arguments: {option}\n"
        assert plugin in analyse(text).causes[0].fix


def test_a_message_printed_after_collecting_is_not_lost() -> None:
    """Verbose runs print it on the line that says `collecting`; it is no empty run."""
    text = (
        _START + "collecting ... ERROR: file or directory not found: tests/nowhere\n\n=== no tests ran in 0.01s ===\n"
    )
    [cause] = analyse(text).causes
    assert "tests/nowhere" in cause.statement
