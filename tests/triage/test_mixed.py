"""Failures of several kinds in one run, as projects have them: each finds its own reason, and what only follows goes to it."""

from collections.abc import Sequence

import pytest

from triage.texts import Session, raised

pytestmark = pytest.mark.l1

_OWN = "/home/ann/shop"
_UNRUN = "E   Failed: 'test_1' requested an async fixture 'db', with no plugin or hook that handled it."


def _rules(session: Session) -> list[tuple[str, int]]:
    return [(cause.rule, cause.blocks) for cause in session.explained().causes]


@pytest.mark.parametrize(
    ("where", "file", "rule"),
    [
        (f"{_OWN}/shop/load.py", "tests/data/web.yaml", "folder-left"),
        ("shop/load.py", "tests/data/web.yaml", "file-not-there"),
        (f"{_OWN}/shop/load.py", "/srv/data/web.yaml", "file-not-there"),
    ],
)
def test_whole_paths_in_one_failure_tell_that_a_test_went_into_another_directory(
    where: str, file: str, rule: str
) -> None:
    """Paths are shown from where pytest was started; a relative file is not missing where a failure shows whole ones."""
    session = Session().fails("tests/test_a.py::test_a", *raised("shop/cart.py", 3, "return total", "ValueError: no"))
    error = f"FileNotFoundError: [Errno 2] No such file or directory: '{file}'"
    session.fails("tests/test_b.py::test_b", *raised(where, 5, "with open(path) as f:", error))
    found = next(cause for cause in session.explained().causes if "web.yaml" in cause.statement)
    assert (found.rule, found.category) == (rule, "isolation" if rule == "folder-left" else "environment")


def test_where_all_failures_show_whole_paths_nobody_went_anywhere() -> None:
    """`--tb=native` prints them always."""
    error = "FileNotFoundError: [Errno 2] No such file or directory: 'tests/data/web.yaml'"
    session = Session().fails(
        "tests/test_a.py::test_a", *raised(f"{_OWN}/shop/cart.py", 3, "return x", "ValueError: no")
    )
    session.fails("tests/test_b.py::test_b", *raised(f"{_OWN}/shop/load.py", 5, "open(path)", error))
    assert ("file-not-there", 1) in _rules(session)


@pytest.mark.parametrize(
    ("faults", "joined"),
    [
        (("InvalidSignatureError: Signature verification failed",), True),
        (
            ("InvalidSignatureError: Signature verification failed", "ExpiredSignatureError: Signature has expired"),
            False,
        ),
        ((), False),
    ],
)
def test_answers_401_follow_the_only_fault_of_the_tokens(faults: tuple[str, ...], joined: bool) -> None:
    """Whatever status a test expects, who is not let in sees 401; without such a fault, or with two, each stays what it was."""
    session = Session()
    for number, want in enumerate((200, 403, 404)):
        error = f"AssertionError: assert 401 == {want}\nE    +  where 401 = <Response [401]>.status_code"
        code = f"assert client.get('/x/{number}').status_code == {want}"
        session.fails(f"tests/test_a.py::test_{number}", *raised("tests/test_a.py", 7 + number, code, error))
    for fault in faults:
        lines = raised("/env/lib/python3.12/site-packages/jwt/api_jws.py", 5, "raise x", f"jwt.exceptions.{fault}")
        session.fails(f"tests/test_b.py::test_{fault[:3]}", *lines)
    assert (_rules(session) == [("token-signature", 4)]) == joined
    assert joined or {rule for rule, _ in _rules(session)} & {"unauthorized", "status-differs"}
    if joined:
        assert "assumed" in " ".join(session.explained().causes[0].counter)


def test_what_fails_behind_an_async_fixture_that_nobody_runs_follows_it() -> None:
    """An assertion without a word in pytest-asyncio, at the setup of later tests, belongs to it; without it such an assertion stays alone."""

    def bare(path: str, error: str = "AssertionError") -> Sequence[str]:
        return raised(path, 565, "return super().setup()", error, "setup")

    plugin = "/env/lib/python3.12/site-packages/pytest_asyncio/plugin.py"
    session = Session().breaks("tests/test_a.py::test_1", _UNRUN)
    session.breaks("tests/test_a.py::test_2", *bare(plugin))
    session.breaks("tests/test_z.py::test_9", *bare(plugin))
    assert _rules(session) == [("async-fixture", 3)]
    assert _rules(Session().breaks("tests/test_a.py::test_2", *bare(plugin))) == [("plain", 1)]
    for other in (bare(plugin, "AssertionError: no loop"), bare("tests/conftest.py")):
        session = Session().breaks("tests/test_a.py::test_1", _UNRUN).breaks("tests/test_a.py::test_2", *other)
        assert session.explained().causes[0].blocks == 1


_EMPTY = (
    "assert tools.names() == []",
    "AssertionError: assert ['add', 'plus'] == []\nE   \nE   Left contains 2 more items, first extra item: 'add'",
)


@pytest.mark.parametrize(
    ("code", "error", "shared"),
    [
        ("tools.register(add)", "app.ToolError: tool 'add' is registered already", True),
        ("assert tools.count('add') == 1", "AssertionError: assert 2 == 1\nE    +  where 2 = count('add')", True),
        ("assert tools.count('add') == 1", "AssertionError: assert 0 == 1\nE    +  where 0 = count('add')", False),
        ("tools.register(sub)", "app.ToolError: tool 'sub' is registered already", False),
        ("tools.call('add')", "app.ToolError: tool 'add' is switched off", False),
        ("assert said == words", "AssertionError: assert \"'add' is there already\" == 'fine'", False),
        ("elsewhere.register(add)", "app.ToolError: tool 'add' is registered already", False),
    ],
)  # fmt: skip
def test_a_test_that_expects_nothing_finds_what_another_has_left(code: str, error: str, shared: bool) -> None:
    """The same thing there already, or once too often, in one module: shared state is suspected; another thing, or too few, joins nothing."""
    session = Session().fails("tests/test_a.py::test_empty", *raised("tests/test_a.py", 7, *_EMPTY))
    file = "tests/test_z.py" if "elsewhere" in code else "tests/test_a.py"
    session.fails(f"{file}::test_b", *raised("app/tools.py" if "Tool" in error else "tests/test_a.py", 14, code, error))
    assert (_rules(session) == [("found-again", 2)]) == shared


@pytest.mark.parametrize(
    ("code", "error", "rule"),
    [
        ("assert res.exit_code == 0, res.output", "AssertionError: error: A_TOKEN is not set, export it\nE   \nE   assert 1 == 0", "variable-told"),
        ("assert 'x' in res.output", "AssertionError: assert 'x' in 'error: A_TOKEN is not set\\n'", "variable-told"),
        ("assert 'A_TOKEN is not set' in res.output", "AssertionError: assert 'A_TOKEN is not set' in 'error: A_KEY is missing\\n'", "plain"),
        ("assert f(x) == y", "AssertionError: assert 'error: no such field' == 'ok'", "plain"),
    ],
)  # fmt: skip
def test_a_program_that_says_which_variable_it_lacks_is_believed(code: str, error: str, rule: str) -> None:
    """In what it printed, where the test expects its work; not where the test asks for those very words."""
    assert _rules(Session().fails("tests/test_a.py::test_a", *raised("tests/test_a.py", 7, code, error))) == [(rule, 1)]


@pytest.mark.parametrize(("sockets", "rule"), [(True, "event-not-come"), (False, "plain")])
def test_a_test_that_says_which_event_never_came_is_believed(sockets: bool, rule: str) -> None:
    """Its helper gives up in its own words, which is no imitation; without sockets an event may be a calendar's."""
    helper = "tests/test_ws.py" if sockets else "tests/test_days.py"
    code = (
        'raise AssertionError(f"event {name!r} never arrived, last was {ws!r}")'
        if sockets
        else "raise AssertionError(words)"
    )
    error = "AssertionError: event 'message.new' never arrived, last was 'message.seen'"
    session = Session().fails(f"{helper}::test_a", *raised(helper, 17, code, error, "next_event"))
    [cause] = session.explained().causes
    assert cause.rule == rule and (not sockets or "`message.new`" in cause.statement)


@pytest.mark.parametrize(("name", "rule"), [("postgres", "dialect-renamed"), ("firebird", "driver-missing")])
def test_the_name_that_sqlalchemy_gave_up_is_known(name: str, rule: str) -> None:
    """`postgres://` asks for no driver that could be installed."""
    error = f"sqlalchemy.exc.NoSuchModuleError: Can't load plugin: sqlalchemy.dialects:{name}"
    lines = raised(
        "/env/lib/python3.12/site-packages/sqlalchemy/util/langhelpers.py", 5, "raise exc.NoSuchModuleError(", error
    )
    assert _rules(Session().fails("tests/test_a.py::test_a", *lines)) == [(rule, 1)]
