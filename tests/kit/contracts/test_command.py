"""`quintet contract`: what keeps the contract passes, each way to break it fails at its own point, and nothing is claimed that was not seen."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kit.contracts.backend import DEFECTS
from quintet.cli.main import app
from quintet.testing.contracts import Mapping
from quintet.testing.contracts.probe import Plan, Point, examine, verdicts
from support.server import Server

HERE = Path(__file__).parent
BACKEND, MAP = HERE / "backend.py", HERE / "backend.toml"
USERS = ("--user", "alice-token", "--other", "bob-token")


@contextmanager
def running(defect: str = "") -> Iterator[str]:
    """The small backend in a process of its own; its address."""
    process = subprocess.Popen(
        [sys.executable, str(BACKEND), defect], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdin and process.stdout
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def contract(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a user runs it."""
    return subprocess.run(
        [sys.executable, "-m", "quintet", "contract", *arguments],
        capture_output=True,
        text=True,
        timeout=90,
        env={**os.environ, "COLUMNS": "120", **environment},
        check=False,
    )


def judged(url: str, map_file: Path = MAP) -> dict[str, Point]:
    """The same in this process, by point."""
    mapping = Mapping.load(map_file)
    plan = Plan.of(mapping)
    return {
        point.id: point
        for point in verdicts(asyncio.run(examine(url, mapping, plan, ["alice-token", "bob-token"], plan.text, {})))
    }


@pytest.mark.l3
def test_our_own_server_keeps_the_contract(server: Server) -> None:
    """With the mapping that ships, our server passes every point, with agents that nest and use tools at once."""
    for agent in ("researcher", "coordinator"):
        done = contract(server.url, "--map", "quintet", "--set", f"agent={agent}", "--format", "json")
        report = json.loads(done.stdout)
        assert (done.returncode, report["totals"]["passed"], report["totals"]["not judged"]) == (0, 13, 0), done.stdout


@pytest.mark.l3
def test_a_backend_with_another_dialect_keeps_the_contract() -> None:
    """Another backend's frames are read through its mapping; what it does not offer is said and is no failure."""
    with running() as url:
        done = contract(url, "--map", str(MAP), *USERS)
    assert done.returncode == 0 and "12 passed, 1 not offered" in done.stdout, done.stdout + done.stderr
    assert "the mapping tells no `schema`" in done.stdout and "all five came" in done.stdout


FAILS: dict[str, tuple[str, str]] = {
    "lost": ("no_gap", "position 2 missing before tool.start"),
    "doubled": ("once", "thought .* came twice"),
    "reordered": ("sequence", "thought .* comes after"),
    "unpaired": ("pairs", "tool.start .* has no tool_completed before end"),
    "orphan": ("pairs", "tool.stop .* has no tool_executing before it"),
    "two_endings": ("closed", "end .* is a second ending"),
    "after_the_ending": ("closed", "thought .* comes after the ending"),
    "no_ending": ("closed", "has no ending; its last event is piece"),
    "leak": ("isolated", "received piece .*one|other"),
    "open_door": ("stranger", r"received events \(\d"),
    "resume_skips": ("resumes_exactly", "missing between .*: a hole"),
    "resume_repeats": ("resumes_exactly", "came again, .*: a double"),
    "resume_changes": ("resumes_exactly", "other bytes"),
    "offset": ("pieces", "piece .* has offset 5, .* have 4"),
    "text": ("pieces", "end .* has a text"),
    "not_started": ("sequence", "begins with thought"),
    "silent": ("readable", "no event came in answer to 3 messages"),
}


@pytest.mark.l3
@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_fails_at_its_point(defect: str) -> None:
    """The point of the contract that a defect breaks fails, names the event, and shows the timeline."""
    name, words = FAILS[defect]
    with running(defect) as url:
        points = judged(url)
    point = points[name]
    assert point.verdict == "failed", point
    assert re.search(words, point.words), point.words
    assert "delta" in point.evidence, point.evidence
    if defect == "silent":
        assert [p.id for p in points.values() if p.verdict == "passed"] == ["connected"]


@pytest.mark.l3
def test_a_failure_is_shown_with_its_timeline() -> None:
    """Exit code 1, the point, the sentence, the timeline with its mark, the totals; and the same as JSON."""
    with running("unpaired") as url:
        shown = contract(url, "--map", str(MAP), CONTRACT_USER="alice-token", CONTRACT_OTHER="bob-token")
        told = json.loads(contract(url, "--map", str(MAP), *USERS, "--format", "json").stdout)
    assert shown.returncode == 1, shown.stderr
    for words in (
        "✗ failed",
        "Every tool that begins ends",
        "▶",
        "tool.start",
        "1 failed",
        "tool_completed was due after this",
    ):
        assert words in shown.stdout, shown.stdout
    assert "alice-token" not in shown.stdout + shown.stderr, "a credential is shown"
    assert told["totals"]["failed"] == 1 and [p["id"] for p in told["points"] if "evidence" in p] == ["pairs"]


@pytest.mark.l3
def test_nobody_there() -> None:
    """A backend that is not there fails at the first point, and nothing else is claimed."""
    done = contract("http://127.0.0.1:9", "--map", str(MAP), *USERS, "--format", "json")
    verdict: dict[str, Any] = {p["id"]: p["verdict"] for p in json.loads(done.stdout)["points"]}
    assert done.returncode == 1 and verdict.pop("connected") == "failed"
    assert set(verdict.values()) <= {"not judged", "not offered"}, verdict


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("http://127.0.0.1:9", "--map", "no-such-file.toml"), "no-such-file.toml"),
        (("http://127.0.0.1:9", "--map", str(MAP)), "--user and --other"),
        (("http://127.0.0.1:9", "--map", "quintet", "--user", "x"), "Two users"),
        (("ftp://127.0.0.1", "--map", "quintet"), "an address like"),
        (("http://127.0.0.1:9", "--map", "quintet", "--set", "agent"), "NAME=VALUE"),
    ],
)
@pytest.mark.l2
def test_wrong_use_is_said(arguments: tuple[str, ...], words: str) -> None:
    """A wrong mapping, address or option ends with 2 and one line that says what to do."""
    done = CliRunner().invoke(app, ["contract", *arguments])
    assert done.exit_code == 2 and words in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
