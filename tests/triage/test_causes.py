"""Weighing, folding, whys and the plan."""

import pytest

from quintet.triage import as_data
from triage.texts import Session, categories, only_cause, raised

pytestmark = pytest.mark.l1


def test_what_follows_a_failed_login_folds_under_it() -> None:
    """The login and what misses its token are one cause; how many only follow is said."""
    session = Session().fails(
        "tests/test_api.py::test_user_login",
        "E   assert 500 == 200",
        "E    +  where 500 = <Response [500]>.status_code",
    )
    for number in range(4):
        session.fails(f"tests/test_api.py::test_{number}", "E   AssertionError: Must login first", "E   assert None")
    cause = only_cause(session.explained())
    assert (cause.category, cause.blocks, cause.downstream) == ("auth", 5, 4)
    assert cause.entries[0] == "tests/test_api.py::test_user_login"


def test_a_teardown_folds_under_the_failure_of_its_own_test() -> None:
    """If nothing else explains it."""
    session = Session().fails(
        "tests/test_a.py::test_x", *raised("tests/test_a.py", 3, "Old()", "NameError: name 'Old' is not defined")
    )
    session.breaks("tests/test_a.py::test_x", "E   UnknownProblem: state", phase="teardown of")
    cause = only_cause(session.explained())
    assert (cause.category, cause.blocks, cause.downstream) == ("drift", 2, 1)


def test_a_broken_session_folds_under_the_error_that_broke_it() -> None:
    """Its own words quote that error; where the run does not show it, nothing is folded."""
    lib = "/srv/venv/lib/python3.12/site-packages/sqlalchemy/orm/session.py"
    first = "sqlalchemy.exc.IntegrityError: (sqlite3.IntegrityError) NOT NULL constraint failed: orders.total"
    after = f"sqlalchemy.exc.PendingRollbackError: This Session's transaction has been rolled back. Original exception was: {first[28:]}"
    broken = [raised(lib, 9, "raise", error) for error in (first, after, after)]
    session = Session()
    for number, lines in enumerate(broken):
        session.fails(f"tests/test_o.py::test_{number}", *lines)
    cause = only_cause(session.explained())
    assert (cause.rule, cause.blocks, cause.downstream) == ("constraint", 3, 2)
    assert cause.whys[0].statement.startswith("3 entries fail: 1 of them with `IntegrityError: "), (
        "what follows is not what is explained"
    )
    assert only_cause(Session().fails("tests/test_o.py::test_1", *broken[1]).explained()).rule == "transaction-aborted"


def test_a_reason_in_the_server_s_answer_is_the_cause() -> None:
    """A refusal that tells why is more than a refusal; the test's own expectation of such words is none."""
    told = {
        "Signature verification failed": "token-signature",
        "Signature has expired": "token-time",
        "Audience doesn't match": "token-audience",
    }
    for words, rule in told.items():
        answer = (
            f'E   AssertionError: {{"detail": "{words}"}}'
            if "'" in words
            else f"E   AssertionError: {{'detail': '{words}'}}"
        )
        cause = only_cause(Session().fails("tests/test_a.py::test_x", answer, "E   assert 401 == 200").explained())
        assert (cause.rule, cause.certainty) == (rule, "suspect"), words
    expected = "E   AssertionError: assert {'detail': 'Signature has expired'} == {'detail': 'Nobody'}"
    assert only_cause(Session().fails("tests/test_a.py::test_x", expected).explained()).rule == "plain"


def test_events_that_do_not_come_are_one_cause_that_says_which() -> None:
    """In every way in which tests compare them; a suspicion, and nothing of the surroundings."""
    ways = (
        ("E   AssertionError: Missing critical events: {'agent_thinking'}", "E   assert False"),
        ("E   AssertionError: assert 'agent_thinking' in ['agent_started']",),
        ("E   AssertionError: No agent_thinking event received", "E   assert None"),
        ("E   AssertionError: assert ['agent_s...d'] == ['agent_s...g']", "E     At index 1 diff: 'agent_thinking' != 'agent_started'"),
        ("E   AssertionError: ['agent_started', 'agent_thinking']", "E   assert 1 == 0"),
    )  # fmt: skip
    session = Session()
    for number, lines in enumerate(ways):
        session.fails(f"tests/test_a.py::test_{number}", *lines)
    cause = only_cause(session.explained())
    assert (cause.rule, cause.category, cause.certainty, cause.blocks) == ("events-differ", "assertion", "suspect", 5)
    assert "agent_thinking" in cause.statement
    other = Session().fails("tests/test_a.py::test_x", "E   AssertionError: assert 'Agent' == 'agent_started'")
    assert only_cause(other.explained()).rule == "plain"


def test_the_refused_handshake_goes_to_auth_and_the_doubt_is_told() -> None:
    """401 and 403 are about who asks: the claim of the socket's specialist is challenged and dropped."""
    lines = raised(
        "/venv/lib/python3.12/site-packages/websockets/client.py",
        9,
        "raise",
        "websockets.exceptions.InvalidStatus: server rejected WebSocket connection: HTTP 401",
    )
    analysis = Session().fails("tests/test_ws.py::test_x", *lines).explained()
    assert categories(analysis) == ["auth"]
    assert any("dropped" in words for words in analysis.dropped)


def test_many_small_drifts_are_one_bundle_at_the_end() -> None:
    """A page of single failures is one heading, after the causes that explain more."""
    session = Session()
    for number in range(5):
        session.fails(
            f"tests/test_a.py::test_{number}",
            *raised(
                "tests/test_a.py",
                number + 1,
                "x",
                f"AttributeError: 'Thing{number}' object has no attribute 'old{number}'",
            ),
        )
    for number in range(2):
        session.breaks(f"tests/test_b.py::test_{number}", "E   fixture 'ledger' not found")
    analysis = session.explained()
    assert categories(analysis) == ["fixtures", "drift"]
    assert analysis.causes[-1].blocks == 5


def test_plain_failures_are_said_to_have_no_common_cause() -> None:
    """Nothing is invented."""
    session = Session()
    for number in range(4):
        session.fails(f"tests/test_a.py::test_{number}", f"E   assert {number} == {number + 9}")
    analysis = session.explained()
    assert categories(analysis) == ["assertion"]
    assert "no common cause" in analysis.causes[0].statement
    assert analysis.causes[0].certainty == "unknown"


def test_whys_rest_on_facts_and_are_never_filled_up() -> None:
    """Two to five steps, each with a fact of the report; assumed steps say so."""
    session = Session().breaks("tests/test_a.py::test_x", "E   fixture 'ledger' not found")
    session.fails("tests/test_a.py::test_y", *raised("app/x.py", 3, "go()", "ZeroDivisionError: division by zero"))
    session.fails(
        "tests/test_a.py::test_z",
        *raised("app/settings.py", 9, "raise RuntimeError(", "RuntimeError: BILLING_HOST is not set"),
    )
    analysis = session.explained()
    lines = session.text.split("\n")
    for cause in as_data(analysis)["causes"]:
        assert 2 <= len(cause["whys"]) <= 5
        assert len({step["statement"] for step in cause["whys"]}) == len(cause["whys"])
        for step in cause["whys"]:
            assert step["facts"]
            assert all(1 <= fact["line"] <= len(lines) for fact in step["facts"])
    assert {len(cause.whys) for cause in analysis.causes} != {5}


def test_the_excerpt_stands_on_its_line() -> None:
    """A fact's line number can be looked up in the input."""
    session = Session().fails(
        "tests/test_a.py::test_x",
        *raised("app/settings.py", 9, "raise RuntimeError(", "RuntimeError: BILLING_HOST is not set"),
    )
    lines = session.text.split("\n")
    for fact in as_data(session.explained())["causes"][0]["evidence"]:
        words = fact["excerpt"].rpartition(": ")[2]
        assert words in lines[fact["line"] - 1] or words in lines[fact["line"]]


def test_every_entry_belongs_to_one_cause_and_the_counts_agree() -> None:
    """No entry is lost or counted twice."""
    session = Session()
    for number in range(6):
        session.fails(
            f"tests/test_a.py::test_{number}", f"E   {'ValueError' if number % 2 else 'KeyError'}: 'k{number % 3}'"
        )
    data = as_data(session.explained())
    assert sum(cause["blocks"] for cause in data["causes"]) == len(data["entries"]) == 6
    assert {entry["cause"] for entry in data["entries"]} == {cause["id"] for cause in data["causes"]}


def test_the_keys_of_the_data() -> None:
    """The published ones, and only JSON's types."""
    data = as_data(Session(passed=1).fails("tests/test_a.py::test_x", "E   assert 0").explained())
    assert data.keys() == {"totals", "causes", "entries", "plan", "metrics", "unknown"}
    assert data["totals"] == {"tests": 2, "passed": 1, "failures": 1, "errors": 0, "skipped": 0}
    [cause] = data["causes"]
    assert cause.keys() == {
        "id",
        "category",
        "certainty",
        "statement",
        "evidence",
        "blocks",
        "entries",
        "whys",
        "fix",
        "verify",
        "counter",
        "owner",
        "downstream",
    }
    [entry] = data["entries"]
    assert entry.keys() == {"name", "outcome", "phase", "category", "cause"}


def test_the_plan_begins_with_what_unblocks_most() -> None:
    """Tests blocked × certainty × upstreamness ÷ effort."""
    session = Session()
    for number in range(6):
        session.breaks(f"tests/test_a.py::test_{number}", "E   fixture 'ledger' not found")
    session.fails(
        "tests/test_b.py::test_x", *raised("tests/test_b.py", 3, "Old()", "NameError: name 'Old' is not defined")
    )
    analysis = session.explained()
    assert [step.unblocks for step in analysis.plan] == [6, 1]
    assert [step.priority for step in analysis.plan] == sorted((step.priority for step in analysis.plan), reverse=True)
    assert any(metric.now == 7 and metric.goal == 1 for metric in analysis.metrics)
