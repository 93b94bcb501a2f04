"""What stands around a report, and what two sides of an assertion have in common, decides which reason is left."""

import pytest

from quintet.triage import analyse, analyse_all
from triage.texts import Session, only_cause, raised

pytestmark = pytest.mark.l1

_LIB = "/srv/venv/lib/python3.12/site-packages"
_REFUSED = "httpx.ConnectError: [Errno 111] Connection refused"


def test_a_package_that_the_log_installs_went_into_another_interpreter() -> None:
    """Both environments are named, and the command that starts pytest in the right one."""
    session = Session(header=["platform linux -- Python 3.12.1, pytest-8.4.0 -- /usr/bin/python3"])
    session.cannot_collect(
        "tests/test_a.py", *raised("stock/size.py", 1, "import yaml", "ModuleNotFoundError: No module named 'yaml'")
    )
    for told in (
        "Successfully installed PyYAML-6.0.2 attrs-24.1.0",
        " + pyyaml==6.0.2",
        "  - Installing pyyaml (6.0.2)",
    ):
        cause = only_cause(analyse(f"+ .venv/bin/pip install -r dev.txt\n{told}\n{session.text}"))
        assert "was installed for this run, but not into the interpreter" in cause.statement
        assert any("/usr/bin/python3" in why.statement for why in cause.whys)
        assert "`.venv/bin/python -m pytest`" in cause.fix
        assert any(told.strip() in fact.excerpt for fact in cause.facts)
    cause = only_cause(analyse(f"Successfully installed attrs-24.1.0\n{session.text}"))
    assert "was installed for this run" not in cause.statement


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("INFO:     Uvicorn running on http://127.0.0.1:8123 (Press CTRL+C to quit)", "before it was ready"),
        ('LOG:  listening on IPv4 address "127.0.0.1", port 8123', "before it was ready"),
        ("server listening at 10.0.0.10:8124", "listens on port 8124"),
        ("09:41:30 could not listen on 127.0.0.1:8123", ""),
        ("the nightly job started at 09:41:30", ""),
    ],
)
def test_a_refused_connection_is_compared_with_where_the_log_says_that_a_server_listens(told: str, words: str) -> None:
    """The same port: it was asked too early. Another: the two are named. A server that could not listen, or a time of day, decides nothing."""
    lines = raised(
        f"{_LIB}/httpx/client.py", 9, "raise exc", "httpx.ConnectError: Cannot connect to host 127.0.0.1:8123"
    )
    report = Session().fails("tests/test_a.py::test_x", *lines).text
    cause = only_cause(analyse_all([("run.txt", report), ("server.log", f"starting\n{told}\n")]))
    said = " ".join([cause.statement, *(why.statement for why in cause.whys)])
    assert (words in said) if words else ("before it was ready" not in said and "listens on port" not in said)
    assert any(fact.source == "server.log" for fact in cause.facts) is bool(words)


@pytest.mark.parametrize(
    ("error", "library", "instead"),
    [
        ("AttributeError: 'Engine' object has no attribute 'execute'", "SQLAlchemy 2.0", "engine.begin()"),
        ("AttributeError: module 'numpy' has no attribute 'float'.", "numpy 1.24", "plain type"),
        (
            "ImportError: cannot import name 'url_quote' from 'werkzeug.urls' (/x/urls.py)",
            "Werkzeug 3.0",
            "urllib.parse",
        ),
        (
            "TypeError: CliRunner.__init__() got an unexpected keyword argument 'mix_stderr'",
            "click 8.2",
            "result.stderr",
        ),
    ],
)
def test_what_a_library_has_taken_away_is_named_with_its_version(error: str, library: str, instead: str) -> None:
    """Which library, since when, and what to use instead."""
    cause = only_cause(
        Session().breaks("tests/test_a.py::test_x", *raised("shop/db.py", 3, "setup()", error)).explained()
    )
    assert (cause.category, cause.certainty) == ("dependencies", "probable")
    assert library in cause.statement
    assert instead in cause.fix


@pytest.mark.parametrize(
    ("error", "name"),
    [
        ("dynaconf.validator.ValidationError: DATABASE.URL is required in env DEVELOPMENT", "DATABASE.URL"),
        (
            "decouple.UndefinedValueError: MAIL_HOST not found. Declare it as envvar or define a default value.",
            "MAIL_HOST",
        ),
        ('environs.exceptions.EnvError: Environment variable "MAIL_HOST" not set', "MAIL_HOST"),
        ("django.core.exceptions.ImproperlyConfigured: Set the MAIL_HOST environment variable", "MAIL_HOST"),
        (
            "environs.exceptions.EnvValidationError: Environment variable \"MAIL_PORT\" invalid: ['Not a valid integer.']",
            "MAIL_PORT",
        ),
    ],
)
def test_every_library_of_settings_is_understood(error: str, name: str) -> None:
    """The environment is named as the cause, with the setting, also where a module fails at import."""
    lines = (
        "shop/conf.py:3: in <module>",
        "    X = read()",
        f"{_LIB}/env/main.py:9: in get",
        "    raise error",
        f"E   {error}",
    )
    cause = only_cause(Session().cannot_collect("tests/test_a.py", *lines).explained())
    assert (cause.category, cause.certainty) == ("environment", "probable")
    assert name in cause.statement


def test_a_message_of_several_lines_is_read_whole_in_native_tracebacks() -> None:
    """What a settings class refuses stands in the lines below the exception's own."""
    lines = ("Traceback (most recent call last):", '  File "/app/conf.py", line 3, in go', "    Settings()")
    said = (
        "pydantic.ValidationError: 1 validation error for Settings",
        "database_url",
        "  Field required [type=missing]",
    )
    cause = only_cause(Session().fails("tests/test_a.py::test_x", *lines, *said).explained())
    assert "`database_url`" in cause.fix


def test_fixtures_in_a_circle_are_one_cause() -> None:
    """Whichever of them a test asks for first."""
    session = Session()
    for name in ("account", "bank"):
        line = f"recursive dependency involving fixture '{name}' detected"
        session.breaks(
            f"tests/test_a.py::test_{name}", "file /app/conftest.py, line 2", f"E       {line}", "/app/conftest.py:2"
        )
    cause = only_cause(session.explained())
    assert cause.blocks == 2
    assert "`account, bank`" in cause.statement


@pytest.mark.parametrize(
    ("sides", "words"),
    [
        (("'Mon 11:00 UTC' == 'Mon 12:00 UTC'", "'2025-01-05T23:30' == '2025-01-06T00:30'"), "exactly 1 hour"),
        (("'Mon 11:00' == 'Mon 12:00'", "'2025-01-05T23:30' == '2025-01-06T00:30'"), ""),
        (
            ("datetime.datetime(2025, 1, 5, 3, 30, tzinfo=utc) == datetime.datetime(2025, 1, 5, 9, 0, tzinfo=utc)",)
            * 2,
            "exactly 5.5 hours",
        ),
        (("'a\\r\\nb\\r\\n' == 'a\\nb\\n'",), "line endings"),
        (("'out\\\\log.txt' == 'out/log.txt'",), "separator of their paths"),
        (("'Mon 11:00' == 'Mon 12:00'",), ""),
        (("'Mon 11:00' == 'Mon 12:00'", "'Mon 11:00' == 'Mon 14:00'"), ""),
        (("'11:07' == '12:00'", "'12:07' == '13:00'"), ""),
    ],
)
def test_what_differs_as_machines_differ_is_said(sides: tuple[str, ...], words: str) -> None:
    """The zone (where something speaks of zones), the line endings, the separator: only where all entries differ by the same; a suspicion."""
    session = Session()
    for number, side in enumerate(sides):
        session.fails(
            f"tests/test_a.py::test_{number}",
            *raised("tests/test_a.py", 7, "assert x() == y", f"AssertionError: assert {side}"),
        )
    found = [cause for cause in session.explained().causes if cause.category == "environment"]
    assert [words in cause.statement and cause.certainty == "suspect" for cause in found] == ([True] if words else [])
