"""Files that hold something else than the code expects, a project that is not installed, and what a teardown leaves."""

import pytest

from quintet.triage import analyse
from quintet.triage.reports.words import summary
from triage.texts import Session, only_cause, raised

pytestmark = pytest.mark.l1

_LIB = "/srv/venv/lib/python3.12/site-packages"


@pytest.mark.parametrize(
    ("path", "error", "rule"),
    [
        (f"{_LIB}/numpy/io.py", "ValueError: could not convert string to float: 'version https://git-lfs.github.com/spec/v1'", "lfs-pointer"),
        (f"{_LIB}/torch/it.py", "_pickle.UnpicklingError: invalid load key, 'v'.", "lfs-pointer"),
        (f"{_LIB}/csv/it.py", "ValueError: could not convert string to float: 'verse'", ""),
        ("/usr/lib/python3.12/json/__init__.py", "json.decoder.JSONDecodeError: Unexpected UTF-8 BOM (decode using utf-8-sig)", "byte-order-mark"),
        ("geo/rows.py", "KeyError: '\\ufeffid'", "byte-order-mark"),
        ("/usr/lib/python3.12/subprocess.py",
         "subprocess.CalledProcessError: Command '['git', 'describe', '--tags']' returned non-zero exit status 128.", "checkout-without-history"),
        ("/usr/lib/python3.12/subprocess.py", "subprocess.CalledProcessError: Command '['git', 'push']' returned non-zero exit status 1.", ""),
        ("press/config.py", "KeyError: 'search'", "configuration-lacks"),
        ("press/app_settings.py", "KeyError: 'search'", "configuration-lacks"),
        ("press/pages.py", "KeyError: 'search'", ""),
    ],
)  # fmt: skip
def test_what_a_file_holds_is_told(path: str, error: str, rule: str) -> None:
    """Pointers, marks, a checkout without tags, a layer that lacks an entry; and nothing of the kind where the words are others."""
    cause = only_cause(Session().fails("tests/test_a.py::test_x", *raised(path, 3, "go()", error)).explained())
    assert cause.rule == rule or (not rule and cause.category == "assertion")


def test_the_project_without_metadata_is_to_be_installed() -> None:
    """Its own name is told from that of a package."""
    error = "importlib.metadata.PackageNotFoundError: No package metadata was found for "
    for name, words in (("parcelkit", "pip install -e ."), ("attrs", "requirements")):
        lines = raised("src/parcelkit/__init__.py", 2, f"version('{name}')", f"{error}{name}", "<module>")
        cause = only_cause(Session().cannot_collect("tests/test_a.py", *lines).explained())
        assert cause.category == "dependencies"
        assert words in cause.fix


def test_a_variable_that_only_a_missing_plugin_would_set_names_the_plugin() -> None:
    """The warning about the configuration is the reason."""
    session = Session().cannot_collect(
        "tests/test_a.py", *raised("a/conf.py", 2, "os.environ['HOST_NAME']", "KeyError: 'HOST_NAME'")
    )
    session.warnings = [
        "../lib/config.py:1434",
        "  ../lib/config.py:1434: PytestConfigWarning: Unknown config option: env",
        "",
    ]
    cause = only_cause(session.explained())
    assert "pytest-env" in cause.statement
    assert "pytest-env" in cause.fix
    assert any("Unknown config option: env" in fact.excerpt for fact in cause.facts)


def test_what_a_teardown_could_not_remove_is_not_a_second_cause() -> None:
    """The setups that find it follow from the teardown that failed; another thing of another name does not."""
    used = 'psycopg.errors.ObjectInUse: database "till" is being accessed by other users'
    for name, causes in (("till", 1), ("other", 2)):
        session = Session().breaks(
            "tests/test_a.py::test_1", *raised(f"{_LIB}/pg.py", 3, "drop()", used), phase="teardown of"
        )
        exists = f'psycopg.errors.DuplicateDatabase: database "{name}" already exists'
        for number in (2, 3):
            session.breaks(f"tests/test_a.py::test_{number}", *raised(f"{_LIB}/pg.py", 3, "create()", exists))
        found = session.explained().causes
        assert len(found) == causes
        assert [cause.blocks for cause in found if "`till`" in cause.statement] == [3 if causes == 1 else 1]


def test_a_name_alone_is_no_variable() -> None:
    """The short summary shows a KeyError and no traceback: what it may be is said as what it may be."""
    text = "==== short test summary info ====\nFAILED tests/test_a.py::test_x - KeyError: 'DATABASE_URL'\n==== 1 failed in 0.1s ====\n"
    cause = only_cause(analyse(text))
    assert cause.certainty == "suspect"
    assert "os.environ" not in cause.statement


def test_assertions_that_cannot_fail_are_told_of_a_green_run() -> None:
    """A warning says so, and hardly anybody reads it."""
    warning = (
        "  /r/tests/test_a.py:3: PytestAssertRewriteWarning: assertion is always true, perhaps remove parentheses?"
    )
    session = Session(warnings=["tests/test_a.py:3", warning], passed=2)
    assert any("always true" in sentence.rest for sentence in summary(session.explained()))


@pytest.mark.parametrize(
    ("code", "error", "rule"),
    [
        ('assert STATE["name"] == 1', "KeyError: 'name'", "tests-in-a-chain"),
        ('assert ANSWERS["name"] == 1', "KeyError: 'name'", "plain"),
        (
            "self.client.get('/')",
            "AttributeError: 'TestShop' object has no attribute 'client'",
            "class-attribute-unset",
        ),
        ("shop.client.get('/')", "AttributeError: 'Shop' object has no attribute 'client'", "attribute-gone"),
    ],
)
def test_what_another_test_was_to_leave_is_told_from_a_missing_key(code: str, error: str, rule: str) -> None:
    """A variable that the module's tests share, or the test class itself; a table of constants is the test's own matter."""
    cause = only_cause(
        Session().fails("tests/test_a.py::test_x", *raised("tests/test_a.py", 5, code, error)).explained()
    )
    assert cause.rule == rule
    assert cause.certainty == {"plain": "unknown", "attribute-gone": "probable"}.get(rule, "suspect")


@pytest.mark.parametrize(
    ("error", "rule"),
    [
        ("Failed: api ended with 1 before it was ready", "process-ended"),
        ("RuntimeError: server exited early (code 3)", "process-ended"),
        ("RuntimeError: the month ended", "fixture-fails"),
    ],
)
def test_a_fixture_that_saw_its_process_end_asks_for_its_last_words(error: str, rule: str) -> None:
    """What the process printed is the next thing to look at, and the fixture hides it."""
    cause = only_cause(
        Session().breaks("tests/test_a.py::test_x", *raised("tests/conftest.py", 7, "raise it", error)).explained()
    )
    assert cause.rule == rule
    assert ("stderr" in cause.fix) is (rule == "process-ended")


def test_a_marker_that_does_nothing_is_found_in_the_warnings() -> None:
    """Only a known plugin's, and only for failures of the file that the warning names."""
    for marker, file, rule in (
        ("freeze_time", "test_a", "marker-inert"),
        ("freeze_time", "test_b", "plain"),
        ("our_own", "test_a", "plain"),
    ):
        line = "AssertionError: assert '2026-11-23' == '2024-02-29'"
        session = Session().fails(
            "tests/test_a.py::test_x", *raised("tests/test_a.py", 7, "assert today() == '2024-02-29'", line)
        )
        session.warnings = [
            f"tests/{file}.py:4",
            f"  /r/tests/{file}.py:4: PytestUnknownMarkWarning: Unknown pytest.mark.{marker} - is this a typo?",
        ]
        cause = only_cause(session.explained())
        assert cause.rule == rule
        assert ("pytest-freezer" in cause.statement) is (rule == "marker-inert")


def test_a_complaint_in_a_list_is_no_name_that_is_there() -> None:
    """`invalid: ['Not a valid URL.']` says nothing of what could be asked for instead."""
    error = "environs.exceptions.EnvValidationError: Environment variable \"BROKER_URL\" invalid: ['Not a valid URL.']"
    cause = only_cause(
        Session().cannot_collect("tests/test_a.py", *raised(f"{_LIB}/environs/it.py", 3, "raise", error)).explained()
    )
    assert cause.subject == "BROKER_URL"
    assert "is looked for" not in f"{cause.statement}{cause.fix}"


def test_settings_say_of_each_field_why_it_is_refused() -> None:
    """Missing, unknown to the class, of another form: three reasons, three ways out."""
    head = "pydantic_core._pydantic_core.ValidationError: 3 validation errors for DeskSettings"
    fields = (
        "port", "  Input should be a valid integer, unable to parse string", "desk_debug", "  Extra inputs are not permitted",
        "host", "  Field required [type=missing]",
    )  # fmt: skip
    lines = (*raised(f"{_LIB}/pydantic_settings/main.py", 9, "init()", head), *(f"E   {line}" for line in fields))
    said = only_cause(Session().fails("tests/test_a.py::test_x", *lines).explained()).statement
    assert "`host` is not given" in said
    assert "`desk_debug` is given, and the class knows no such field" in said
    assert "`port` has a value of another form" in said


@pytest.mark.parametrize(
    ("code", "error", "rule"),
    [
        ("os.makedirs(ROOT)", "FileNotFoundError: [Errno 2] No such file or directory: '/srv/snap'", "cannot-be-made"),
        ("open(path, 'w')", "OSError: [Errno 30] Read-only file system: '/srv/snap/a'", "cannot-be-made"),
        ("open(path)", "FileNotFoundError: [Errno 2] No such file or directory: '/srv/snap'", "file-not-there"),
    ],
)
def test_what_is_to_be_made_is_told_from_what_is_to_be_read(code: str, error: str, rule: str) -> None:
    """The project's own line shows which it was."""
    assert (
        only_cause(
            Session().fails("tests/test_a.py::test_x", *raised("snap/store.py", 4, code, error)).explained()
        ).rule
        == rule
    )


def test_sql_of_another_database_is_one_cause() -> None:
    """A function that is not there, and words that cannot be read, are of one dialect."""
    session = Session()
    for number, said in enumerate(("no such function: date_trunc", "near \"'7 days'\": syntax error")):
        session.fails(
            f"tests/test_a.py::test_{number}",
            *raised(f"{_LIB}/sqlalchemy/it.py", 3, "go()", f"sqlalchemy.exc.OperationalError: {said}"),
        )
    cause = only_cause(session.explained())
    assert (cause.blocks, "dialect" in cause.statement) == (2, True)
