"""Reading JUnit XML."""

import pytest

from quintet.triage import analyse, read

pytestmark = pytest.mark.l1

# ruff: noqa: E501  # samples keep their own line lengths

SUITE = """<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4" time="1">
<testcase classname="tests.unit.test_a.TestA" name="test_ok" time="0.1" />
<testcase classname="tests.unit.test_a.TestA" name="test_bad" time="0.1"><failure message="AssertionError: assert 1 == 2">tests/unit/test_a.py:4: in test_bad
    assert one() == 2
E   assert 1 == 2</failure></testcase>
<testcase classname="tests.test_b" name="test_skip"><skipped message="no">why</skipped></testcase>
<testcase classname="tests.test_b" name="test_fix"><error message="failed on setup with &quot;file /srv/tests/test_b.py, line 3&quot;">file /srv/tests/test_b.py, line 3
  def test_fix(nowhere):
E       fixture 'nowhere' not found
&gt;       available fixtures: cache</error></testcase>
</testsuite></testsuites>"""


def test_totals_names_and_lines() -> None:
    """The numbers of the file; names as pytest writes them; the line of the file."""
    run = read(SUITE)
    totals = run.totals
    assert (totals.tests, totals.passed, totals.failures, totals.errors, totals.skipped) == (4, 1, 1, 1, 1)
    assert [(entry.name, entry.phase) for entry in run.entries] == [
        ("tests/unit/test_a.py::TestA::test_bad", "call"),
        ("tests/test_b.py::test_fix", "setup"),
    ]
    assert SUITE.split("\n")[run.entries[0].last.at - 1].startswith("E   assert 1 == 2")


def test_words_before_the_document_do_not_hide_it() -> None:
    """As when a person pastes it with a question."""
    assert read("My tests fail, here is the file:\n\n" + SUITE).totals.tests == 4


def test_several_errors_in_one_element_are_several_entries() -> None:
    """Each worker of a distributed run reports the same module once more; the file counts them all."""
    error = "<error message=\"collection failure\">'slowish' not found in `markers` configuration option</error>"
    text = f'<testsuites><testsuite errors="3" failures="0" skipped="0" tests="3"><testcase classname="" name="tests.test_x">{error * 3}</testcase></testsuite></testsuites>'
    analysis = analyse(text)
    assert (len(analysis.run.entries), analysis.run.totals.errors) == (3, 3)
    assert (analysis.causes[0].category, analysis.causes[0].certainty, analysis.causes[0].blocks) == (
        "markers-config",
        "proven",
        3,
    )


@pytest.mark.parametrize("cut", [400, 600, 800])
def test_a_document_that_ends_too_early(cut: int) -> None:
    """What stands before the cut is read, and the gap is told."""
    run = read(SUITE[:cut])
    assert run.kind == "junit"
    assert any("XML" in gap for gap in run.gaps)
    assert run.totals.tests == 4


def test_a_document_type_is_never_read() -> None:
    """No entity is defined, so none can grow or name a file; one that is used ends the reading."""
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    declared = SUITE.replace("<testsuites>", bomb + "<testsuites>")
    assert read(declared).totals.tests == 4
    for entity in ("&f;", "&b;"):
        run = read(declared.replace("AssertionError: ", entity))
        assert run.gaps
        assert not any("root:" in entry.last.message or "aaaaaaaaaaaa" in entry.last.message for entry in run.entries)


def test_a_secret_in_the_xml_is_masked() -> None:
    """Also where XML writes quotes as entities."""
    leak = SUITE.replace("assert one() == 2", "login(password=&quot;hunter2hunter2&quot;)")
    assert "hunter2" not in repr(read(leak))


def test_other_runners_write_errors_of_calls() -> None:
    """In unittest's XML an error is any exception of a test; its class stands in an attribute, and nothing says that a fixture failed."""
    error = '<testcase classname="shop.tests.CartTest" name="test_add"><error type="KeyError" message="\'rows\'">Traceback (most recent call last):\n  File "/srv/shop/cart.py", line 3, in add\n    rows["rows"]\nKeyError: \'rows\'</error></testcase>'
    text = f'<testsuites tests="2" failures="0" errors="1"><testsuite name="shop.tests.CartTest" tests="2" failures="0" errors="1" skip="0">{error}<testcase classname="shop.tests.CartTest" name="test_ok"/></testsuite></testsuites>'
    analysis = analyse(text)
    [entry] = analysis.run.entries
    assert (entry.phase, entry.last.exception, analysis.run.totals.tests) == ("call", "KeyError", 2)
    assert [cause.category for cause in analysis.causes] == ["assertion"]


def test_a_class_of_any_name_is_no_folder() -> None:
    """`tests.test_cart.CartCase` is a class in a module, also for unittest."""
    case = '<testcase classname="tests.test_cart.CartCase" name="test_add"><failure message="x">E   assert 0</failure></testcase>'
    text = f'<testsuites><testsuite tests="1" failures="1" errors="0" skipped="0">{case}</testsuite></testsuites>'
    assert read(text).entries[0].name == "tests/test_cart.py::CartCase::test_add"
