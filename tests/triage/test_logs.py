"""What a server logged beside a failure explains it, and nothing else: real runs, read from the console and from JUnit XML."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from quintet.triage import Analysis, analyse, analyse_all, as_data, decode
from triage.answering_project import write
from triage.texts import Session, only_cause, raised

pytestmark = pytest.mark.l3

_SECONDS = 90


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, run once; what the run has left lies in it."""
    made = write(tmp_path_factory.mktemp("answering"))
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV_", "DESK"))}
    options = ("-p", "no:cacheprovider", "-p", "no:xdist", "--junitxml=report.xml", "-o", "junit_logging=all")
    with (made / "console.txt").open("wb") as kept:
        subprocess.run(
            [sys.executable, "-m", "pytest", *options],
            cwd=made,
            env=environment | {"PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "120"},
            stdout=kept,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )
    return made


def _of(folder: Path, name: str) -> Analysis:
    return analyse(decode((folder / name).read_bytes()), name)


@pytest.mark.parametrize("report", ["console.txt", "report.xml"])
def test_the_cause_behind_an_answer_is_found(folder: Path, report: str) -> None:
    """A 500, a refusal, a closed socket and a server that does not start get the category of what was logged; a plain failure keeps its own."""
    data = as_data(_of(folder, report))
    wanted = {entry["name"]: re.search(r"test_([a-z]+)__", entry["name"]) for entry in data["entries"]}
    wrong = [
        (entry["name"], entry["category"])
        for entry in data["entries"]
        if (found := wanted[entry["name"]]) is None or found[1] != entry["category"]
    ]
    assert len(data["entries"]) == 13  # twelve tests, and one that fails again while it is taken down
    assert not wrong


def test_nothing_that_rests_on_a_log_is_proven(folder: Path) -> None:
    """However clear the words: a log is what a program says, not what pytest states of its run."""
    causes = _of(folder, "console.txt").causes
    assert any(fact.kind == "logged" for cause in causes for fact in cause.facts)
    assert [cause.statement for cause in causes if cause.certainty == "proven"] == []


def test_evidence_stands_where_it_is_said_to_stand(folder: Path) -> None:
    """The words of every fact of an exception or a log begin at its line of the report."""
    lines = (folder / "console.txt").read_text(encoding="utf-8").split("\n")
    facts = [fact for cause in _of(folder, "console.txt").causes for fact in cause.facts if fact.kind != "frame"]
    assert len(facts) > 10
    for fact in facts:
        near = " ".join(" ".join(lines[fact.line - 1 : fact.line + 20]).replace(" E ", " ").split())
        assert " ".join(fact.excerpt.split())[:60].rstrip("…") in near, fact


def test_what_follows_from_a_refusal_is_no_cause_of_its_own(folder: Path) -> None:
    """A test that reads a field of a refused answer, and a teardown after its own test failed, fold under the cause."""
    causes = _of(folder, "console.txt").causes
    refused = next(cause for cause in causes if cause.category == "auth")
    assert {name.rpartition("::")[2] for name in refused.entries} == {"test_auth__refused", "test_auth__read_after_it"}
    uploads = next(cause for cause in causes if "DESK_UPLOADS" in cause.statement)
    assert (uploads.blocks, uploads.downstream) == (2, 1)


SERVER_LOG = """INFO:     Started server process [7]
INFO:     127.0.0.1:5 - "GET /jobs HTTP/1.1" 500 Internal Server Error
ERROR:    Exception in ASGI application
Traceback (most recent call last):
  File "/srv/desk/jobs.py", line 12, in jobs
    return connection.execute("select * from jobs")
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
sqlite3.OperationalError: no such table: jobs
"""
CONSOLE = """============================= test session starts ==============================
collected 1 item
=================================== FAILURES ===================================
___________________________________ test_jobs __________________________________
tests/test_jobs.py:3: in test_jobs
    assert httpx.get(base + "/jobs").status_code == 200
E   assert 500 == 200
E    +  where 500 = <Response [500 Internal Server Error]>.status_code
=========================== short test summary info ============================
FAILED tests/test_jobs.py::test_jobs - assert 500 == 200
============================== 1 failed in 0.10s ===============================
"""


def test_a_servers_log_beside_the_report_is_read() -> None:
    """It adds no entry, and its one exception explains the bare 500; a fact cites the log by its name and line."""
    analysis = analyse_all([("console.txt", CONSOLE), ("server.log", SERVER_LOG)])
    assert [(cause.category, cause.blocks) for cause in analysis.causes] == [("database", 1)]
    assert ("server.log", 8) in {(fact.source, fact.line) for fact in analysis.causes[0].facts}
    assert analyse(CONSOLE).causes[0].category == "assertion"


def test_what_ended_a_thread_of_the_tests_explains_the_silence() -> None:
    """Told among the warnings: a server in a thread that never came up."""
    lib = "/srv/venv/lib/python3.12/site-packages/requests/adapters.py"
    error = "requests.exceptions.ConnectionError: HTTPConnectionPool(host='127.0.0.1', port=18951): Max retries exceeded: Connection refused"
    session = Session().fails("tests/test_s.py::test_s", *raised(lib, 9, "raise ConnectionError(", error))
    silent = session.explained()
    session.warnings = [
        "tests/test_s.py::test_s",
        "  /srv/x/threadexception.py:54: PytestUnhandledThreadExceptionWarning: Exception in thread Thread-2 (serve)",
        "  ",
        "  Traceback (most recent call last):",
        '    File "/srv/shop/server.py", line 3, in serve',
        "      dsn = os.environ['LEDGER_DSN']",
        '    File "<frozen os>", line 679, in __getitem__',
        "  KeyError: 'LEDGER_DSN'",
        "  ",
        "    warnings.warn(pytest.PytestUnhandledThreadExceptionWarning(msg))",
    ]
    assert [one.category for one in silent.causes] == ["services"]
    cause = only_cause(session.explained())
    assert (cause.category, cause.certainty, cause.subject) == ("environment", "probable", "LEDGER_DSN")


def test_of_several_exceptions_in_a_log_none_is_taken() -> None:
    """Nothing tells which of them belongs to the test."""
    other = SERVER_LOG.replace("no such table: jobs", "database is locked")
    analysis = analyse_all([("console.txt", CONSOLE), ("server.log", SERVER_LOG + other)])
    assert [cause.category for cause in analysis.causes] == ["assertion"]


def test_a_cancelled_job_names_the_test_that_was_running() -> None:
    """A log that says so; one that is only cut off claims nothing."""
    begun = CONSOLE.partition("===================================")[0]
    begun += "\ntests/test_a.py::test_a PASSED  [ 50%]\ntests/test_a.py::test_waits \n"
    stopped = analyse(begun + "##[error]The operation was canceled.\n").causes
    assert [(cause.rule, cause.certainty) for cause in stopped] == [("cancelled", "suspect")]
    assert "tests/test_a.py::test_waits" in stopped[0].statement
    assert analyse(begun).causes == ()


@pytest.mark.parametrize(
    "prefix", ["[2026-03-01T10:00:00.123Z] ", "10:00:00 ", "2026-03-01 10:00:00,123 ", "#12 3.456 "]
)
def test_a_collectors_stamps_are_no_part_of_the_report(prefix: str) -> None:
    """Also where a shell's own lines stand around it without one."""
    stamped = "+ pytest\n" + "".join(prefix + line + "\n" for line in CONSOLE.splitlines()) + "Finished: FAILURE\n"
    assert as_data(analyse(stamped))["totals"] == as_data(analyse(CONSOLE))["totals"]


def test_a_report_at_the_end_of_a_very_long_log_is_found() -> None:
    """Its lines keep their numbers."""
    before = 450_000
    analysis = analyse("a worker did something ordinary\n" * before + CONSOLE)
    assert analysis.run.totals.failures == 1
    assert analysis.causes[0].facts[0].line == before + 7
