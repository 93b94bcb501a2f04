"""Runs in which pytest never began, or whose tests pass and which fail all the same, or that hold two runs that differ."""

import pytest

from quintet.triage import analyse
from triage.texts import Session, only_cause, raised

pytestmark = pytest.mark.l1

_BEGUN = "===== test session starts =====\nplatform linux -- Python 3.12.1, pytest-8.4.0\ncollected 2 items\n\n"
_GREEN = _BEGUN + "tests/test_a.py ..                        [100%]\n"


@pytest.mark.parametrize(
    ("line", "category", "rule"),
    [
        ("error: Failed to spawn: `pytest`", "dependencies", "pytest-absent"),
        ("Command not found: pytest", "dependencies", "pytest-absent"),
        ("nox > Program pytest not found.", "dependencies", "pytest-absent"),
        ("[PdmUsageError]: Command 'pytest' is not found in your PATH.", "dependencies", "pytest-absent"),
        ("error: No interpreter found for Python >=3.13 in search path", "environment", "interpreter-missing"),
        ("py313: skipped because could not find python interpreter with spec(s): py313", "environment", "interpreter-missing"),
        ("nox > Session tests-3.13 skipped: Python interpreter 3.13 not found.", "environment", "interpreter-missing"),
        ("ERROR: No matching distribution found for ledger-kit==9.9", "dependencies", "installation-failed"),
        ("  × No solution found when resolving dependencies:", "dependencies", "installation-failed"),
        ("Because shop depends on ledger-kit (^9) which doesn't match any versions, version solving failed.", "dependencies", "installation-failed"),
        ("py312: failed with pytest is not allowed, use allowlist_externals to allow it", "markers-config", "command-refused"),
    ],
)  # fmt: skip
def test_why_pytest_never_began(line: str, category: str, rule: str) -> None:
    """The words of what should have started it, also with a CI service's own below them."""
    cause = only_cause(analyse(f"$ make test\n{line}\nERROR: Job failed: exit code 2\n"))
    assert (cause.category, cause.rule) == (category, rule)
    assert only_cause(analyse(f"{line}\nERROR: that was all\n")).rule == rule, "more words of the same complaint"
    assert analyse(f"{line}\n{Session(passed=2).text}").causes == (), "tests ran after it: it ended nothing"


@pytest.mark.parametrize(
    "line", ["ERROR: Job failed: exit code 2", "ERROR: Process completed with exit code 1", "error: something"]
)
def test_the_last_words_of_any_job_are_no_cause(line: str) -> None:
    """A CI service says that the job failed, not why."""
    assert analyse(f"+ make ready\nready\n{line}\n").causes == ()


def test_a_coverage_that_is_too_low_is_the_cause_of_a_green_run_that_fails() -> None:
    """And beside tests that fail it is none: they are why less is covered."""
    told = "===== tests coverage =====\nTOTAL  8  5  38%\nFAIL Required test coverage of 90% not reached. Total coverage: 37.50%\n"
    cause = only_cause(analyse(f"{_GREEN}\n{told}===== 2 passed in 0.16s =====\n"))
    assert (cause.rule, cause.certainty) == ("coverage-below", "proven")
    red = Session().fails("tests/test_a.py::test_x", "E   assert 1 == 2").text
    assert [one.category for one in analyse(red.replace("===== short", f"{told}===== short")).causes] == ["assertion"]


def test_a_crash_in_the_middle_of_a_line_names_the_test_and_the_line() -> None:
    """The interpreter writes where pytest has stopped writing; of the stacks the crashed thread's counts."""
    crash = (
        "tests/test_n.py::test_sum Fatal Python error: Segmentation fault\n\n"
        'Thread 0x01 (most recent call first):\n  File "/usr/lib/python3.12/socket.py", line 294 in accept\n\n'
        'Current thread 0x02 (most recent call first):\n  File "/usr/lib/python3.12/ctypes/__init__.py", line 519 in string_at\n'
        '  File "/srv/shop/native.py", line 2 in checksum\n  File "/srv/shop/tests/test_n.py", line 3 in test_sum\n'
    )
    cause = only_cause(analyse(_BEGUN + "tests/test_n.py::test_ok PASSED   [ 33%]\n" + crash))
    assert (cause.category, cause.certainty, cause.entries) == ("resources", "probable", ("tests/test_n.py::test_sum",))
    assert "Segmentation fault" in cause.statement
    assert "/srv/shop/native.py:2" in cause.fix


def test_a_time_limit_that_ends_the_run_names_the_test_and_the_line_that_waits() -> None:
    """pytest-timeout's thread method leaves stacks and no report; the main thread's is the test's."""
    stacks = (
        "tests/test_w.py .+++++++++++ Timeout +++++++++++\n"
        '~~~~ Stack of Thread-1 (run) (13) ~~~~\n  File "/usr/lib/python3.12/socket.py", line 294, in accept\n    fd = self._accept()\n'
        '~~~~ Stack of MainThread (17) ~~~~\n  File "/srv/shop/tests/test_w.py", line 3, in test_take\n    work.take()\n'
        '  File "/srv/shop/work.py", line 3, in take\n    return q.get()\n  File "/usr/lib/python3.12/queue.py", line 171, in get\n'
        "    self.not_empty.wait()\n+++++++++++ Timeout +++++++++++\n"
    )
    cause = only_cause(analyse(_BEGUN + stacks))
    assert (cause.category, cause.certainty, cause.entries) == ("async", "probable", ("tests/test_w.py::test_take",))
    assert "/srv/shop/work.py:3" in cause.fix


def test_a_kill_is_told_from_a_time_limit() -> None:
    """Memory is the first thought where the system killed, waiting where the job was cancelled."""
    begun = _BEGUN + "tests/test_a.py::test_a PASSED  [ 50%]\ntests/test_a.py::test_big "
    for words, rule in (
        ("make: *** [Makefile:2: test] Killed", "killed"),
        ("\n##[error]The operation was canceled.", "cancelled"),
    ):
        assert only_cause(analyse(f"{begun}{words}\n")).rule == rule


def test_evidence_of_a_cancelled_run_is_the_log_s_own_line() -> None:
    """Nothing is added to what is quoted."""
    line = "##[error]The operation was canceled."
    text = _BEGUN + f"tests/test_a.py::test_waits \n{line}\n"
    facts = only_cause(analyse(text)).facts
    assert [fact.excerpt for fact in facts] == [line]


def test_a_test_that_passes_in_another_run_of_the_text_is_no_plain_failure() -> None:
    """Two runs in one log; what differs between them is not known, so it is a suspicion. One run alone says nothing of the kind."""
    red = (
        Session()
        .fails("tests/test_a.py::test_x", "E   AssertionError: assert 'live' == 'test'")
        .fails("tests/test_a.py::test_y", "E   AssertionError: assert 'live' in 'test'")
    )
    cause = only_cause(analyse(f"{_GREEN}\n===== 2 passed in 0.02s =====\n{red.text}"))
    assert (cause.category, cause.certainty, cause.blocks) == ("isolation", "suspect", 2)
    assert any(fact.kind == "passed" for fact in cause.facts)
    assert {one.category for one in analyse(red.text).causes} == {"assertion"}
    twice = analyse(red.text + red.text).causes
    assert {one.category for one in twice} == {"assertion"}, "it fails in both"


def test_an_answer_of_400_takes_its_logged_reason() -> None:
    """A host that the settings do not allow is refused before any route's code."""
    lines = (
        "tests/test_a.py:6: in test_x",
        "    assert r.status_code == 200",
        "E   AssertionError: assert 400 == 200",
        "----------------------------- Captured log call -----------------------------",
        "ERROR    django.security.DisallowedHost:log.py:1 Invalid HTTP_HOST header: 'shop.test'. You may need to add 'shop.test' to ALLOWED_HOSTS.",
    )
    cause = only_cause(Session().fails("tests/test_a.py::test_x", *lines).explained())
    assert (cause.category, cause.subject) == ("environment", "shop.test")


def test_a_hook_of_the_project_that_fails_is_named_with_its_line() -> None:
    """One of a plugin's is named by the plugin."""
    lines = ("Traceback (most recent call last):", "  File {file}, in hook", "    x()", "ValueError: no")
    told = "".join(f"INTERNALERROR> {line}\n" for line in lines)
    own = only_cause(analyse(told.format(file='"/srv/shop/conftest.py", line 3')))
    assert (own.rule, own.certainty) == ("hook-fails", "probable")
    assert "/srv/shop/conftest.py:3" in own.fix
    plugin = only_cause(
        analyse(told.format(file='"/venv/lib/python3.12/site-packages/pytest_ledger/plugin.py", line 9'))
    )
    assert (plugin.rule, plugin.subject) == ("internal-error", "pytest_ledger")


def test_an_address_with_tls_trouble_is_not_one_where_nothing_listens() -> None:
    """The client's words begin alike."""
    error = "aiohttp.ClientConnectorSSLError: Cannot connect to host 127.0.0.1:8001 ssl:default [[SSL: SSLV3_ALERT] alert (_ssl.c:1006)]"
    lib = "/srv/venv/lib/python3.12/site-packages/aiohttp/connector.py"
    cause = only_cause(Session().fails("tests/test_a.py::test_x", *raised(lib, 9, "raise", error)).explained())
    assert "Nothing listens" not in cause.statement


def test_a_fixture_that_ends_the_run_for_want_of_a_service_is_about_the_service() -> None:
    """`pytest.exit` with other words only says that the project ended the run."""
    exits = "!!!!!!! _pytest.outcomes.Exit: {} !!!!!!!\n===== no tests ran in 0.02s =====\n"
    about = {
        words: only_cause(analyse(_BEGUN + exits.format(words))).category
        for words in ("broker not reachable at 127.0.0.1:1", "not on a Sunday")
    }
    assert list(about.values()) == ["services", "markers-config"]
