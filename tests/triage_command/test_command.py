"""The command `quintet triage` on files, standard input and folders."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from command_line.commands import clean, quintet
from quintet.cli import main
from triage.texts import Session, raised
from triage_command.hostile import CANARY, hostile_text

pytestmark = pytest.mark.l3

BROKEN = Session(passed=2).breaks("tests/test_a.py::test_x", "E   fixture 'ledger' not found").text
GREEN = Session(passed=2).text


class Told(NamedTuple):
    """How the command ended, and what it said."""

    code: int
    out: str
    err: str


Ask = Callable[..., Told]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Ask:
    """The command in this process, in a folder of its own: what it does is the same, and a test takes no second."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")

    def asked(*arguments: str) -> Told:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["triage", *arguments])
        return Told(int(ended.value.code or 0), *capfd.readouterr())

    return asked


def _file(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return name


def test_the_exit_code_tells_what_was_found(tmp_path: Path, ask: Ask) -> None:
    """1 where there are causes, 0 where there are none, 2 and one line for misuse."""
    broken, green = _file(tmp_path, "broken.txt", BROKEN), _file(tmp_path, "green.txt", GREEN)
    found = ask(broken)
    assert (found.code, found.err) == (1, "")
    assert "ledger" in found.out
    assert ask(green).code == 0
    for misuse in (["nothing.txt"], [broken, "--explain", "cause-9"], [broken, "--out", "no/such/folder.txt"]):
        done = ask(*misuse)
        assert (done.code, len(done.err.splitlines()), done.out) == (2, 1, ""), misuse
    assert ask(broken, "--format", "pdf").code == 2


def test_standard_input_and_several_files(tmp_path: Path) -> None:
    """`-` reads what is piped; two reports are one run. Nothing is shown on standard error in a pipe."""
    command = [sys.executable, "-m", "quintet", "triage", "-", "--format", "json"]
    done = subprocess.run(
        command, cwd=tmp_path, env=clean({}), input=BROKEN, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["totals"]["errors"] == 1
    other = Session().fails("tests/test_b.py::test_y", "E   assert 1 == 2").text
    names = [_file(tmp_path, "one.txt", BROKEN), _file(tmp_path, "two.txt", other)]
    both = json.loads(quintet("triage", *names, "--format", "json", folder=tmp_path).stdout)
    assert {entry["name"] for entry in both["entries"]} == {"tests/test_a.py::test_x", "tests/test_b.py::test_y"}
    assert {fact["file"] for cause in both["causes"] for fact in cause["evidence"]} == set(names)


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json", "github", "ctrf", "junit"])
def test_out_writes_the_same_as_is_shown(tmp_path: Path, ask: Ask, form: str) -> None:
    """`--out` takes every form, whole; standard output stays empty. A secret is in neither."""
    name = _file(tmp_path, "run.txt", hostile_text())
    shown, written = ask(name, "--format", form), ask(name, "--format", form, "--out", "report")
    assert (shown.code, written.code, written.out) == (1, 1, "")
    assert (tmp_path / "report").read_text(encoding="utf-8") == shown.out
    assert CANARY not in shown.out + shown.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report", "run.txt"]


def test_in_github_actions_the_summary_goes_where_it_is_looked_for(tmp_path: Path) -> None:
    """To the step summary's file, after what stands there; annotations to the log."""
    name = _file(tmp_path, "run.txt", BROKEN)
    place = tmp_path / "summary.md"
    place.write_text("earlier step\n")
    environment = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(place)}
    done = quintet("triage", name, "--format", "github", folder=tmp_path, environment=environment)
    assert done.returncode == 1
    assert place.read_text().startswith("earlier step\n## Failure analysis")
    [line] = done.stdout.splitlines()
    assert line.startswith("::error file=tests/test_a.py,title=")


def test_a_claim_alone(tmp_path: Path, ask: Ask) -> None:
    """`--explain` tells all about one cause, set for the terminal, as Markdown, or as data."""
    name = _file(tmp_path, "run.txt", BROKEN)
    plain = ask(name, "--explain", "cause-1")
    assert plain.code == 1
    assert "Who claimed, who doubted" in plain.out and "##" not in plain.out and "(#F" not in plain.out
    assert "## Evidence" in ask("--explain", "1", "--format", "markdown", name).out
    data = json.loads(ask(name, "--explain", "1", "--format", "json").out)
    assert data["id"] == "cause-1"


def test_two_runs_compared(tmp_path: Path, ask: Ask) -> None:
    """1 where something is new, 0 where nothing is; text, Markdown, JSON."""
    broken, green = _file(tmp_path, "broken.txt", BROKEN), _file(tmp_path, "green.txt", GREEN)
    better = ask("diff", broken, green)
    assert better.code == 0
    assert "1 fixed, 0 new, 0 the same" in better.out
    worse = ask("diff", green, broken, "--format", "json")
    assert worse.code == 1
    assert json.loads(worse.out)["entries"]["new"] == ["tests/test_a.py::test_x (setup)"]
    assert ask("diff", broken).code == 2
    assert ask("diff", broken, green, "--format", "html").code == 2


def test_the_newest_reports_of_a_folder(tmp_path: Path, ask: Ask) -> None:
    """A folder is searched: the newest run is read, older ones and other files are left alone, and that is said."""
    for name, text, when in (
        ("old/junit.txt", GREEN, 1_000),
        ("new/console.txt", BROKEN, 9_000),
        ("new/notes.txt", "hello", 9_000),
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        os.utime(path, (when, when))
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "other.txt").write_text(BROKEN)
    done = ask(".", "--format", "json", "--no-probe")
    assert done.code == 1
    assert "Found a report: new/console.txt" in done.err
    assert "1 older" in done.err
    assert json.loads(done.out)["totals"]["errors"] == 1


def test_a_name_of_a_file_cannot_command_a_terminal(tmp_path: Path, ask: Ask) -> None:
    """Whoever made the file has named it."""
    name = "run\x1b[31m<b>.txt"
    done = ask(_file(tmp_path, name, BROKEN), "--format", "html")
    assert done.code == 1
    assert "\x1b" not in done.out and "<b>.txt" not in done.out
    missing = ask("no\x1b[31m.txt")
    assert "\x1b" not in missing.err


def test_a_locale_without_letters_is_no_obstacle(tmp_path: Path) -> None:
    """The report is UTF-8 whatever the machine's locale says."""
    text = Session().fails("tests/test_a.py::test_é", *raised("a.py", 1, "x", "KeyError: '💥'")).text
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "quintet", "triage", _file(tmp_path, "run.txt", text)]
    done = subprocess.run(command, cwd=tmp_path, env=clean(environment), capture_output=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "💥" in done.stdout.decode()


def test_an_examination_that_breaks_costs_no_report(tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies there is explained all the same, and the failure is said; without a report there is nothing to show, and that is no success."""

    def broken(*_: object, **__: object) -> None:
        raise RecursionError

    monkeypatch.setattr("quintet.doctor.examination", broken)
    nothing = ask(".")
    assert (nothing.code, nothing.out) == (2, "")
    _file(tmp_path, "run.txt", BROKEN)
    told = ask(".")
    assert told.code == 1
    assert "ledger" in told.out and "RecursionError" in told.err
