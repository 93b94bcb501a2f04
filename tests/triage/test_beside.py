"""What is quoted beside a failure, what is looked for and not there, and what a green run does not show."""

import pytest

from quintet.triage import Analysis, analyse_all
from quintet.triage.comparing.hollow import hollow_of
from quintet.triage.comparing.lookups import said_of
from quintet.triage.model import Cause
from quintet.triage.reading.read import read
from quintet.triage.reports.text import text as summary_text
from triage.texts import Session, only_cause, raised

pytestmark = pytest.mark.l1

_LOG = "---- Captured log call ----"
_WAIT = (
    "tests/test_feed.py:9: in test_told",
    "    event = await asyncio.wait_for(ws.recv(), 1)",
    "/usr/lib/python3.12/site-packages/websockets/asyncio/connection.py:299: in recv",
    "    return await self.messages.get()",
    "/usr/lib/python3.12/asyncio/tasks.py:520: in wait_for",
    "    raise exceptions.TimeoutError() from exc",
    "E   TimeoutError",
)


def _one(failure: str, code: str, *printed: str) -> Cause:
    run = Session().fails("tests/test_it.py::test_it", *raised("tests/test_it.py", 9, code, failure), _LOG, *printed)
    return only_cause(run.explained())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("user '7' is not online, online: [7]", "One value in two kinds: `'7'` is looked for, `7` is there"),
        ("no subscriber for room=7 in {'7': 1}", "One value in two kinds: `7` is looked for, `'7'` is there"),
        ("no handler for 'a.done' in ['a_done', 'b']", "One name in two spellings: `'a.done'` is looked for, `'a_done'` is there"),
        ("Unknown scope 'room:write'; known: rooms:write, rooms:read", "the nearest that is there is `'rooms:write'`"),
        ("no key '2025-07' in the set ['2026-09', '2026-10']", "there are only `'2026-09'`, `'2026-10'`"),
        ("Unknown type: 'msg' (known: dict_keys(['note']))", "`'msg'` is looked for; there are only `'note'`"),
        ("user '9' is not online, online: []", "nothing at all is registered"),
        ("send note to 'Ada': 0 connections, known users ['ada']", "One name in two spellings: `'Ada'`"),
    ],
)  # fmt: skip
def test_what_is_looked_for_is_compared_with_what_there_is(words: str, said: str) -> None:
    """One line shows a name and the names there are: the reader is told how the two differ."""
    assert said in said_of(words)


@pytest.mark.parametrize(
    "words",
    [
        "'a' found in ['b']",
        "not online: 'a' is one of ['a', 'b']",
        "[browser error] socket to 'ws://x' failed, not open",
        "app.py:14 nothing found in [1, 2]",
        "[12] no answer from 'db' after [",
        "no row for 'x' in [[1]]",
    ],
)
def test_nothing_is_compared_that_was_not_looked_for(words: str) -> None:
    """What is no name, or no collection of names, or is in it, gives no sentence."""
    assert said_of(words) == ""


def test_a_line_that_no_rule_knows_is_quoted_and_decides_nothing() -> None:
    """A program's own words stand beside a server's refusal, with their line, and make it no surer and no other cause."""
    line = "WARNING  gate.keys:keys.py:14 no key '2025-07' in the set ['2026-09', '2026-10']"
    bare = _one("assert 401 == 200", "assert answer.status_code == 200")
    told = _one("assert 401 == 200", "assert answer.status_code == 200", "INFO     x:y.py:1 request began", line)
    assert (told.rule, told.certainty, told.category) == (bare.rule, bare.certainty, bare.category)
    assert "no key '2025-07'" in told.statement and "there are only `'2026-09'`" in told.statement
    assert " ".join(line.split()) in [fact.excerpt for fact in told.facts]
    assert any("Printed at that moment" in why.statement for why in told.whys)


@pytest.mark.parametrize(
    ("line", "step", "root"),
    [
        ("no key '7' for ada, keys: [7]", "Convert `'7'` and `7` to one kind", "as text"),
        (
            "rejected: iss 'http://a.test', want 'http://b.test'",
            "Give both sides the value from one setting",
            "different settings",
        ),
        ("room is closed for ada", "See first whether the line that was printed meanwhile tells why", ""),
    ],
)
def test_what_is_quoted_gives_the_first_step(line: str, step: str, root: str) -> None:
    """The plan begins with what the product's own words say, and goes on with the advice of the kind of failure."""
    told = _one("assert 401 == 200", "assert answer.status_code == 200", f"INFO     gate:gate.py:3 {line}")
    assert told.fix.startswith(step) and "token fixture" in told.fix
    assert root in told.whys[-1].statement


@pytest.mark.parametrize(
    ("failure", "line"),
    [
        ("assert 3 == 4", "WARNING  shop:cart.py:3 coupon 'x' is not known"),
        ("assert 401 == 200", "INFO     shop:cart.py:3 request took 3 ms"),
        ("assert 401 == 200", 'INFO:     127.0.0.1:58902 - "GET /nothing HTTP/1.1" 401 Unauthorized'),
    ],
)
def test_nothing_is_quoted_beside_a_plain_failure_and_nothing_that_tells_nothing(failure: str, line: str) -> None:
    """A plain expectation has its own reasons; a line of access, or one that complains of nothing, is no reason."""
    assert "Printed" not in _one(failure, "assert answer.status_code == 200", line).statement


def test_of_a_log_of_its_own_the_line_is_quoted_that_comes_again_and_again() -> None:
    """A server's log stands beside the report: one line counts where it makes up more than half of what might tell something."""
    report = Session().fails("tests/test_feed.py::test_told", *_WAIT).text
    often = "".join(f"2026-01-02 10:00:0{n},1 INFO desk: user '{n}' is not online, online: [{n}]\n" for n in (7, 8))
    various = often + "INFO desk: cache is missing\nINFO desk: no theme, using default\n"
    said = [_first(analyse_all([("out.txt", report), ("server.log", log)])).statement for log in (often, various)]
    assert "`INFO desk: user '7' is not online" in said[0] and "One value in two kinds" in said[0]
    assert "Printed meanwhile" not in said[1]


def _first(analysis: Analysis) -> Cause:
    return analysis.causes[0]


def test_what_was_waited_for_and_failed_is_the_reason_and_not_the_wait() -> None:
    """The exception that a wait ran into elsewhere, after its limit, is told; one that only translates the limit is not."""
    chain = (
        *_WAIT,
        "",
        "During handling of the above exception, another exception occurred:",
        "tests/test_feed.py:9: in test_told",
    )
    failed = (
        *chain,
        "/usr/lib/python3.12/site-packages/channels/consumer.py:76: in dispatch",
        "E   ValueError: No handler for message type card.moved",
    )
    translated = (*chain, "desk/client.py:8: in receive", "E   DeskTimeout: no event within 1 s")
    causes = [
        only_cause(Session().fails("tests/test_feed.py::test_told", *lines).explained())
        for lines in (failed, translated)
    ]
    assert [cause.rule for cause in causes] == ["type-without-method", "event-never-came"]


@pytest.mark.parametrize(
    ("failure", "code", "rule", "subject"),
    [
        ("AssertionError: {'detail': 'admin role required'}\nE   assert 403 == 204", "assert r.status_code == 204", "not-permitted", "admin"),
        ("assert 200 == 401", "assert client.get('/orders').status_code == 401", "let-in", "200 == 401"),
        ('AssertionError: {"error":"invalid_grant"}\nE   assert 400 == 200', "assert r.status_code == 200", "provider-refuses", "invalid_grant"),
        ("assert 200 == 302", "assert r.status_code == 302", "status-differs", "200 == 302"),
        ("assert 403 == 204", "assert r.status_code == 204", "unauthorized", ""),
    ],
)  # fmt: skip
def test_refusals_are_told_apart(failure: str, code: str, rule: str, subject: str) -> None:
    """No right, no refusal where one is due, a provider's refusal, another status, and a refusal of which nothing more is known."""
    cause = _one(failure, code)
    assert (cause.rule, cause.subject) == (rule, subject)


def test_a_limit_that_ended_one_test_ended_no_run_and_names_its_lock() -> None:
    """pytest-timeout prints stacks and goes on: the test is the failure, and its last line, a lock, the reason."""
    limit = "+" * 20 + " Timeout " + "+" * 20
    lines = (
        "tests/test_hall.py:12: in test_said",
        "    room.post('x')",
        "hall/rooms.py:15: in post",
        "    self._tell()",
    )
    last = (
        "hall/rooms.py:22: in listeners",
        "    with self._lock:",
        "E   Failed: Timeout (>2.0s) from pytest-timeout.",
    )
    run = Session().fails("tests/test_hall.py::test_said", *lines, *last)
    text = run.text.replace("collected 1 items", f"collected 1 items\n\ntests/test_hall.py {limit}\nF   [100%]")
    causes = analyse_all([("out.txt", text)]).causes
    assert [(cause.rule, cause.subject) for cause in causes] == [("waits-for-lock", "self._lock")]


_GREEN = "===== test session starts =====\ncollected 3 items\n\n===== warnings summary =====\n{}\n===== 3 passed, 3 warnings in 0.12s ====="


@pytest.mark.parametrize(
    ("warning", "said"),
    [
        ("  /usr/lib/unittest/case.py:579: RuntimeWarning: coroutine 'ClientTest.test_send' was never awaited", "never ran"),
        ("  t.py:1: PytestReturnNotNoneWarning: Test functions should return None, but t.py::test_a returned <class 'bool'>.", "asserting"),
        ("  t.py:1: PytestUnhandledThreadExceptionWarning: Exception in thread Thread-1", "no test noticed"),
        ("  t.py:1: RuntimeWarning: coroutine 'Client.close' was never awaited", ""),
        ("  t.py:1: DeprecationWarning: old", ""),
    ],
)  # fmt: skip
def test_a_green_run_tells_what_it_does_not_show(warning: str, said: str) -> None:
    """Tests that never ran, or whose word does not count, and exceptions that nobody noticed, stand in the summary of a green run."""
    text = _GREEN.format(f"t.py::test_a\n{warning}")
    found = hollow_of(read(text))
    assert (said in " ".join(found)) if said else not found
    assert said in summary_text(analyse_all([("out.txt", text)])).replace("\n", " ")
