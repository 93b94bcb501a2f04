"""What the analyst tells to change, and what a test's own words may prove."""

import pytest

from triage.texts import Session, categories, only_cause, raised

pytestmark = pytest.mark.l1

_LIB = "/srv/venv/lib/python3.12/site-packages"


def test_a_fix_names_its_place_and_what_python_suggests() -> None:
    """File, line and the name that Python itself proposes."""
    error = "AttributeError: 'Ledger' object has no attribute 'totl'. Did you mean: 'total'?"
    cause = only_cause(
        Session().fails("tests/test_a.py::test_x", *raised("tests/test_a.py", 7, "x.totl()", error)).explained()
    )
    assert "`total`" in cause.fix
    assert "`tests/test_a.py:7`" in cause.fix


def test_a_fix_names_the_settings_refused() -> None:
    """The fields, not only the class."""
    error = "pydantic_core._pydantic_core.ValidationError: 2 validation errors for Settings"
    lines = (
        *raised(f"{_LIB}/pydantic_settings/main.py", 9, "init()", error),
        "E   database_url",
        "E     Field required [type=missing]",
    )
    lines += ("E   stripe_host", "E     Field required [type=missing]")
    cause = only_cause(Session().fails("tests/test_a.py::test_x", *lines).explained())
    assert "`database_url`, `stripe_host`" in cause.fix


def test_a_fix_names_the_variable_as_code() -> None:
    """The line to write, ready to be copied; a hostile name is in no command."""
    error = "RuntimeError: LEDGER_HOST is not set"
    cause = only_cause(
        Session().fails("tests/test_a.py::test_x", *raised("app/conf.py", 3, "raise", error)).explained()
    )
    assert 'os.environ.setdefault("LEDGER_HOST", "test")' in cause.fix


def test_many_failures_at_one_line_of_the_product_are_one_cause() -> None:
    """All pass through it; three of a test's own are nothing in common."""
    session = Session()
    for number in range(3):
        error = "AttributeError: 'NoneType' object has no attribute 'host'"
        session.fails(f"tests/test_a.py::test_{number}", *raised("app/limit.py", 49, "request.client.host", error))
    cause = only_cause(session.explained())
    assert (cause.category, cause.certainty, cause.plain) == ("assertion", "probable", False)
    assert "app/limit.py:49" in cause.statement
    session = Session()
    for number in range(3):
        session.fails(
            f"tests/test_a.py::test_{number}",
            *raised("tests/test_a.py", 9, "1 / 0", "ZeroDivisionError: division by zero"),
        )
    assert only_cause(session.explained()).plain


TOLD = {
    "services": "Failed: no backend: [Errno 111] Connect call failed ('127.0.0.1', 8000)",
    "auth": "Failed: chat socket: server rejected WebSocket connection: HTTP 403",
    "websocket": "Failed: chat socket: server rejected WebSocket connection: HTTP 500",
}


@pytest.mark.parametrize("category", TOLD)
def test_a_test_that_gives_up_may_quote_a_real_error(category: str) -> None:
    """With the details that only a real error has; as a suspicion, never more."""
    cause = only_cause(Session().fails("tests/test_a.py::test_x", f"E   {TOLD[category]}").explained())
    assert (cause.category, cause.certainty) == (category, "suspect")


PLAIN = (
    "AssertionError: assert 'Login required' in '<html>'",
    "AssertionError: assert 'SECRET_KEY is not set' == ''",
    "AssertionError: assert {'code': 409, 'error': 'already exists'} == {'code': 201}",
    "AssertionError: assert \"[Errno 111] Connect call failed ('127.0.0.1', 8000)\" == 'ok'",
    "AssertionError: assert 'server rejected WebSocket connection: HTTP 403' in ''",
    "AssertionError: assert 'Failed to save user to database' == 'saved'",
    "AssertionError: assert \"ModuleNotFoundError: No module named 'redis'\" is None",
    "Failed: Connection refused",
    "Failed: the answer came too late",
)


@pytest.mark.parametrize("words", PLAIN)
def test_words_of_an_assertion_are_values(words: str) -> None:
    """Whatever they speak of."""
    assert categories(Session().fails("tests/test_a.py::test_x", f"E   {words}").explained()) == ["assertion"]


def test_a_fake_of_the_tests_is_no_service() -> None:
    """Raised in the tests' own folder, outside of a conftest: nothing real failed."""
    lines = raised("tests/fakes.py", 9, "raise self.error", "OSError: [Errno 98] Address already in use")
    assert categories(Session().fails("tests/test_a.py::test_x", *lines).explained()) == ["assertion"]


def test_an_unknown_module_is_a_dependency_or_the_projects_own() -> None:
    """A well-known name is a package; a part of a package that was found is the project's; the rest is only suspected."""
    for code, module, category, certainty in (
        ("import redis", "redis", "dependencies", "probable"),
        ("from ledgerkit.core import Job", "ledgerkit", "imports", "suspect"),
        ("import moonlib", "moonlib", "dependencies", "suspect"),
        ("from app.gone import x", "app.gone", "imports", "probable"),
    ):
        error = f"ModuleNotFoundError: No module named '{module}'"
        session = Session().cannot_collect("tests/test_a.py", *raised("tests/test_a.py", 1, code, error, "<module>"))
        cause = only_cause(session.explained())
        assert (cause.category, cause.certainty) == (category, certainty), code
