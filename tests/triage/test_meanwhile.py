"""What a program printed while a test waited, or before a value was missing, says more than the failure itself."""

import json

import pytest

from quintet.triage import Analysis, analyse, analyse_all
from quintet.triage.reports.text import text as summary_text
from triage.texts import Session, categories, only_cause, raised

pytestmark = pytest.mark.l1

_WAIT = (
    "tests/test_feed.py:9: in test_told",
    "    event = await asyncio.wait_for(inbox.get(), 1)",
    "/usr/lib/python3.12/asyncio/tasks.py:520: in wait_for",
    "    raise exceptions.TimeoutError() from exc",
    "E   TimeoutError",
)
_LOG = "---- Captured log call ----"
_OUT = "---- Captured stdout setup ----"
_KEPT_BACK = "WARNING  desk.feed:feed.py:31 dropping agent_started for user 7: no connection (known: ['7'])"


@pytest.mark.parametrize(
    "line",
    [
        _KEPT_BACK,
        "ERROR    desk.runs:runs.py:8 notifier is not set, agent_started was skipped",
        "[hub] no subscribers in room t-9, event discarded",
        "WARNING  desk.hub:hub.py:3 message tool_executing not delivered: socket is closed",
    ],
)
def test_an_event_that_was_kept_back_explains_the_wait(line: str) -> None:
    """A wait that ends by its own limit is given the product's own words about the event, whatever they are."""
    cause = only_cause(Session().fails("tests/test_feed.py::test_told", *_WAIT, _LOG, line).explained())
    assert (cause.category, cause.certainty, cause.rule) == ("websocket", "probable", "event-kept-back")
    assert " ".join(line.split()) in [fact.excerpt for fact in cause.facts]


def test_a_wait_and_a_missing_event_with_one_reason_are_one_cause() -> None:
    """The same line explains the test that waits and the one that looks at what came."""
    missing = raised("tests/test_feed.py", 20, "assert ...", "AssertionError: events seen: []", "test_seen")
    run = Session().fails("tests/test_feed.py::test_told", *_WAIT, _LOG, _KEPT_BACK)
    run.fails("tests/test_feed.py::test_seen", *missing, "E   assert 'agent_started' in []", _LOG, _KEPT_BACK)
    assert only_cause(run.explained()).blocks == 2


@pytest.mark.parametrize(
    ("failure", "line"),
    [
        ("AssertionError: assert 3 == 4", _KEPT_BACK),
        ("TimeoutError", "INFO     desk.store:store.py:3 skipping migration 4, it was applied"),
        ("TimeoutError", "INFO     desk.hub:hub.py:3 event agent_started sent to user 7"),
    ],
)
def test_other_words_explain_nothing(failure: str, line: str) -> None:
    """A plain expectation has its own reasons, and a line that tells of no event that was kept back is no reason."""
    run = Session().fails(
        "tests/test_feed.py::test_told", *raised("tests/test_feed.py", 9, "await go()", failure), _LOG, line
    )
    assert "websocket" not in categories(run.explained())


def _hollow(*printed: str) -> Analysis:
    run, failure = (
        Session(),
        raised("shop/items.py", 4, "db.execute(one)", "AttributeError: 'NoneType' object has no attribute 'execute'"),
    )
    run.fails("tests/test_items.py::test_a", *failure, *printed)
    run.fails("tests/test_items.py::test_b", *failure)
    run.fails("tests/test_items.py::test_c", *failure)
    return run.explained()


def test_an_error_that_a_fixture_swallowed_is_the_cause() -> None:
    """The fixture printed what it met and gave None: the tests that stumble over it follow from that, also those without the words."""
    told = "could not connect: ConnectionRefusedError(111, \"Connect call failed ('127.0.0.1', 15999)\")"
    cause = only_cause(_hollow(_OUT, told))
    assert (cause.category, cause.certainty, cause.blocks) == ("services", "probable", 3)
    assert "127.0.0.1:15999" in cause.statement
    assert "instead of going on with `None`" in cause.fix


def test_a_value_that_is_not_there_is_no_service_by_itself() -> None:
    """Without such words the line of the product is all that is known."""
    assert only_cause(_hollow()).category == "assertion"


def test_the_stamps_of_a_log_do_not_make_its_lines_different() -> None:
    """A server that says the same four times, each with its own milliseconds, says one thing."""
    line = "2026-01-05 10:00:0{0},10{0} WARNING [auth] rejected token: InvalidSignatureError: Signature verification failed"
    log = "\n".join(line.format(number) for number in range(4))
    run = Session().fails(
        "tests/test_me.py::test_me", *raised("tests/test_me.py", 3, "assert …", "AssertionError: assert 401 == 200")
    )
    cause = only_cause(analyse_all([("run.txt", run.text), ("server.log", log)]))
    assert (cause.rule, cause.certainty) == ("token-signature", "probable")


def test_a_claim_that_is_missing_is_named_and_explains_the_sockets() -> None:
    """A request says which claim is missing; sockets that end without a word in the same run are taken to end for it, and it is said."""
    answer = 'AssertionError: {"detail":"invalid token: Token is missing the \\"sub\\" claim"}'
    refused = raised("tests/test_api.py", 3, "assert r.status_code == 200, r.text", answer, "test_make")
    closed = (
        *raised("tests/test_ws.py", 5, "ws.receive_json()", ""),
        "/x/site-packages/starlette/testclient.py:9: in _raise_on_close",
    )
    run = Session().fails("tests/test_api.py::test_make", *refused, "E   assert 401 == 200")
    run.fails(
        "tests/test_ws.py::test_hello",
        *closed[:2],
        closed[3],
        "    raise WebSocketDisconnect(",
        "E   starlette.websockets.WebSocketDisconnect",
    )
    cause = only_cause(run.explained())
    assert (cause.rule, cause.subject, cause.downstream) == ("token-claim", "sub", 1)
    assert any("assumed" in words for words in cause.counter)
    assert "tests/test_api.py::test_make" in cause.verify


@pytest.mark.parametrize("ended", [True, False])
def test_a_loop_that_waits_for_a_service_names_it(ended: bool) -> None:
    """A text that ends in the same words again and again is no plain cancellation; without the end's words it may only be cut off."""
    tries = [f"[db] attempt {number}: localhost:15998 not ready (Connection refused), retrying" for number in range(9)]
    text = "\n".join([*tries, *(["##[error]The operation was canceled."] if ended else [])])
    cause = only_cause(analyse(text))
    assert (cause.category, cause.subject) == ("services", "localhost:15998")
    assert cause.certainty == ("probable" if ended else "suspect")


def test_a_few_words_about_waiting_are_no_loop() -> None:
    """A run that ended says itself what failed."""
    run = Session(passed=1)
    run.header += ["waiting for redis"] * 9
    assert not run.explained().causes


def test_a_green_run_that_skipped_nearly_everything_says_so() -> None:
    """Nothing is claimed, and the reader learns that the run shows little."""
    lines = ["===== test session starts =====", "platform linux -- Python 3.12.1, pytest-8.4.0", "collected 9 items"]
    lines += ["===== short test summary info =====", "SKIPPED [8] tests/test_real.py:4: DESK_REAL is not set"]
    text = "\n".join([*lines, "===== 1 passed, 8 skipped in 0.02s ====="])
    analysis = analyse(text)
    assert not analysis.causes
    assert "8 of 9 tests were skipped" in summary_text(analysis)


def test_what_a_report_log_captured_is_read() -> None:
    """The line stands in another format's own field, and explains as well."""
    report: dict[str, object] = {
        "$report_type": "TestReport",
        "nodeid": "tests/test_feed.py::test_told",
        "when": "call",
        "outcome": "failed",
    }
    report |= {"longrepr": "\n".join(_WAIT), "sections": [["Captured log call", _KEPT_BACK]]}
    assert only_cause(analyse(json.dumps(report))).rule == "event-kept-back"


def _named(*words: str) -> Analysis:
    return (
        Session()
        .fails("tests/test_run.py::test_done", *raised("tests/conftest.py", 9, "pytest.fail(seen)", *words))
        .explained()
    )


@pytest.mark.parametrize(
    "words",
    [
        "Failed: no 'agent.completed' within 1s; received: ['agent_started', 'agent_completed']",
        "AssertionError: assert 'agentCompleted' in ['agent_started', 'agent_completed']",
    ],
)
def test_one_event_in_two_spellings_is_told(words: str) -> None:
    """A test that waits for another spelling of what came is told both names, not that nothing came."""
    cause = only_cause(_named(words))
    assert (cause.category, cause.rule) == ("websocket", "event-name")
    assert "agent_completed" in cause.statement


@pytest.mark.parametrize(
    "words",
    [
        "AssertionError: assert 'Grace Hopper' == 'grace hopper'",
        "AssertionError: assert 'first-name' == 'first_name'",
        "Failed: no 'agent_completed' within 1s; received: ['agent_started']",
    ],
)
def test_two_texts_that_differ_are_no_two_names(words: str) -> None:
    """A comparison of texts is a plain expectation, and other events are other events."""
    assert all(cause.rule != "event-name" for cause in _named(words).causes)


def test_the_stack_of_a_test_that_was_cancelled_is_read() -> None:
    """What faulthandler printed tells where the test stood when the job was ended."""
    lines = [
        "===== test session starts =====",
        "collected 2 items",
        "tests/test_run.py::test_done Timeout (0:00:05)!",
        "Thread 0x00007f9b3cff96c0 (most recent call first):",
        '  File "/usr/lib/python3.12/threading.py", line 10 in _bootstrap',
        "",
        "Thread 0x00007f9b3cff96c1 (most recent call first):",
        '  File "/x/site-packages/websockets/sync/connection.py", line 300 in recv',
        '  File "/home/ada/shop/tests/test_run.py", line 7 in test_done',
        "##[error]The operation was canceled.",
    ]
    cause = only_cause(analyse("\n".join(lines)))
    assert (cause.category, cause.certainty, cause.entries) == (
        "websocket",
        "probable",
        ("tests/test_run.py::test_done",),
    )
    assert "test_run.py:7" in cause.fix


def test_a_socket_closed_for_its_token_is_a_matter_of_the_token() -> None:
    """The code is the server's own; what it logged when it closed says what is wrong."""
    closed = raised(
        "tests/test_ws.py",
        9,
        "await s.receive_json()",
        "aiohttp.WSMessageTypeError: Received message 8:4001 is not WSMsgType.TEXT",
    )
    line = "WARNING  desk:app.py:9 closing socket: ExpiredSignatureError: Signature has expired"
    cause = only_cause(Session().fails("tests/test_ws.py::test_ready", *closed, _LOG, line).explained())
    assert (cause.category, cause.rule) == ("auth", "token-time")


def test_a_client_of_plain_http_tells_of_a_refused_socket() -> None:
    """Its exception is one of HTTP; the line that connects shows that a socket was asked for."""
    lines = (
        *("tests/test_feed.py:8: in test_hi", "    ws = await websocket_connect(request)"),
        *(
            "/x/site-packages/tornado/simple_httpclient.py:3: in _on",
            "    raise exc",
            "E   tornado.httpclient.HTTPClientError: HTTP 403: Forbidden",
        ),
    )
    cause = only_cause(Session().fails("tests/test_feed.py::test_hi", *lines).explained())
    assert (cause.category, cause.rule, cause.subject) == ("auth", "handshake-unauthorized", "403")


def test_a_lone_line_about_a_variable_is_understood() -> None:
    """A conftest that leaves leaves its words and nothing else; a server's log of many lines is no run."""
    line = "FATAL: environment variable DESK_DATABASE_URL is required"
    cause = only_cause(analyse(line))
    assert (cause.category, cause.certainty, cause.subject) == ("environment", "suspect", "DESK_DATABASE_URL")
    assert not analyse("\n".join(["INFO started", "INFO ready", "INFO one request", "INFO another", line])).causes
