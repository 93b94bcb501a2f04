"""What is imported under a name, and is something else; hooks, roles, tasks and settings that are not there."""

import pytest

from quintet.triage import analyse
from triage.texts import Session, only_cause, raised

pytestmark = pytest.mark.l1

_LIB = "/srv/venv/lib/python3.12/site-packages"


@pytest.mark.parametrize(
    ("error", "rule"),
    [
        ("ImportError: cannot import name 'Empty' from 'queue' (/app/shop/queue.py)", "hides-python"),
        (
            "AttributeError: module 'types' has no attribute 'X' (consider renaming '/app/types.py' since it has the same name)",
            "hides-python",
        ),
        ("ImportError: cannot import name 'Gone' from 'queue' (/usr/lib/python3.12/queue.py)", ""),
        ("ImportError: cannot import name 'Empty' from 'shop.queue' (/app/shop/queue.py)", ""),
    ],
)
def test_a_file_that_hides_a_module_of_python_is_named(error: str, rule: str) -> None:
    """By the path in the message: Python's own file, or a part of the project's package, hides nothing. A plugin that meets it is read."""
    cause = only_cause(
        Session().cannot_collect("tests/test_a.py", *raised("shop/a.py", 3, "import it", error, "<module>")).explained()
    )
    assert (cause.rule == "hides-python") is bool(rule)
    if rule:
        text = f'Error while loading plugin "pytest11".\n../lib/site-packages/p/it.py:3: in <module>\n    import it\nE   {error}\n'
        assert only_cause(analyse(text)).rule == rule


def test_a_hook_for_another_pytest_a_role_and_a_task_that_are_not_there_are_named() -> None:
    """Each by its name; a hook's own refusal ends the run before any test."""
    role = 'psycopg.OperationalError: connection failed: FATAL:  role "runner" does not exist'
    cause = only_cause(
        Session().breaks("tests/test_a.py::test_x", *raised(f"{_LIB}/pg.py", 3, "go()", role)).explained()
    )
    assert (cause.category, "`runner`" in cause.statement, "PGUSER" in cause.whys[-1].statement) == (
        "database",
        True,
        True,
    )
    cause = only_cause(
        Session()
        .fails(
            "tests/test_a.py::test_x",
            *raised(f"{_LIB}/celery/it.py", 3, "go()", "celery.exceptions.NotRegistered: 'jobs.mail'"),
        )
        .explained()
    )
    assert "`jobs.mail`" in cause.statement
    text = (
        "Traceback (most recent call last):\n"
        f'  File "{_LIB}/pluggy/_manager.py", line 4, in _verify_hook\n    raise PluginValidationError(\n'
        "pluggy._manager.PluginValidationError: Plugin '/r/conftest.py' for hook 'pytest_collect_file'\n"
        "hookimpl definition: pytest_collect_file(path, parent)\n"
        "Argument(s) {'path'} are declared in the hookimpl but can not be found in the hookspec\n"
    )
    cause = only_cause(analyse(text))
    assert (cause.category, "`pytest_collect_file`" in cause.statement) == ("markers-config", True)


def test_an_exception_that_is_expected_by_name_and_not_taken_has_a_twin() -> None:
    """Other failures of the same class in the same file join; where another name is expected, nothing is said."""
    for expected, rule in (("OutOfStock", "two-classes"), ("SoldOut", "plain")):
        session = Session()
        for number, code in enumerate((f"with pytest.raises({expected}): take(2, 5)", "take(1, 3)")):
            lines = (
                "tests/test_a.py:7: in test_x",
                f"    {code}",
                *raised("shop/stock.py", 3, "raise it", f"shop.errors.OutOfStock: {number} of them"),
            )
            session.fails(f"tests/test_a.py::test_{number}", *lines)
        causes = session.explained().causes
        assert causes[0].rule == rule
        assert causes[0].blocks == (2 if rule == "two-classes" else 1)


def test_a_stand_in_for_a_package_is_no_missing_package() -> None:
    """A mock in `sys.modules`, or a file of the name."""
    error = "ModuleNotFoundError: No module named 'requests.adapters'; 'requests' is not a package"
    cause = only_cause(
        Session()
        .cannot_collect("tests/test_a.py", *raised("tests/test_a.py", 1, "from requests.adapters import A", error))
        .explained()
    )
    assert (cause.category, "sys.modules" in cause.fix) == ("imports", True)


def test_marks_of_a_merge_settings_of_django_and_a_value_are_named() -> None:
    """The file of the conflict, the module of the settings, the variable that the code's own line reads."""
    lines = (
        "tests/test_a.py:1: in <module>", "    from kit.price import gross", 'E     File "/r/kit/price.py", line 2',
        "E       <<<<<<< HEAD", "E       ^^", "E   SyntaxError: invalid syntax",
    )  # fmt: skip
    cause = only_cause(Session().cannot_collect("tests/test_a.py", *lines).explained())
    assert "/r/kit/price.py" in cause.statement
    text = (
        "Traceback (most recent call last):\n"
        '  File "/r/.venv/bin/pytest", line 8, in <module>\n    sys.exit(main())\n'
        f'  File "{_LIB}/pytest_django/plugin.py", line 4, in _handle\n    raise ImportError(msg)\n'
        "ImportError: No module named 'shop.settings.test'; 'shop.settings' is not a package\n\n"
        "pytest-django found a Django project in /r (it contains manage.py) and added it to the Python path.\n"
    )
    cause = only_cause(analyse(text))
    assert (cause.category, "`shop.settings.test`" in cause.statement, "bin/pytest" in cause.fix) == (
        "environment",
        True,
        False,
    )
    error = "ValueError: Invalid truth value: release"
    read = (
        "flag/conf.py:2: in <module>",
        "    DEBUG = config('FLAG_DEBUG', cast=bool)",
        *raised(f"{_LIB}/decouple.py", 77, "raise it", error),
    )
    assert "`FLAG_DEBUG`" in only_cause(Session().cannot_collect("tests/test_b.py", *read).explained()).statement
