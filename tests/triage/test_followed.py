"""What a failure is followed to: a child process, a lock, a database that was kept, a runner in between, a logger that was cut off."""

import pytest

from quintet.triage import analyse
from quintet.triage.reports.words import summary
from triage.texts import Session, only_cause, raised

pytestmark = pytest.mark.l1

_LIB = "/srv/venv/lib/python3.12/site-packages"
_CHILD = "AssertionError: assert 1 == 0"
_OF_CHILD = "E    +  where 1 = CompletedProcess(args=['python', '-m', 'shop'], returncode=1).returncode"
_TOLD = (
    "---- Captured stderr call ----",
    "Traceback (most recent call last):",
    '  File "/app/shop/__main__.py", line 2, in <module>',
    "    import yaml",
)


def test_what_a_child_process_says_explains_its_exit_code() -> None:
    """The exception in its captured output is the cause, and the child's interpreter is named; a result of a command's runner likewise."""
    lines = (*raised("tests/test_cli.py", 8, "assert run().returncode == 0", _CHILD), _OF_CHILD)
    session = Session().fails(
        "tests/test_cli.py::test_x", *lines, *_TOLD, "ModuleNotFoundError: No module named 'yaml'"
    )
    cause = only_cause(session.explained())
    assert cause.category == "dependencies"
    assert "`python`" in cause.statement
    assert "sys.executable" in cause.fix
    quiet = only_cause(Session().fails("tests/test_cli.py::test_x", *lines).explained())
    assert quiet.plain, "nothing was printed: nothing is known"
    shown = "E    +  where 1 = <Result ModuleNotFoundError(\"No module named 'yaml'\")>.exit_code"
    cause = only_cause(Session().fails("tests/test_cli.py::test_x", *lines[:-1], shown).explained())
    assert (cause.category, cause.subject) == ("dependencies", "yaml")


def _long(test: str, *lines: str, says: str) -> tuple[str, ...]:
    return (
        f"    def {test}(monkeypatch):",
        *lines,
        f">       assert go() == 1\nE       AssertionError: assert {says}",
        "",
        "tests/test_a.py:4: AssertionError",
    )


@pytest.mark.parametrize(
    ("line", "says", "late"),
    [
        ('        monkeypatch.setenv("REGION", "eu-west")', "'us-east' == 'eu-west'", True),
        ('        os.environ["RETRIES"] = "7"', "3 == 7", True),
        ('        with mock.patch.dict(os.environ, {"REGION": "eu-west"}):', "'us-east' == 'eu-west'", True),
        ('        monkeypatch.setenv("REGION", "eu-west")', "2 == 3", False),
        ('        monkeypatch.setenv("REGION", "eu-west")', "'eu-west' == 'eu-west-1'", False),
    ],
)
def test_a_variable_that_was_read_before_the_test_set_it(line: str, says: str, late: bool) -> None:
    """Only where the value that the test's shown source sets is on one side of the assertion, and not on the other."""
    cause = only_cause(Session().fails("tests/test_a.py::test_x", *_long("test_x", line, says=says)).explained())
    assert (cause.rule == "variable-read-before") is late
    assert cause.certainty == ("suspect" if late else "unknown")


@pytest.mark.parametrize(
    ("error", "category", "words"),
    [
        ("filelock.Timeout: The file lock '/tmp/job.lock' could not be acquired.", "isolation", "/tmp/job.lock"),
        ("RuntimeError: worker is already running (pid 4711)", "isolation", "another process"),
        ("EOFError: EOF when reading a line", "environment", "asks a question"),
        ("alembic.util.exc.CommandError: Can't locate revision identified by 'd4ffee'", "database", "`d4ffee`"),
        ("django.core.CommandError: Conflicting migrations detected; multiple leaf nodes in the graph: (0002_a, 0002_b in shop).",
         "database", "several heads"),
        ("sqlite3.OperationalError: no such table: people", "database", "another file"),
    ],
)  # fmt: skip
def test_what_an_earlier_run_or_another_folder_left_is_recognised(error: str, category: str, words: str) -> None:
    """Locks, questions, databases and migrations: each with what it is about."""
    cause = only_cause(
        Session().breaks("tests/test_a.py::test_x", *raised(f"{_LIB}/of/it.py", 3, "go()", error)).explained()
    )
    assert (cause.category, words in cause.statement) == (category, True)


def test_a_loop_that_runs_already_is_no_lock() -> None:
    """`already running` alone is said of many things."""
    error = "RuntimeError: This event loop is already running"
    assert (
        "lock"
        not in only_cause(Session().fails("t.py::test_x", *raised(f"{_LIB}/x.py", 3, "go()", error)).explained()).rule
    )


def test_a_refusal_that_never_comes_may_be_for_root() -> None:
    """`PermissionError` is the system's to raise; of any other exception nothing of the kind is said."""
    for name, category in (("PermissionError", "environment"), ("ValueError", "assertion")):
        lines = raised("tests/test_a.py", 5, f"with pytest.raises({name}):", f"Failed: DID NOT RAISE <class '{name}'>")
        cause = only_cause(Session().fails("tests/test_a.py::test_x", *lines).explained())
        assert (cause.category, cause.certainty) == (category, "suspect")


def test_a_question_about_a_kept_test_database_ends_the_run() -> None:
    """Django asks where nobody answers; the option that answers is named."""
    text = "Type 'yes' if you would like to try deleting the test database 'test_shop', or 'no' to cancel: Traceback (most recent call last):\n"
    cause = only_cause(
        analyse(f'$ python manage.py test\n{text}  File "x.py", line 1, in go\nEOFError: EOF when reading a line\n')
    )
    assert cause.subject == "test_shop"
    assert "--noinput" in cause.fix


def test_two_conftests_of_one_name_are_told() -> None:
    """The module's name, and the three ways out."""
    text = (
        "ImportError while loading conftest '/r/b/tests/conftest.py'.\n"
        "_pytest.pathlib.ImportPathMismatchError: ('tests.conftest', '/r/a/tests/conftest.py', PosixPath('/r/b/tests/conftest.py'))\n"
    )
    cause = only_cause(analyse(text))
    assert (cause.category, "`tests.conftest`" in cause.statement, "importlib" in cause.fix) == ("imports", True, True)


@pytest.mark.parametrize(
    ("end", "words"),
    [("1 passed, 10 xfailed", "10 of 11 tests were expected to fail"), ("2 passed, 30 deselected", "30 of 32")],
)
def test_a_green_run_of_which_most_was_set_aside_says_so(end: str, words: str) -> None:
    """Green, and nothing was shown."""
    number = 11 if "xfailed" in end else 32
    text = f"==== test session starts ====\ncollected {number} items\n\n==== {end} in 0.10s ====\n"
    assert any(words in sentence.rest for sentence in summary(analyse(text)))


@pytest.mark.parametrize(
    ("around", "way"),
    [
        (("+ export FEED_TOKEN=abc", "py311: commands[0]> pytest -q"), "pass_env"),
        (("  FEED_TOKEN: ***", "$ docker compose run --rm tests"), "environment:"),
        (("FEED_TOKEN=abc",), "`export`"),
        (("OTHER_TOKEN=abc",), ""),
    ],
)
def test_a_variable_that_the_job_sets_is_followed_to_what_holds_it_back(around: tuple[str, ...], way: str) -> None:
    """The runner between the job and the tests is named, with its way to hand a variable on."""
    session = Session().cannot_collect(
        "tests/test_a.py",
        *raised("feed/api.py", 2, "T = os.environ['FEED_TOKEN']", "KeyError: 'FEED_TOKEN'"),
    )
    cause = only_cause(analyse("\n".join([*around, session.text])))
    assert cause.subject == "FEED_TOKEN"
    assert (way in cause.fix) if way else ("hands it on" not in cause.fix and "export" not in cause.fix)
    assert any(fact.kind == "variable" for fact in cause.facts) is bool(way)


_CAPLOG = "<_pytest.logging.LogCaptureFixture object at 0x7f>"


@pytest.mark.parametrize(
    ("says", "rule"),
    [
        (("assert 'long' in ''", f"+  where '' = {_CAPLOG}.text"), "caplog-empty"),
        (("assert 0 == 1", "+  where 0 = len([])", f"+    where [] = {_CAPLOG}.records"), "caplog-empty"),
        (("assert 'long' in 'short'", f"+  where 'short' = {_CAPLOG}.text"), "plain"),
        (("assert 'long' in ''", "+  where '' = go()"), "plain"),
    ],
)
def test_caplog_that_caught_nothing_is_no_plain_difference(says: tuple[str, ...], rule: str) -> None:
    """Empty altogether: the logger was cut off. Other words, or another empty text, are the test's own matter."""
    lines = (
        *raised("tests/test_a.py", 4, "assert it", f"AssertionError: {says[0]}"),
        *(f"E    {line}" for line in says[1:]),
    )
    assert only_cause(Session().fails("tests/test_a.py::test_x", *lines).explained()).rule == rule


@pytest.mark.parametrize(
    ("error", "category", "words"),
    [
        ("docker.errors.DockerException: Error while fetching server API version: ('Aborted.', PermissionError(13, 'Permission denied'))",
         "environment", "may not open it"),
        ("docker.errors.DockerException: Error while fetching server API version: ('Aborted.', FileNotFoundError(2, 'No such file'))",
         "services", "no Docker daemon"),
        ('psycopg.OperationalError: connection to server on socket "/run/pg/.s.PGSQL.5432" failed: No such file', "services", "/run/pg/"),
        ('psycopg.OperationalError: connection failed: FATAL:  database "shop_gw1" does not exist', "database", "no database named `shop_gw1`"),
        ("OSError: The temporary directory /tmp/pytest-of-ci is not owned by the current user.", "environment", "another user"),
        ("RuntimeError: Model class backend.shop.models.Poll doesn't declare an explicit app_label and isn't in an application in INSTALLED_APPS.",
         "imports", "no installed app"),
        ("sqlalchemy.exc.InvalidRequestError: When initializing mapper Mapper[User(users)], expression 'Order' failed to locate a name ('Order').",
         "database", "`Order`"),
    ],
)  # fmt: skip
def test_who_refuses_is_told_from_who_is_not_there(error: str, category: str, words: str) -> None:
    """The neighbour of a known failure has its own reason, and its own way out."""
    lines = raised(f"{_LIB}/of/it.py", 3, "raise it", error)
    cause = only_cause(Session().breaks("tests/test_a.py::test_x", *lines).explained())
    assert (cause.category, cause.certainty) == (category, "probable")
    assert words in cause.statement


def test_a_run_that_only_collected_says_so() -> None:
    """Nothing was run, and nothing is unreadable."""
    for last in ("12 tests collected in 0.15s", "==== 12/32 tests collected (20 deselected) in 0.15s ===="):
        analysis = analyse(f"tests/test_all.py::test_real[1]\n\n{last}\n")
        assert analysis.run.totals.tests == 12
        assert any("none was run" in sentence.rest for sentence in summary(analysis))
