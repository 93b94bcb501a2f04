"""Reading what pytest prints."""

import pytest

from quintet.triage import analyse, decode, read
from triage.texts import Session, raised

pytestmark = pytest.mark.l1

# ruff: noqa: E501  # samples keep their own line lengths


def test_the_numbers_are_those_of_the_last_line() -> None:
    """Totals are pytest's own; `tests` is what it collected."""
    session = Session(passed=3).fails(
        "tests/test_a.py::test_x", *raised("tests/test_a.py", 3, "assert 1 == 2", "assert 1 == 2")
    )
    totals = read(session.text).totals
    assert (totals.tests, totals.passed, totals.failures, totals.errors, totals.skipped) == (4, 3, 1, 0, 0)


@pytest.mark.parametrize(
    ("last", "want"),
    [
        ("=== 1 failed, 2 passed, 3 skipped, 1 xfailed in 0.50s ===", (7, 2, 1, 0, 3)),
        ("2 passed, 1 warning in 0.01s", (2, 2, 0, 0, 0)),
        ("=== 2 errors in 61.20s (0:01:01) ===", (2, 0, 0, 2, 0)),
        ("=== no tests ran in 0.01s ===", (0, 0, 0, 0, 0)),
        ("==== 1 failed, 4 passed, 1 rerun in 9.01 seconds ====", (5, 4, 1, 0, 0)),
    ],
)
def test_every_form_of_the_last_line(last: str, want: tuple[int, ...]) -> None:
    """With and without frame, with hours, of old and new versions."""
    totals = read(f"..F  [100%]\n{last}\n").totals
    assert (totals.tests, totals.passed, totals.failures, totals.errors, totals.skipped) == want


def test_blocks_get_the_node_ids_of_the_short_summary() -> None:
    """An entry has pytest's own name, also with ` - ` in a parameter and with equal names in two files."""
    session = Session()
    for file in ("tests/test_a.py", "tests/test_b.py"):
        session.fails(f"{file}::TestX::test_y[a - b]", *raised(file, 3, "assert 0", "assert 0"))
    session.summary[0] += " - assert 0"
    run = read(session.text)
    assert [entry.name for entry in run.entries] == [
        "tests/test_a.py::TestX::test_y[a - b]",
        "tests/test_b.py::TestX::test_y[a - b]",
    ]
    assert [entry.last.frames[0].path for entry in run.entries] == ["tests/test_a.py", "tests/test_b.py"]


def test_phases() -> None:
    """Collection, setup, call and teardown are told apart."""
    session = Session().cannot_collect("tests/test_c.py", "E   ModuleNotFoundError: No module named 'nope'")
    session.breaks("tests/test_a.py::test_s", "E   ValueError: s").breaks(
        "tests/test_a.py::test_t", "E   ValueError: t", phase="teardown of"
    )
    session.fails("tests/test_a.py::test_t", "E   ValueError: c")
    assert {entry.name: [] for entry in read(session.text).entries}.keys() == {
        "tests/test_c.py",
        "tests/test_a.py::test_s",
        "tests/test_a.py::test_t",
    }
    assert sorted(entry.phase for entry in read(session.text).entries) == ["call", "collect", "setup", "teardown"]


LONG = """\
=================================== FAILURES ===================================
__________________________________ test_chain __________________________________

    def test_chain():
        try:
>           int("a")
E           ValueError: invalid literal for int() with base 10: 'a'

tests/test_a.py:6: ValueError

The above exception was the direct cause of the following exception:

    def test_chain():
        try:
            int("a")
        except ValueError as e:
>           raise RuntimeError("wrapped") from e
E           RuntimeError: wrapped

tests/test_a.py:8: RuntimeError
=========================== short test summary info ============================
FAILED tests/test_a.py::test_chain - RuntimeError: wrapped
1 failed in 0.02s
"""


def test_a_chain_of_exceptions_in_long_style() -> None:
    """The first exception comes first, the reported one last, each with its frame and the line of the report."""
    [entry] = read(LONG).entries
    assert [(one.exception, one.message) for one in entry.chain] == [
        ("ValueError", "invalid literal for int() with base 10: 'a'"),
        ("RuntimeError", "wrapped"),
    ]
    assert [one.frames[0].line for one in entry.chain] == [6, 8]
    assert LONG.split("\n")[entry.chain[0].at - 1].endswith("base 10: 'a'")


NATIVE = """\
=== FAILURES ===
___ test_n ___
Traceback (most recent call last):
  File "/srv/app/tests/test_n.py", line 4, in test_n
    go()
  File "/srv/app/core.py", line 9, in go
    raise LookupError("lost")
LookupError: lost
=== 1 failed in 0.02s ===
"""


def test_native_tracebacks() -> None:
    """`--tb=native` has no E lines."""
    [entry] = read(NATIVE).entries
    assert (entry.last.exception, entry.last.message) == ("LookupError", "lost")
    assert [frame.place for frame in entry.last.frames] == ["test", "product"]


def test_line_style_and_no_traceback_at_all() -> None:
    """`--tb=line` and `--tb=no` give names and messages."""
    line = "=== FAILURES ===\n/srv/tests/test_a.py:14: KeyError: 'x'\n/srv/tests/test_a.py:19: assert 1 == 2\n"
    summary = "=== short test summary info ===\nFAILED tests/test_a.py::test_k - KeyError: 'x'\nFAILED tests/test_a.py::test_o - assert 1 == 2\n"
    for text in (line + summary, summary):
        run = read(text + "=== 2 failed in 0.02s ===\n")
        assert [(entry.name, entry.last.exception) for entry in run.entries] == [
            ("tests/test_a.py::test_k", "KeyError"),
            ("tests/test_a.py::test_o", "AssertionError"),
        ]
    assert any("No tracebacks" in gap for gap in read(summary + "=== 2 failed in 0.02s ===\n").gaps)


def test_exception_groups() -> None:
    """The exception inside the group is the one that counts."""
    block = [
        "  + Exception Group Traceback (most recent call last):",
        '  |   File "/srv/lib/python3.12/site-packages/anyio/_backends/_asyncio.py", line 9, in __aexit__',
        "  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)",
        "  +-+---------------- 1 ----------------",
        "    | Traceback (most recent call last):",
        '    |   File "/srv/app/limit.py", line 5, in check',
        "    |     request.client.host",
        "    | AttributeError: 'NoneType' object has no attribute 'host'",
    ]
    [entry] = read(Session().fails("tests/test_a.py::test_g", *block).text).entries
    assert "AttributeError" in {one.name for one in entry.chain} | {entry.last.name}


def test_captured_output_is_not_read_as_a_failure() -> None:
    """A whole pytest run printed by the program under test adds no entry and no number."""
    inner = (
        Session(passed=9).fails("x.py::test_inner", "E   ConnectionRefusedError: [Errno 111] Connection refused").text
    )
    outer = Session().fails(
        "tests/test_a.py::test_x",
        "E   assert 1 == 2",
        "----- Captured stdout call -----",
        *inner.split("\n"),
        "E   ValueError: logged",
    )
    run = read(outer.text)
    assert [entry.name for entry in run.entries] == ["tests/test_a.py::test_x"]
    assert run.entries[0].last.message == "assert 1 == 2"
    assert run.totals.passed == 0


def test_a_cut_off_session_is_counted_and_said() -> None:
    """Without the last line what is there is counted, and the gap is told."""
    text = Session(passed=2).fails("tests/test_a.py::test_x", "E   assert 1 == 2").text
    cut = text[: text.index("===== short")].replace(
        "collected 3 items", "collected 3 items\n\ntests/test_a.py ..F   [100%]"
    )
    run = read(cut)
    assert (run.totals.tests, run.totals.passed, run.totals.failures) == (3, 2, 1)
    assert any("last line" in gap for gap in run.gaps)
    verbose = "test_a.py::test_one PASSED   [ 50%]\ntest_a.py::test_two FAILED   [100%]\n"
    assert [entry.name for entry in read(verbose).entries] == ["test_a.py::test_two"]


def test_colours_log_prefixes_and_windows_encodings_change_nothing() -> None:
    """ANSI colours, CRLF, a log collector's time stamps, a code block's indentation, UTF-16 with a stray byte: the same entries."""
    plain = (
        Session(passed=1).fails("tests/test_a.py::test_x", *raised("tests/test_a.py", 3, "f()", "ValueError: x")).text
    )
    want = [(entry.name, entry.last.exception, entry.last.at) for entry in read(plain).entries]
    lines = plain.rstrip("\n").split("\n")
    variants = [
        "\n".join(f"\x1b[31m\x1b[1m{line}\x1b[0m" if line else line for line in lines),
        plain.replace("\n", "\r\n"),
        "\n".join(f"2025-01-02T03:04:05.1234567Z {line}" for line in lines),
        "\n".join(f"    {line}" for line in lines),
        "\n".join(f"> {line}" for line in lines),
        decode(b"\xff\xfe" + plain.encode("utf-16-le") + b"\n"),
        decode(plain.encode("utf-16-be")),
        decode(b"\xef\xbb\xbf" + plain.encode()),
    ]
    for variant in variants:
        assert [(entry.name, entry.last.exception, entry.last.at) for entry in read(variant).entries] == want, variant[
            :200
        ]


@pytest.mark.parametrize(
    "text", ["", "hello", "Please help me with my tests, they fail with 401", "\x00\x01", "x" * 5000, "a\n" * 9000]
)
def test_text_that_is_no_report_is_told_so(text: str) -> None:
    """Kindly, with what to paste instead, and without a claim."""
    analysis = analyse(text)
    assert analysis.run.kind == "nothing"
    assert not analysis.causes


def test_a_lone_traceback_is_explained_carefully() -> None:
    """It has no totals; nothing about it is proven."""
    text = "Traceback (most recent call last):\n  File \"/srv/app/main.py\", line 3, in <module>\n    import nope\nModuleNotFoundError: No module named 'nope'\n"
    analysis = analyse(text)
    assert (analysis.run.kind, analysis.run.totals.tests) == ("traceback", 0)
    assert [cause.category for cause in analysis.causes] == ["dependencies"]
    assert all(cause.certainty != "proven" for cause in analysis.causes)


@pytest.mark.parametrize(
    ("text", "category", "word"),
    [
        (
            "ERROR: usage: pytest [options] [file_or_dir]\npytest: error: unrecognized arguments: --cov=app\n  inifile: /a/pytest.ini\n",
            "markers-config",
            "--cov",
        ),
        ("ERROR: /a/pytest.ini:3: duplicate name 'markers'\n", "markers-config", "duplicate name"),
        (
            "ERROR: file or directory not found: tests/nowhere\n\n=== no tests ran in 0.01s ===\n",
            "markers-config",
            "tests/nowhere",
        ),
        (
            "=== test session starts ===\ncollected 0 items\n\n=== no tests ran in 0.01s ===\n",
            "markers-config",
            "no tests",
        ),
        ("bash: pytest: command not found\n", "dependencies", "not installed"),
        ("/usr/bin/python: No module named pytest\n", "dependencies", "not installed"),
        (
            "ImportError while loading conftest '/a/conftest.py'.\nconftest.py:1: in <module>\n    import nope\nE   ModuleNotFoundError: No module named 'nope'\n",
            "dependencies",
            "nope",
        ),
        (
            'INTERNALERROR> Traceback (most recent call last):\nINTERNALERROR>   File "/a/conftest.py", line 1, in pytest_collection_modifyitems\n'
            "INTERNALERROR>     1/0\nINTERNALERROR> ZeroDivisionError: division by zero\n",
            "markers-config",
            "hook",
        ),
    ],
)
def test_runs_that_end_before_their_tests(text: str, category: str, word: str) -> None:
    """What JUnit has no place for: one entry of phase `session`, and its cause."""
    analysis = analyse(text)
    assert [entry.phase for entry in analysis.run.entries] == ["session"]
    assert analysis.causes[0].category == category
    assert word in analysis.causes[0].statement


def test_what_pytest_says_about_fixtures_is_no_line_of_the_project() -> None:
    """It marks its own advice as it marks the line that fails."""
    lines = (
        "file /srv/tests/test_a.py, line 3",
        "  def test_x(ledger): pass",
        "E       fixture 'ledger' not found",
        ">       available fixtures: cache, capsys",
        ">       use 'pytest --fixtures [testpath]' for help on them.",
        "",
        "/srv/tests/test_a.py:3",
    )
    [entry] = read(Session().breaks("tests/test_a.py::test_x", *lines).text).entries
    assert [(frame.line, frame.code) for frame in entry.last.frames] == [(3, "")]


def test_two_sessions_in_one_text_are_added_up() -> None:
    """As from a job that runs pytest twice."""
    first = Session(passed=1).fails("tests/test_a.py::test_x", "E   ValueError: x").text
    second = Session(passed=2).fails("tests/test_b.py::test_y", "E   ValueError: y").text
    run = read(first + second)
    assert (run.totals.tests, run.totals.passed, run.totals.failures) == (5, 3, 2)
    assert [entry.name for entry in run.entries] == ["tests/test_a.py::test_x", "tests/test_b.py::test_y"]


def test_no_entry_beyond_what_pytest_counts() -> None:
    """A summary that tells of more than the last line counts (a rerun's, a quoted one) adds nothing."""
    session = Session().fails("tests/test_a.py::test_x", "E   ValueError: x")
    session.summary.append("FAILED tests/test_b.py::test_quoted - ValueError: y")
    assert [entry.name for entry in read(session.text).entries] == ["tests/test_a.py::test_x"]


def test_a_text_that_begins_in_the_middle_of_a_run() -> None:
    """A log that keeps only its end: the failures after the cut are read with their tracebacks, the others by name."""
    session = Session()
    for name in ("lost", "cut", "whole"):
        session.fails(f"tests/test_a.py::test_{name}", *raised("app/x.py", 3, "go()", f"ValueError: {name}"))
    text = session.text[session.text.index("ValueError: cut") :]
    run = read(text)
    assert [entry.name.rpartition("_")[2] for entry in run.entries if entry.last.frames] == ["whole"]
    assert sorted(entry.name.rpartition("_")[2] for entry in run.entries) == ["cut", "lost", "whole"]
    assert run.totals.failures == 3
