"""Reports as JSON, told apart by what stands in them, and several reports of one run."""

import json
from typing import Any

import pytest

from quintet.triage import analyse, analyse_all, as_data, read
from triage.texts import Session, raised

pytestmark = pytest.mark.l1

# ruff: noqa: E501  # samples keep their own line lengths


def _log(*reports: dict[str, Any], end: bool = True) -> str:
    lines = [{"pytest_version": "9.2.0", "$report_type": "SessionStart"}, *reports]
    return (
        "\n".join(map(json.dumps, [*lines, *([{"exitstatus": 1, "$report_type": "SessionFinish"}] if end else [])]))
        + "\n"
    )


def _test(name: str, when: str = "call", outcome: str = "passed", error: str = "", path: str = "") -> dict[str, Any]:
    shown: Any = None
    if outcome == "failed":
        entry = {
            "lines": ["    go()", f"E   {error}"],
            "reprfileloc": {"path": path, "lineno": 3, "message": "in go"},
            "style": "short",
        }
        traceback = {"reprentries": [{"type": "ReprEntry", "data": entry}], "extraline": None, "style": "short"}
        shown = {
            "reprcrash": {"path": path, "lineno": 3, "message": error},
            "reprtraceback": traceback,
            "chain": [[traceback, None, None]],
        }
    return {"nodeid": name, "when": when, "outcome": outcome, "longrepr": shown, "$report_type": "TestReport"}


_SOCKET = "/usr/lib/python3.12/socket.py"
_REFUSED = "ConnectionRefusedError: [Errno 111] Connection refused"
LOG = _log(
    _test("tests/test_a.py::test_ok", "setup"),
    _test("tests/test_a.py::test_ok"),
    _test("tests/test_a.py::test_bad", outcome="failed", error=_REFUSED, path=_SOCKET),
    _test("tests/test_a.py::test_set", "setup", "failed", "KeyError: 'rows'", "tests/conftest.py"),
    _test("tests/test_a.py::test_skip", "setup", "skipped"),
    {
        "nodeid": "tests/test_b.py",
        "outcome": "failed",
        "longrepr": "E   SyntaxError: invalid syntax",
        "$report_type": "CollectReport",
    },
)


def test_the_lines_of_reportlog() -> None:
    """Outcomes by phase, the frame that raised, and the line of the log as evidence."""
    run = read(LOG)
    totals = run.totals
    assert (run.kind, totals.tests, totals.passed, totals.failures, totals.errors, totals.skipped) == (
        "reportlog",
        5,
        1,
        1,
        2,
        1,
    )
    assert [(entry.phase, entry.at) for entry in run.entries] == [("call", 4), ("setup", 5), ("collect", 7)]
    assert run.entries[0].last.frames[0].place == "stdlib"
    assert [cause.category for cause in analyse(LOG).causes] == ["imports", "services", "fixtures"]


def test_a_log_that_stops_in_the_middle_says_so() -> None:
    """The broken last line costs itself; the test that was running is named."""
    text = _log(
        _test("a.py::test_x", outcome="failed", error="ValueError: x"), _test("a.py::test_last", "setup"), end=False
    )
    run = read(text + '{"nodeid": "a.py::te')
    assert len(run.entries) == 1
    assert any("test_last" in gap for gap in run.gaps)
    assert any("could not be read" in gap for gap in run.gaps)


JSON_REPORT = {
    "exitcode": 1,
    "summary": {"passed": 1, "failed": 1, "error": 1, "total": 3, "collected": 3},
    "collectors": [{"nodeid": "tests/test_c.py", "outcome": "failed", "longrepr": "E   ModuleNotFoundError: No module named 'redis'"}],
    "tests": [
        {"nodeid": "tests/test_a.py::test_ok", "outcome": "passed", "call": {"outcome": "passed"}},
        {
            "nodeid": "tests/test_a.py::test_bad",
            "outcome": "failed",
            "call": {"outcome": "failed", "crash": {"message": "assert 1 == 2"}, "longrepr": "\n".join(raised("tests/test_a.py", 3, "assert 1 == 2", "assert 1 == 2"))},
        },
        {
            "nodeid": "tests/test_a.py::test_set",
            "outcome": "error",
            "setup": {"outcome": "failed", "crash": {"message": "fixture 'x' not found"}, "longrepr": "file a.py, line 3\nE       fixture 'ledger_db' not found"},
        },
    ],
}  # fmt: skip
CTRF = {
    "reportFormat": "CTRF",
    "results": {
        "tool": {"name": "pytest"},
        "summary": {"tests": 3, "passed": 1, "failed": 2, "skipped": 0, "pending": 0, "other": 0},
        "tests": [
            {"name": "tests/test_a.py::test_ok", "status": "passed"},
            {"name": "test_bad", "filePath": "tests/test_a.py", "status": "failed", "message": "AssertionError: assert 1 == 2"},
            {"name": "tests/test_a.py::test_set", "status": "failed", "rawStatus": "setup_failed", "trace": "E       fixture 'ledger_db' not found"},
        ],
    },
}  # fmt: skip


@pytest.mark.parametrize("indent", [None, 2])
def test_json_documents(indent: int | None) -> None:
    """json-report and CTRF, on one line or many: their own totals, names, phases and lines."""
    run = read(json.dumps(JSON_REPORT, indent=indent))
    assert (run.kind, run.totals.tests, run.totals.failures, run.totals.errors) == ("json-report", 3, 1, 1)
    assert [entry.phase for entry in run.entries] == ["collect", "call", "setup"]
    run = read(json.dumps(CTRF, indent=indent))
    assert (run.kind, run.totals.tests, run.totals.failures, run.totals.passed) == ("ctrf", 3, 2, 1)
    assert [(entry.name, entry.phase) for entry in run.entries] == [
        ("tests/test_a.py::test_bad", "call"),
        ("tests/test_a.py::test_set", "setup"),
    ]
    if indent:
        line = json.dumps(CTRF, indent=indent).split("\n")[run.entries[1].at - 1]
        assert "tests/test_a.py::test_set" in line


@pytest.mark.parametrize("document", [JSON_REPORT, CTRF], ids=["json-report", "ctrf"])
def test_a_document_cut_off_gives_what_stands_before(document: dict[str, Any]) -> None:
    """Whole tests before the cut are read, and the gap is told."""
    text = json.dumps(document)
    run = read(text[: text.rindex("test_set")])
    assert [entry.name.rpartition("::")[2] for entry in run.entries if entry.phase == "call"] == ["test_bad"]
    assert any("JSON" in gap for gap in run.gaps)


@pytest.mark.parametrize(
    "text",
    ["{}", "[]", '{"tests": 3}', '{"tests": [', '{"results": {"tests": [1, null, {"status": "failed"}]}}', '{"$report_type": 3}', '{"$report_type": "x"}\n[]\n3\n'],
)  # fmt: skip
def test_json_of_any_shape_is_survived(text: str) -> None:
    """No text makes the analyst raise."""
    as_data(analyse(text))


def test_a_secret_in_json_is_masked() -> None:
    """Also where JSON writes its quotes with backslashes."""
    log = _log(_test("a.py::test_x", outcome="failed", error="ValueError: login(password='hunter2hunter2')"))
    for text in (log, json.dumps(CTRF).replace("assert 1 == 2", "token=hunter2hunter2")):
        assert "hunter2" not in repr(analyse(text))


def test_console_and_log_of_one_run_are_one_run() -> None:
    """Entries count once; each is cited from the report that shows more of it."""
    console = Session(passed=1).fails("tests/test_a.py::test_bad", "E   " + _REFUSED)
    console.breaks("tests/test_a.py::test_set", "E   KeyError: 'rows'").cannot_collect(
        "tests/test_b.py", "E   SyntaxError: invalid syntax"
    )
    analysis = analyse_all([("console.txt", console.text), ("log.jsonl", LOG)])
    assert len(analysis.run.entries) == 3
    assert (analysis.run.totals.failures, analysis.run.totals.errors) == (1, 2)
    [bad] = [entry for entry in analysis.run.entries if entry.name.endswith("test_bad")]
    assert (bad.source, bad.last.frames[0].place) == ("log.jsonl", "stdlib")
    assert {fact.source for fact in analysis.case.facts} == {"console.txt", "log.jsonl"}


def test_parts_of_a_run_are_added_up() -> None:
    """Shards have nothing in common: their numbers are summed."""
    shards = [
        Session(passed=2).fails(f"tests/test_{part}.py::test_{part}", f"E   ValueError: {part}").text for part in "ab"
    ]
    analysis = analyse_all([("a.txt", shards[0]), ("b.txt", shards[1])])
    assert (analysis.run.totals.tests, analysis.run.totals.failures, len(analysis.run.entries)) == (6, 2, 2)


def test_a_report_beside_something_that_is_none() -> None:
    """A note beside a report changes nothing."""
    text = Session().fails("tests/test_a.py::test_x", "E   ValueError: x").text
    assert (
        as_data(analyse_all([("note.txt", "please help"), ("run.txt", text)]))["entries"]
        == as_data(analyse(text))["entries"]
    )


def test_modules_that_no_report_could_collect_count_once() -> None:
    """The console names the file, JUnit the module."""
    console = Session().cannot_collect("tests/unit/test_a.py", "E   ModuleNotFoundError: No module named 'redis'").text
    error = '<testcase classname="" name="tests.unit.test_a"><error message="collection failure">E   ModuleNotFoundError: No module named \'redis\'</error></testcase>'
    xml = f'<testsuites><testsuite name="pytest" errors="1" failures="0" skipped="0" tests="1">{error}</testsuite></testsuites>'
    analysis = analyse_all([("console.txt", console), ("report.xml", xml)])
    assert [entry.name for entry in analysis.run.entries] == ["tests/unit/test_a.py"]
    assert analysis.run.totals.errors == 1
