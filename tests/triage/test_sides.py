"""What the two sides of an assertion tell, what a cookie's attributes tell, and what another runner says."""

import pytest

from quintet.triage import analyse, analyse_all
from quintet.triage.comparing.cookies import said_of_cookie
from quintet.triage.masking import mask
from quintet.triage.model import Cause
from triage.texts import Session, only_cause, raised

pytestmark = pytest.mark.l1

_LOG = "---- Captured stdout setup ----"


def _cause(failure: str, code: str, *printed: str, test: str = "test_it") -> Cause:
    block = raised("tests/test_it.py", 9, code, failure)
    return only_cause(Session().fails(f"tests/test_it.py::{test}", *block, *printed).explained())


@pytest.mark.parametrize(
    ("shown", "code", "said"),
    [
        ("['a', 'b', 'c'] == ['b', 'a', 'c']", "types == ['b', 'a', 'c']", "the same things in another order"),
        (
            "['presence', ...ory', 'on'] == ['history', '...nce', 'on']",
            "types == x",
            "the same things in another order",
        ),
        ("'7' == 7", "user.id == 7", "the same but for their kind: `str` and `int`"),
        ("'Ada' == 'ada'", "name() == 'ada'", "upper and lower case"),
        ("'on\\n' == 'on'", "read() == 'on'", "white space"),
        ("None == 3", "add(1, 2) == 3", "gives nothing"),
        ("[] == ['a']", "seen == ['a']", "One side is empty"),
        ("['a', 'a'] == ['a']", "seen == ['a']", "stands 2 times"),
        ("['a'] == ['a', 'b']", "seen == ['a', 'b']", "Only the right has `'b'`"),
        ("3 == 4", "total() == 4", "The test expects `4`, and the product gives `3`"),
        ("4 == 3", "4 == total()", "The test expects `4`, and the product gives `3`"),
    ],
)
def test_the_two_sides_of_an_assertion_are_compared(shown: str, code: str, said: str) -> None:
    """Order, kind, spelling, doubles and which side is the test's are told; it stays a plain failure of which nothing is known."""
    cause = _cause(f"assert {shown}", f"assert {code}")
    assert said in cause.statement
    assert (cause.category, cause.certainty) == ("assertion", "unknown")


@pytest.mark.parametrize(
    ("shown", "code"),
    [
        ("['a', 'b'] == ['c', 'd']", "one() == two()"),
        ("['a...', 'b'] == ['c...', 'b']", "one() == two()"),
        ("(2 * 2) == 5", "2 * 2 == 5"),
        ("1 == 2", "one() == two()"),
    ],
)
def test_nothing_is_told_that_the_sides_do_not_show(shown: str, code: str) -> None:
    """Two different values stay two different values, and of two expressions neither is the expectation."""
    assert _cause(f"assert {shown}", f"assert {code}").statement.endswith(
        "no common cause with other entries was found."
    )


def test_a_cookie_that_cannot_come_back_is_told_and_its_value_is_not() -> None:
    """A printed `Set-Cookie` beside a missing session: its domain is the reason, its value stays a secret."""
    line = "login: 200 set-cookie: session=s3cr3t-value; Domain=desk.example.com; HttpOnly; Path=/"
    failure = 'AssertionError: {"detail":"no session"}\nE   assert 401 == 200'
    cause = _cause(failure, "assert answer.status_code == 200, answer.text", _LOG, line)
    assert cause.rule == "no-session" and "meant for `desk.example.com`" in cause.statement
    assert "s3cr3t" not in f"{cause.statement}{cause.facts}"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("set-cookie: a=b; Secure; Path=/", "`Secure`"),
        ("Set-Cookie: a=b; Path=/api", "`/api`"),
        ("set-cookie: a=b; Domain=localhost; HttpOnly", ""),
        ("cookie: a=b; Secure", ""),
    ],
)
def test_only_the_attribute_that_keeps_a_cookie_back_is_told(line: str, said: str) -> None:
    """What a browser would send back gives no reason, and only the header that sets a cookie is read."""
    told = said_of_cookie(mask(line))
    assert (said in told) if said else not told


@pytest.mark.parametrize(
    ("failure", "code", "test", "rule"),
    [
        ("IndexError: list index out of range", "assert received[0]['name'] == 'a'", "test_it", "nothing-received"),
        ("IndexError: list index out of range", "assert rows[0]['name'] == 'a'", "test_it", "plain"),
        ("RuntimeError: no running event loop", "await Worker().run()", "test_it[trio]", "asyncio-under-trio"),
        ("RuntimeError: no running event loop", "await Worker().run()", "test_it[asyncio]", "no-loop"),
        (
            "mismatching_state.MismatchingStateError: mismatching_state: CSRF Warning!",
            "await callback()",
            "test_it",
            "state-lost",
        ),
        ("ValueError: hash could not be identified", "log_in('ada')", "test_it", "plain"),
    ],
)
def test_what_the_line_and_the_name_of_the_test_add(failure: str, code: str, test: str, rule: str) -> None:
    """An empty list of events, a backend in the name of the test, a state that was lost: the same words elsewhere mean nothing."""
    assert _cause(failure, code, test=test).rule == rule


_GREEN = "===== test session starts =====\ncollected 2 items\n\ntests/test_a.py ..   [100%]\n\n===== 2 passed in 0.10s =====\n"


@pytest.mark.parametrize(
    ("line", "error"),
    [("not ok 1 - gets hello", "  error: 'closed 4401'"), ("  ✕ gets hello (51 ms)", "    Error: closed 4401"), ("--- FAIL: TestHello (0.00s)", "")],
)  # fmt: skip
def test_a_failure_of_another_runner_is_seen_beside_a_green_pytest(line: str, error: str) -> None:
    """The job failed and pytest did not: the line of the other runner is cited, with its error; beside a pytest that fails it is left."""
    analysis = analyse(f"{_GREEN}{line}\n{error}\nmake: *** [test] Error 1\n")
    cause = only_cause(analysis)
    assert not any("could not be collected" in words for words in analysis.unknown), "pytest collected all of its own"
    assert cause.rule == "other-runner" and line.strip() in cause.statement
    assert not error or "closed 4401" in cause.statement
    failing = Session().fails(
        "tests/test_it.py::test_it", *raised("tests/test_it.py", 9, "assert x == 3", "assert 4 == 3")
    )
    assert only_cause(analyse(f"{failing.text}\n{line}\n{error}\n")).rule == "plain"


def test_a_run_that_make_ended_for_its_time_names_the_test_that_was_running() -> None:
    """`timeout` leaves nothing but its exit code in the last line of `make`."""
    text = "===== test session starts =====\ncollected 2 items\n\ntests/test_p.py::test_a PASSED  [ 50%]\ntests/test_p.py::test_b \n"
    cause = only_cause(analyse(f"{text}make: *** [Makefile:12: test] Error 124\n"))
    assert (cause.rule, cause.subject) == ("cancelled", "tests/test_p.py::test_b")


@pytest.mark.parametrize(
    ("counts", "want", "letter", "grows"),
    [
        ((9, 18), 3, "", True),
        ((4, 5, 7), 3, "a", True),
        ((4, 5, 7), 3, "", False),
        ((9, 18), 20, "", False),
        ((18, 9), 3, "", False),
        ((9,), 3, "", False),
    ],
)
def test_a_count_that_grows_from_test_to_test_is_what_earlier_tests_left(
    counts: tuple[int, ...], want: int, letter: str, grows: bool
) -> None:
    """One line counts more with every test; fewer than expected, without growth, or with the number that is the test's parameter, it stays a
    plain failure."""
    run = Session()
    for number, count in enumerate(counts):
        block = raised("tests/test_it.py", 9, f"assert len(seen) == {want}", f"assert {count} == {want}")
        run.fails(f"tests/test_it.py::test_it[{letter * number or number}]", *block)
    causes = run.explained().causes
    assert [cause.rule for cause in causes][:1] == (["grows-from-test-to-test"] if grows else [causes[0].rule])
    assert grows == (causes[0].category == "isolation")


@pytest.mark.parametrize(
    ("failure", "code", "rule", "words"),
    [
        ("AssertionError: {'type': 'error', 'detail': 'data: Field required'}\nE   assert 'error' == 'agent_started'", "assert e['type'] == x",
         "error-instead", "The answer says: `data: Field required`"),
        ("AssertionError: assert 'error' == 'agent_started'", "assert e['type'] == 'agent_started'", "error-instead", "expects `agent_started`"),
        ("AssertionError: assert 'ready' == 'error'", "assert e['type'] == 'error'", "plain", "The test expects `'error'`"),
        ("AssertionError: tasks left running: ['Task-5 heartbeat']\nE   assert not {1}", "assert not left, 'x'", "tasks-left", "still running"),
        ("AssertionError: tasks left to do: ['milk']\nE   assert not {1}", "assert not left, 'x'", "plain", ""),
        ("AssertionError: assert 'error' == 'ok'", "assert check(x) == 'ok'", "plain", ""),
        ("AssertionError: tasks done: 3\nE   assert 3 == 4", "assert done == 4, 'x'", "plain", ""),
        ("starlette.websockets.WebSocketDisconnect: (4429, 'too many connections')", "ws.receive_json()", "closed-for-limit", "`4429`"),
        ("starlette.websockets.WebSocketDisconnect: (4000, 'bye')", "ws.receive_json()", "closed-by-code", "`4000`"),
    ],
)  # fmt: skip
def test_what_comes_instead_is_told_by_its_own_words(failure: str, code: str, rule: str, words: str) -> None:
    """An error event, a task that runs on, a close for a limit; the same shapes with other words are what they were."""
    cause = _cause(failure, code)
    assert cause.rule == rule and words in cause.statement


@pytest.mark.parametrize(
    ("last", "rule"),
    [
        (
            ("/usr/lib/python3.12/concurrent/futures/_base.py:451: in result", "    self._condition.wait(timeout)"),
            "loop-waits-for-itself",
        ),
        (("/usr/lib/python3.12/selectors.py:468: in select", "    self._selector.poll(timeout)"), "timeout"),
    ],
)
def test_a_loop_that_waits_for_itself_is_told_from_one_that_waits(last: tuple[str, str], rule: str) -> None:
    """A blocking wait below the running loop is a deadlock; a loop that sleeps in its selector waits for something."""
    stack = ("/usr/lib/python3.12/asyncio/base_events.py:607: in run_forever", "    self._run_once()")
    own = (
        "tests/test_it.py:9: in test_it",
        "    bridge.ask('b')",
        "desk/bridge.py:11: in ask",
        "    return future.result()",
    )
    limit = "E   Failed: Timeout (>3.0s) from pytest-timeout."
    run = Session().fails("tests/test_it.py::test_it", *stack, *own, *last, limit)
    assert only_cause(run.explained()).rule == rule


def test_the_words_of_a_library_in_a_log_of_its_own_tell_both_values() -> None:
    """A server logs, at any level, why it refused a token: that is the reason, with what it got and what it wants."""
    line = "2026-01-02 10:00:00,118 [INFO] desk.auth - rejected: Invalid issuer, iss='http://a.test', want 'https://b.test'"
    failure = "httpx.HTTPStatusError: Client error '401 Unauthorized' for url 'http://127.0.0.1:1/threads'"
    report = (
        Session()
        .fails("tests/test_it.py::test_it", *raised("tests/test_it.py", 9, "answer.raise_for_status()", failure))
        .text
    )
    cause = analyse_all([("out.txt", report), ("server.log", f"{line}\n")]).causes[0]
    assert (cause.rule, cause.certainty) == ("token-audience", "suspect")
    assert "`'http://a.test'` is there where `'https://b.test'` is wanted" in cause.statement
    assert any(fact.source == "server.log" for fact in cause.facts)
