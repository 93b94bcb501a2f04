"""A report that is not whole."""

import pytest

from quintet.triage import analyse, read
from triage.test_unittests import TWO
from triage.texts import Session, raised

pytestmark = pytest.mark.l1

# ruff: noqa: E501  # samples keep their own line lengths

_HOOK = (
    "Traceback (most recent call last):",
    '  File "/srv/app/conftest.py", line 6, in report',
    '    socket.create_connection(("127.0.0.1", 9))',
    '  File "/usr/lib/python3.12/socket.py", line 851, in create_connection',
    "    raise exceptions[0]",
    "ConnectionRefusedError: [Errno 111] Connection refused",
    "",
    "The above exception was the direct cause of the following exception:",
    "",
    "Traceback (most recent call last):",
    '  File "/srv/venv/lib/python3.12/site-packages/_pytest/main.py", line 333, in wrap_session',
    "    session.exitstatus = doit(config, session) or 0",
    '  File "/srv/app/conftest.py", line 8, in pytest_collection_modifyitems',
    '    raise RuntimeError("could not report") from e',
    "RuntimeError: could not report",
)
INTERNAL = (
    "===== test session starts =====\nplatform linux -- Python 3.12.1, pytest-8.4.0\ncollected 2 items\n"
    + "".join(f"INTERNALERROR> {line}\n" for line in _HOOK)
)
MIXED = (
    Session(passed=2)
    .cannot_collect("tests/test_c.py", "E   'slow' not found in `markers` configuration option")
    .breaks("tests/test_a.py::test_s", "file /srv/tests/test_a.py, line 1", "E   fixture 'basket' not found")
    .fails("tests/test_b.py::test_x", *raised("/srv/app/db.py", 3, "connect()", "ConnectionRefusedError: [Errno 111]"))
    .text
)
XML = (
    '<?xml version="1.0"?><testsuites><testsuite name="pytest" errors="1" failures="1" skipped="0" tests="3">\n'
    '<testcase classname="tests.test_a" name="test_ok" time="0.1" />\n'
    '<testcase classname="tests.test_a" name="test_x"><failure message="KeyError: \'a\'">tests/test_a.py:3: in test_x\nE   KeyError: \'a\'</failure></testcase>\n'
    '<testcase classname="" name="tests.test_b"><error message="collection failure">\'slow\' not found in `markers` configuration option</error></testcase>\n'
    "</testsuite></testsuites>\n"
)


def _proven(text: str) -> set[str]:
    return {cause.rule for cause in analyse(text).causes if cause.certainty == "proven"}


@pytest.mark.parametrize("whole", [MIXED, INTERNAL, TWO, XML], ids=["console", "internal error", "unittest", "xml"])
def test_no_cut_proves_what_the_whole_does_not(whole: str) -> None:
    """Cut off at its beginning, at its end or in its middle, at any line: nothing is proven that the whole report does not prove."""
    lines = whole.split("\n")
    proven = _proven(whole)
    for at in range(1, len(lines)):
        half = len(lines[at]) // 2
        for part in (
            "\n".join([*lines[:at], lines[at][:half]]),
            "\n".join([lines[at][half:], *lines[at + 1 :]]),
            "\n".join([*lines[: at // 2], *lines[at:]]),
        ):
            assert _proven(part) <= proven, part


def test_a_part_of_an_internal_error_names_no_cause_for_sure() -> None:
    """What stood before the cut may have been the cause: this is said to be a part."""
    part = INTERNAL.replace(
        INTERNAL[INTERNAL.index("INTERNALERROR>") : INTERNAL.index('INTERNALERROR>   File "/srv/venv')], ""
    )
    [cause] = analyse(part).causes
    assert cause.certainty == "suspect"
    assert "not whole" in cause.statement


def test_the_end_of_a_run_alone_does_not_prove_why_nothing_ran() -> None:
    """What ended it may stand above the cut; with its beginning the same line proves that nothing was found."""
    end = "===== no tests ran in 0.01s =====\n"
    assert _proven(end) == set()
    assert _proven(f"===== test session starts =====\ncollected 0 items\n\n{end}") == {"no-tests"}


def test_a_coverage_that_is_too_low_proves_nothing_without_the_last_line() -> None:
    """Tests that fail may stand where the text is cut off."""
    told = "FAIL Required test coverage of 90% not reached. Total coverage: 37.50%\n"
    assert _proven(f"collected 2 items\n\ntests/test_a.py ..   [100%]\n{told}") == set()


def test_a_part_of_an_xml_report_is_read() -> None:
    """Elements without their suite are entries; the gap is said, and the numbers are counted."""
    run = read(XML[XML.index('<testcase classname="tests.test_a" name="test_x"') :])
    assert (run.kind, run.totals.tests, run.totals.failures, run.totals.errors) == ("junit", 2, 1, 1)
    assert [entry.name for entry in run.entries] == ["tests/test_a.py::test_x", "tests.test_b"]
    assert any("part of an XML report" in gap for gap in run.gaps)
    assert read(XML[XML.index("test_x") :]).totals.errors == 1


@pytest.mark.parametrize(
    "line",
    [
        "ERROR: test_d (shop.tests.Keys.test_d)",
        "ERROR: Could not find a version that satisfies the requirement left-pad",
        "ERROR: docker image not found: shop/db:3",
        "__main__.py: error: unrecognized arguments: --fast",
    ],
)
def test_anybody_s_error_line_is_no_proof_that_pytest_refused(line: str) -> None:
    """Other programs write `ERROR:` too."""
    assert _proven(f"+ make ready\n{line}\n") == set()


def test_the_same_run_twice_is_told() -> None:
    """Two runs in one text: their numbers are added up, and that is said."""
    run = read(MIXED + MIXED)
    assert run.totals.failures == 2
    assert any("2 runs of pytest" in gap for gap in run.gaps)
