"""Real failing runs of pytest, in every style that it prints, each read and explained."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from quintet.triage import Analysis, analyse, analyse_all, as_data
from triage.broken_project import COLLECTED, write

pytestmark = pytest.mark.l3

_SECONDS = 90
_OPTIONS = ("-p", "no:cacheprovider", "-p", "no:xdist", "--continue-on-collection-errors")
STYLES = ("long", "native", "line", "ci", "junit")  # with `CI` set pytest says all of it in its summary too
# One line for each failure does not show which frame raised the first exception of a chain.
_UNSEEN = {"line": {"services__wrapped"}}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The broken project."""
    return write(tmp_path_factory.mktemp("broken"))


@pytest.fixture(scope="module")
def said(project: Path) -> dict[tuple[str, str], str]:
    """What every run left, by project and style."""
    runs = [
        *(("main", style) for style in ("long", "native", "line", "ci")),
        *(("mocks", style) for style in ("long", "line")),
    ]
    with ThreadPoolExecutor(2) as pool:
        texts = dict(zip(runs, pool.map(lambda run: _run(project / run[0], run[1]), runs), strict=True))
    for name in ("main", "mocks"):
        texts[name, "junit"] = (project / name / "long.xml").read_text(encoding="utf-8")
    return texts


def _run(folder: Path, style: str) -> str:
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV_", "LEDGER", "CI"))
    }
    environment |= {"CI": "true"} if style == "ci" else {}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            *_OPTIONS,
            f"--tb={'long' if style == 'ci' else style}",
            f"--junitxml={style}.xml",
        ],
        cwd=folder,
        env=environment | {"PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "120"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return done.stdout


def _wanted(name: str) -> tuple[str, str]:
    """The category in a test's (or module's) name, and the name without what surrounds it."""
    found = re.search(r"test_([a-z_]+?)__(\w+)", name)
    assert found, name
    return found[1].replace("_", "-"), f"{found[1]}__{found[2]}"


@pytest.mark.parametrize("style", STYLES)
def test_every_entry_gets_its_category(said: dict[tuple[str, str], str], style: str) -> None:
    """In every style of traceback and in JUnit XML the true kind of cause is found."""
    data = as_data(analyse(said["main", style]))
    assert len(data["entries"]) > 55, said["main", style][-3000:]
    wrong = [
        (entry["name"], entry["category"])
        for entry in data["entries"]
        if _wanted(entry["name"])[0] != entry["category"] and _wanted(entry["name"])[1] not in _UNSEEN.get(style, ())
    ]
    assert not wrong


@pytest.mark.parametrize("style", STYLES)
def test_the_numbers_are_pytests_own(said: dict[tuple[str, str], str], style: str) -> None:
    """Totals agree with pytest's last line, whatever the format."""
    last = said["main", "long"].strip().splitlines()[-1]
    failed, errors = (int(number) for number in re.findall(r"(\d+) (?:failed|errors?)\b", last))
    totals = analyse(said["main", style]).run.totals
    assert (totals.failures, totals.errors) == (failed, errors)
    assert errors >= len(COLLECTED)


@pytest.mark.parametrize("style", ["long", "line", "junit"])
def test_forty_simulated_errors_claim_nothing(said: dict[tuple[str, str], str], style: str) -> None:
    """What a mock raises is no failure of what it imitates: no claim about the surroundings, and that is said plainly."""
    analysis = analyse(said["mocks", style])
    assert len(analysis.run.entries) == 40
    assert {cause.category for cause in analysis.causes} == {"assertion"}
    assert {cause.certainty for cause in analysis.causes} == {"unknown"}
    assert any("no common cause" in cause.statement for cause in analysis.causes)


def test_nothing_proven_is_false(said: dict[tuple[str, str], str]) -> None:
    """Every entry of a proven cause is truly of its category."""
    for style in STYLES:
        for cause in analyse(said["main", style]).causes:
            if cause.certainty == "proven":
                assert {_wanted(name)[0] for name in cause.entries} == {cause.category}, cause.statement


def test_console_and_junit_of_one_run_are_one(said: dict[tuple[str, str], str]) -> None:
    """Each entry is there once, and the numbers are those of one run."""
    both = analyse_all([("console.txt", said["main", "long"]), ("report.xml", said["main", "junit"])])
    alone = analyse(said["main", "long"])
    assert sorted(entry.name for entry in both.run.entries) == sorted(entry.name for entry in alone.run.entries)
    assert (both.run.totals.failures, both.run.totals.errors) == (alone.run.totals.failures, alone.run.totals.errors)
    assert _told(both) == _told(alone)


def _told(analysis: Analysis) -> list[tuple[str, int]]:
    return sorted((cause.category, cause.blocks) for cause in analysis.causes)


def test_the_same_text_gives_the_same_bytes(said: dict[tuple[str, str], str], tmp_path: Path) -> None:
    """Also in another process with other hash values."""
    path = tmp_path / "run.txt"
    path.write_text(said["main", "long"], encoding="utf-8")
    code = (
        "import json, sys, pathlib; from quintet.triage import analyse, as_data; "
        "print(json.dumps(as_data(analyse(pathlib.Path(sys.argv[1]).read_text(encoding='utf-8')))))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code, str(path)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            timeout=_SECONDS,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
