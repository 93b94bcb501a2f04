"""What was sent while a test saw nothing, who came too late, and what the test's own line asks."""

import pytest

from quintet.triage import analyse_all
from quintet.triage.comparing.hollow import hollow_of
from quintet.triage.comparing.lookups import said_of
from quintet.triage.masking import mask
from quintet.triage.model import Cause
from quintet.triage.reading.read import read
from triage.texts import Session, only_cause, raised

pytestmark = pytest.mark.l1

_LOG = "---- Captured log call ----"
_SENT = 'INFO     socketio.server:async_server.py:178 emitting event "chat_message" to r1 [/]'


def _cause(failure: str, code: str, *printed: str) -> Cause:
    block = raised("tests/test_it.py", 9, code, failure)
    return only_cause(Session().fails("tests/test_it.py::test_it", *block, _LOG, *printed).explained())


@pytest.mark.parametrize(
    ("failure", "code", "line", "rule"),
    [
        ("assert [] == [{'text': 'hi'}]", "assert client.seen == [{'text': 'hi'}]", _SENT, "sent-and-not-seen"),
        (
            "assert 0 == 1\nE    +  where 0 = len([])",
            "assert len(received) == 1",
            "published note.created to room r-7",
            "sent-and-not-seen",
        ),
        ("assert [] == [{'text': 'hi'}]", "assert cart.items == [{'text': 'hi'}]", _SENT, "plain"),
        ("assert [1] == [{'text': 'hi'}]", "assert client.seen == [{'text': 'hi'}]", _SENT, "plain"),
        (
            "assert [] == [{'text': 'hi'}]",
            "assert client.seen == [{'text': 'hi'}]",
            "INFO     desk:app.py:3 42 rows",
            "plain",
        ),
    ],
)
def test_an_event_that_was_sent_and_not_seen_is_told(failure: str, code: str, line: str, rule: str) -> None:
    """A log tells of an event, the test's list of what came is empty: another name or room. Any other list has its own reasons."""
    cause = _cause(failure, code, line)
    assert cause.rule == rule
    assert (rule == "plain") or (" ".join(line.split()) in cause.statement and cause.certainty == "suspect")


@pytest.mark.parametrize(
    ("code", "line", "rule", "quoted"),
    [
        ("assert connected", "INFO     desk.ws:ws.py:10 refusing /ws/: user is AnonymousUser", "not-accepted", True),
        ("assert communicator.is_connected", "", "not-accepted", False),
        ("assert client.logged_in", "INFO     desk.auth:auth.py:3 unknown user 'ada'", "plain", True),
        ("assert cart.empty", "INFO     desk.auth:auth.py:3 unknown user 'ada'", "plain", False),
    ],
)
def test_a_truth_about_a_connection_is_told_with_what_was_printed(
    code: str, line: str, rule: str, quoted: bool
) -> None:
    """`assert False` says nothing; the test's own line says what it is about, and the product's line why."""
    cause = _cause("assert False", code, line)
    assert (cause.rule, "Printed meanwhile" in cause.statement) == (rule, quoted)


_WAIT = (
    "tests/test_feed.py:9: in test_told",
    "    event = await asyncio.wait_for(inbox.get(), 1)",
    "/usr/lib/python3.12/asyncio/tasks.py:520: in wait_for",
    "    raise exceptions.TimeoutError() from exc",
    "E   TimeoutError",
)


@pytest.mark.parametrize(
    ("after", "late"),
    [("run a1: socket subscribed", True), ("run a2: socket subscribed", False), ("run a1: retried", False)],
)
def test_who_subscribes_after_the_event_was_sent_came_too_late(after: str, late: bool) -> None:
    """The order of a log tells: the event went to nobody, and then somebody came for the same run."""
    report = Session().fails("tests/test_feed.py::test_told", *_WAIT).text
    log = f"2026-01-02 10:00:00,100 bus run a1: run.completed event -> 0 sockets\n2026-01-02 10:00:00,200 bus {after}\n"
    cause = analyse_all([("out.txt", report), ("server.log", log)]).causes[0]
    assert cause.rule == "event-kept-back"
    assert ("too late" in cause.statement) == late


def test_a_line_that_only_a_kind_of_answer_fits_is_quoted() -> None:
    """A warning about a missing token stands beside a bare 401: the reader gets its words, not only its place."""
    line = "WARNING  portal:app.py:13 request to /orders without bearer token (cookies: ['sid'])"
    cause = _cause("assert 401 == 200", "assert response.status == 200", line)
    assert cause.rule == "unauthorized" and "Printed meanwhile: `WARNING portal:app.py:13" in cause.statement


def test_a_right_that_is_missing_is_compared_with_those_that_are_there() -> None:
    """The answer shows what is required and what was granted: the nearest name is told."""
    answer = "{'error': 'insufficient_scope', 'required': 'rooms:write', 'granted': ['rooms:read', 'room:write']}"
    cause = _cause(
        f"AssertionError: {answer}\nE   assert 403 == 201", "assert answer.status_code == 201, answer.json()"
    )
    assert cause.rule == "not-permitted"
    assert "`'rooms:write'` is looked for; the nearest that is there is `'room:write'`" in cause.statement
    assert not said_of("{'required': 'a:write', 'granted': ['a:write']}")


def test_a_key_that_follows_a_word_of_secrets_is_no_secret() -> None:
    """`"bad token", "reason": …` is two pairs of an object; `("token", "…")` is a name and its secret."""
    assert (
        mask('{"error": "bad token", "reason": "Invalid header padding"}')
        == '{"error": "bad token", "reason": "Invalid header padding"}'
    )
    assert "hunter2hunter2" not in mask("headers=[('token', 'hunter2hunter2')]") + mask(
        '("x-token", "hunter2hunter2", "rest")'
    )


@pytest.mark.parametrize(
    ("failure", "code", "rule"),
    [
        ("AssertionError: Headers([('Location', '/login?next=%2Forders')])\nE   assert 302 == 200", "assert r.status_code == 200", "sign-in-page"),
        ("assert b'your orders' in b'please sign in'", "assert b'your orders' in r.data", "sign-in-page"),
        ("AssertionError: Headers([('Location', '/orders/7')])\nE   assert 302 == 200", "assert r.status_code == 200", "status-differs"),
        ("assert 'access-control-allow-origin' in Headers({'vary': 'Origin'})", "assert name in r.headers", "origin-not-allowed"),
        ("assert None == 'http://a.test'\nE    +  where None = get('access-control-allow-origin')", "assert x == y", "origin-not-allowed"),
        ("KeyError: 'access-control-allow-methods'", "r.headers['access-control-allow-methods']", "origin-not-allowed"),
        ("ValueError: too many values to unpack (expected 3)", "kind, size, text = frame.split(':')", "plain"),
        ("ValueError: too many values to unpack (expected 3)", "kind, size, text = parsed(frame)", "unpacking"),
    ],
)  # fmt: skip
def test_answers_that_lead_elsewhere_or_lack_a_header(failure: str, code: str, rule: str) -> None:
    """A redirect to the sign-in, a page of it, a header of CORS; what a text is cut into depends on the text alone."""
    assert _cause(failure, code).rule == rule


def test_a_refused_handshake_tells_the_path_that_it_asked_for() -> None:
    """Many servers refuse an unknown path with 403: the path stands beside the refusal."""
    failure = (
        "aiohttp.WSServerHandshakeError: 403, message='Invalid response status', url='http://127.0.0.1:1/api/v1/ws'"
    )
    assert "It asked for `/api/v1/ws`." in _cause(failure, "await http.ws_connect(url)").statement


@pytest.mark.parametrize(
    ("last", "named"),
    [("tests/test_bus.py ", True), ("tests/test_bus.py::test_a ", True), ("tests/test_bus.py .", False)],
)
def test_a_text_that_ends_in_a_test_names_it(last: str, named: bool) -> None:
    """Where nothing tells why the text ends, the line without a result is still told."""
    text = f"===== test session starts =====\ncollected 2 items\n\n{last}"
    gaps = analyse_all([("out.txt", text)]).run.gaps
    assert any("which has no result" in gap for gap in gaps) == named


@pytest.mark.parametrize(
    ("failure", "code", "rule"),
    [
        ("assert False\nE    +  where False = login(username='ada')", "assert client.login(username='ada')", "sign-in-fails"),
        ("assert False\nE    +  where False = is_even(3)", "assert is_even(3)", "plain"),
        ("requests.HTTPError: 400 Client Error: BAD REQUEST for url: http://127.0.0.1:1/token", "r.raise_for_status()", "provider-refuses"),
        ("requests.HTTPError: 400 Client Error: BAD REQUEST for url: http://127.0.0.1:1/orders", "r.raise_for_status()", "plain"),
    ],
)  # fmt: skip
def test_a_sign_in_that_says_no_and_a_provider_that_refuses(failure: str, code: str, rule: str) -> None:
    """What the call or the address names decides; the same shape of anything else is a plain failure."""
    assert _cause(failure, code).rule == rule


def test_what_follows_from_a_sign_in_that_fails_is_no_cause_of_its_own() -> None:
    """The page for signing in, beside a sign-in of the same module that says no."""
    failed = raised(
        "tests/test_it.py", 9, "assert client.login(name='a')", "assert False\nE    +  where False = login(name='a')"
    )
    sent = raised(
        "tests/test_it.py",
        13,
        "assert r.status_code == 200",
        'assert 302 == 200\nE    +  where 302 = <Response url="/login?next=/me">.status_code',
    )
    run = Session().fails("tests/test_it.py::test_in", *failed).fails("tests/test_it.py::test_me", *sent)
    cause = only_cause(run.explained())
    assert (cause.rule, cause.blocks, cause.downstream) == ("sign-in-fails", 2, 1)


@pytest.mark.parametrize(("phase", "rule"), [("teardown of", "cancelled-awaited"), ("setup of", "waited-in-vain")])
def test_a_cancelled_task_is_told_from_a_wait_by_where_it_is_awaited(phase: str, rule: str) -> None:
    """After its `yield` a fixture awaits what it has cancelled; anywhere else a cancellation is how a limit ends a wait."""
    lines = (
        "tests/conftest.py:11: in ticks",
        "    await task",
        "tick/ticker.py:8: in ticker",
        "    await asyncio.sleep(every)",
    )
    last = (
        "/usr/lib/python3.12/asyncio/tasks.py:649: in sleep",
        "    return await future",
        "E   asyncio.exceptions.CancelledError",
    )
    assert (
        only_cause(Session().breaks("tests/test_it.py::test_it", *lines, *last, phase=phase).explained()).rule == rule
    )


def test_a_key_that_is_no_pem_is_told_and_an_attribute_is_named() -> None:
    """The library's own words about a key; the attribute that an object lacks stands beside its class."""
    library = (
        "/usr/lib/python3.12/site-packages/jwt/algorithms.py:9: in prepare_key",
        "    raise InvalidKeyError(words)",
    )
    own = ("tests/test_it.py:9: in test_it", "    read(token)")
    run = Session().fails(
        "tests/test_it.py::test_it",
        *own,
        *library,
        "E   jwt.exceptions.InvalidKeyError: Could not parse the provided public key.",
    )
    assert only_cause(run.explained()).rule == "key-unreadable"
    lacked = _cause("AttributeError: 'ClientConnection' object has no attribute 'open'", "link.ws.open")
    assert "The attribute is `open`." in lacked.statement


def test_a_green_run_tells_of_tasks_that_died_unseen() -> None:
    """`Task exception was never retrieved` between the dots of a green run, with the exception that it names."""
    death = 'Task exception was never retrieved\nfuture: <Task finished>\nTraceback (most recent call last):\n  File "bg/app.py", line 4, in audit'
    head, end = "===== test session starts =====\ncollected 1 item\n\n", "===== 1 passed in 0.10s ====="
    text = f"{head}tests/test_it.py {death}\n    raise RuntimeError(1)\nRuntimeError: no table\n.\n\n{end}"
    assert any("`RuntimeError: no table`" in words for words in hollow_of(read(text)))


def test_a_missing_event_of_a_run_is_told_with_the_line_that_passed_over_it() -> None:
    """The required event is named by the assertion, and the product's debug line says what it did instead; both forms are one cause."""
    line = "DEBUG    agents.bridge:bridge.py:14 nothing to tell for 'done'"
    missing = raised(
        "tests/test_it.py",
        9,
        "assert kind in sent, x",
        "AssertionError: missing agent_completed; got ['agent_started']\nE   assert 'agent_completed' in ['agent_started']",
    )
    shorter = raised(
        "tests/test_it.py",
        12,
        "assert sent == REQUIRED",
        "assert ['agent_started'] == ['agent_start...nt_completed']\nE     Right contains one more item: 'agent_completed'",
    )
    run = (
        Session()
        .fails("tests/test_it.py::test_one", *missing, _LOG, line)
        .fails("tests/test_it.py::test_all", *shorter, _LOG, line)
    )
    cause = only_cause(run.explained())
    assert (cause.rule, cause.subject.partition(",")[0], cause.blocks) == ("events-differ", "agent_completed", 2)
    assert "nothing to tell for 'done'" in cause.statement


_LOCKED = (
    "tests/test_it.py:7: in test_it",
    "    await a.transfer(b, 4)",
    "acc/account.py:14: in transfer",
    "    await self.add(-amount)",
    "acc/account.py:9: in add",
    "    async with self._lock:",
    "/usr/lib/python3.12/asyncio/locks.py:15: in __aenter__",
    "    await self.acquire()",
    "E   asyncio.exceptions.CancelledError",
    "",
    "The above exception was the direct cause of the following exception:",
    "tests/test_it.py:6: in test_it",
    "    async with asyncio.timeout(1):",
    "/usr/lib/python3.12/asyncio/timeouts.py:115: in __aexit__",
    "    raise TimeoutError from exc_val",
    "E   TimeoutError",
)


def test_a_limit_is_followed_down_to_what_was_waited_for() -> None:
    """The cancellation below a time limit shows the line that waited: a lock, and the place in the product."""
    cause = only_cause(Session().fails("tests/test_it.py::test_it", *_LOCKED).explained())
    assert (cause.rule, cause.subject) == ("waits-for-lock", "self._lock")
    assert "`acc/account.py:9`" in cause.fix
    assert any(fact.excerpt.startswith("acc/account.py:9") for fact in cause.facts)


@pytest.mark.parametrize(
    ("code", "rule"),
    [("assert ws.protocol == 'tele.v2'", "no-subprotocol"), ("assert url.protocol == 'tele.v2'", "plain")],
)
def test_a_socket_without_the_subprotocol_is_told(code: str, rule: str) -> None:
    """`None` where a socket's subprotocol should be; an address has a protocol too."""
    assert _cause("assert None == 'tele.v2'", code).rule == rule


def test_the_lines_of_a_message_are_read_in_the_long_style_too() -> None:
    """The long style shows a message as far in as the source: the fields that a model refuses are named all the same."""
    lines = (
        "    def test_llm():",
        ">       assert Settings().llm_url",
        "",
        "tests/test_it.py:5: ",
        "_ _ _ _ _ _ _ _ _ _ _ _",
        ">       super().__init__(**values)",
        "E       pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings",
        "E       llm_url",
        "E         Field required [type=missing, input_value={}, input_type=dict]",
        "",
        "/usr/lib/python3.12/site-packages/pydantic_settings/main.py:292: ValidationError",
    )
    assert "It refuses `llm_url`." in only_cause(Session().fails("tests/test_it.py::test_llm", *lines).explained()).fix


def test_the_console_of_a_page_tells_why_it_waits() -> None:
    """A browser test waits for what a socket would bring; the page's console, printed by the fixture, says that it was refused."""
    own = ("tests/test_it.py:9: in test_it", "    page.wait_for_selector('#online')")
    library = ("/usr/lib/python3.12/site-packages/playwright/_impl/page.py:58: in run", "    return await func()")
    failure = "E   playwright._impl._errors.TimeoutError: Page.wait_for_selector: Timeout 1500ms exceeded."
    line = "[browser error] WebSocket connection to 'ws://127.0.0.1:1/live' failed: Unexpected response code: 403"
    cause = only_cause(Session().fails("tests/test_it.py::test_it", *own, *library, failure, _LOG, line).explained())
    assert (cause.rule, cause.subject, cause.certainty) == ("handshake-unauthorized", "403", "suspect")
