"""The report as people read it."""

import time

import pytest

from quintet.triage import SIZE_LIMIT, analyse, as_data, markdown, sections
from quintet.triage.reports.markdown import code
from triage.texts import Session, raised

pytestmark = pytest.mark.l1


def _broken(number: int) -> Session:
    session = Session()
    for at in range(number):
        word = "abcdefghij"[at % 10] * (1 + at % 37)
        session.fails(
            f"tests/test_{at % 40}.py::test_{at}",
            *raised(f"app/part_{at % 9}.py", at % 90 + 1, "go()", f'ValueError: {word} is `not` | "valid" \\ here'),
            "----- Captured log call -----",
            *["INFO     app.main:main.py:33 Something was done and is told at length"] * 20,
        )
    return session


def test_a_report_has_its_parts() -> None:
    """Summary in at most five lines, causes with evidence, whys, fix and check, plan, packages, measures, what is unknown."""
    session = Session(passed=2).breaks("tests/test_a.py::test_x", "E   fixture 'ledger' not found")
    text = markdown(session.explained())
    for part in (
        "# Failure analysis",
        "## Summary",
        "## Causes",
        "**Evidence**",
        "**Why**",
        "**Fix**",
        "**Check**",
        "## Plan",
        "## Who takes what",
        "## Done when",
    ):
        assert part in text
    summary = text.partition("## Summary\n\n")[2].partition("\n\n")[0]
    assert 2 <= len(summary.split("\n")) <= 5
    assert "**1 cause**" in summary


def test_the_pieces_are_the_report() -> None:
    """What is said section by section is the whole."""
    analysis = _broken(30).explained()
    assert "".join(sections(analysis)) == markdown(analysis)
    assert len(sections(analysis)) > 4


@pytest.mark.parametrize("number", [1, 60, 1100])
def test_never_more_than_the_limit(number: int) -> None:
    """32 KiB in UTF-8, and little enough to be carried as JSON; what did not fit is counted."""
    text = markdown(_broken(number).explained())
    assert len(text.encode()) <= SIZE_LIMIT
    assert "## Plan" in text


def test_very_long_words_do_not_break_the_limit() -> None:
    """Names and messages of any length and any script."""
    session = Session()
    for at in range(80):
        session.fails(f"tests/test_{'é' * 300}.py::test_{'語' * 200}_{at}", f"E   Error{at}Error: {'💥' * 700}{at}")
    assert len(markdown(session.explained()).encode()) <= SIZE_LIMIT


def test_eleven_hundred_failures_in_time() -> None:
    """At most ten seconds; it takes about one."""
    text = _broken(1100).text
    begin = time.perf_counter()
    analysis = analyse(text)
    as_data(analysis)
    markdown(analysis)
    assert time.perf_counter() - begin < 10
    assert analysis.run.totals.failures == 1100


@pytest.mark.parametrize(
    "unit",
    [
        "\n",
        " ",
        "_",
        "=",
        "E ",
        "password=",
        '"token": "',
        "://a:b",
        "x@",
        "FAILED a::b - ",
        "<testcase>",
        "((",
        "-----BEGIN PRIVATE KEY-----",
    ],
)
def test_hostile_text_takes_no_long_time(unit: str) -> None:
    """32 KiB of the worst for a pattern, alone and inside a failure, in well under a second each."""
    bulk = (unit * (32_768 // len(unit) + 1))[:32_768]
    begin = time.perf_counter()
    for text in (
        bulk,
        f"=== FAILURES ===\n___ t ___\nE   ValueError: {bulk}\n",
        "\n".join(f"E   {unit * 60}" for _ in range(300)),
    ):
        assert len(markdown(analyse(text)).encode()) <= SIZE_LIMIT
    assert time.perf_counter() - begin < 5


def test_the_same_text_gives_the_same_bytes() -> None:
    """Nothing depends on a clock, on chance or on the order of a set."""
    text = _broken(50).text
    assert markdown(analyse(text)) == markdown(analyse(text))
    assert as_data(analyse(text)) == as_data(analyse(text))


def test_words_of_the_input_cannot_format_the_report() -> None:
    """They stand in code that they cannot end; links, images and markup stay words."""
    evil = "</code><script>alert(1)</script> ![x](http://evil) `` ` ``` # heading"
    text = markdown(
        Session().fails("tests/test_a.py::test_x", f"E   ValueError: {evil}", "E   # not a heading").explained()
    )
    assert "\n# not a heading" not in text
    for line in text.split("\n"):
        if "<script>" in line:
            assert line.count("`") >= 2
    assert code("a `b` ``c``").startswith("```")


def test_no_report_says_what_to_paste() -> None:
    """Kindly."""
    text = markdown(analyse("hello there"))
    assert "pytest -ra" in text
    assert "Causes" not in text


def test_a_green_run_is_said_to_be_green() -> None:
    """No plan for nothing."""
    text = markdown(Session(passed=3).explained())
    assert "nothing to explain" in text
    assert "## Plan" not in text
