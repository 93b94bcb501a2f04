"""An ordinary bug is no matter of the surroundings: words that rules know, in tests of something else, lead to no cause that is not there."""

import pytest

from quintet.triage.model import Analysis
from triage.texts import Session, raised

pytestmark = pytest.mark.l1

_TMP = "/tmp/pytest-of-ann/pytest-7/test_save0"
_NO_FILE = "FileNotFoundError: [Errno 2] No such file or directory:"
_REFUSED = "PermissionError: [Errno 13] Permission denied: '/srv/plan.txt'"


def _run(*steps: tuple[str, str, str], error: str, test: str = "test_it", file: str = "tests/test_it.py") -> Session:
    lines = [line for path, number, code in steps for line in (f"{path}:{number}: in go", f"    {code}")]
    return Session().fails(f"{file}::{test}", *lines, *(f"E   {line}" for line in error.split("\n")))


def _causes(analysis: Analysis) -> list[tuple[str, str]]:
    return [(cause.rule, cause.certainty) for cause in analysis.causes]


_TEST = "tests/test_it.py"


@pytest.mark.parametrize(
    ("asked", "product", "error"),
    [
        ('require(parse("RETRIES=0"), "RETRIES")', "raise RuntimeError(n)", "RuntimeError: missing setting RETRIES"),
        ('assert parse("port=80").port == 80', "return self[name.upper()]", "KeyError: 'PORT'"),
        ('Store(tmp_path).save("a", {})', "(self.root / name).write_text(text)", f"{_NO_FILE} '{_TMP}/a/d.json'"),
        ('Store(tmp_path).load("a")', "return self.file.read_text()", f"{_NO_FILE} '{_TMP}/a.json'"),
        ('load({"a": 1})', "return LOADED['PORT']", "KeyError: 'PORT'"),
        ('fs.read("/srv/plan.txt", BOB)', "raise PermissionError(EACCES, 'no', path)", _REFUSED),
        ('assert find("hall").is_connected("b")', "", "AssertionError: assert False\n +  where False = is_connected('b')"),
        ('assert received[0]["to"] == "bob"', "", "IndexError: list index out of range"),
        ('assert state["winner"] == "ann"', "", "KeyError: 'winner'"),
        ('assert Conn("https://x").protocol == "https"', "", "AssertionError: assert None == 'https'\n +  where None = Conn(protocol=None).protocol"),
        ('assert slug("Carrot Cake") in slugs', "", "AssertionError: assert 'carrot_cake' in ['carrot-cake']"),
        ("status = access('editor')", "", "AssertionError: assert 403 == 200"),
        ('assert limiter.check("a") == 200', "", "AssertionError: assert 429 == 200"),
    ],
)  # fmt: skip
def test_what_a_test_gives_itself_or_only_sounds_alike_is_a_plain_failure(asked: str, product: str, error: str) -> None:
    """A setting that the test writes out, a file in the test's own folder, a graph that is connected: nobody is sent to the surroundings."""
    steps = [(_TEST, "7", asked), *([("app/conf_store.py", "9", product)] if product else [])]
    analysis = _run(*steps, error=error, test="test_limit").explained()
    found = [cause for cause in analysis.causes if cause.category not in ("assertion", "drift")]
    assert not found, [(cause.rule, cause.statement) for cause in found]


@pytest.mark.parametrize(
    ("asked", "product", "error", "rule"),
    [
        ("create_app()", "raise RuntimeError(n)", "RuntimeError: missing setting RETRIES", "variables-missing"),
        ("Store().save('a')", "(self.root / name).write_text(text)", f"{_NO_FILE} '/srv/a/d.json'",
         "cannot-be-made"),
        ("save('a')", "Path('/srv/plan.txt').write_text(text)", _REFUSED, "not-permitted"),
        ("assert websocket.is_connected()", "", "AssertionError: assert False\n +  where False = is_connected()", "not-accepted"),
        ("assert client.get('/x').status_code == 200", "", "AssertionError: assert 403 == 200", "unauthorized"),
        ("assert client.get('/x').status_code == 200", "", "AssertionError: assert 429 == 200", "rate-limited"),
    ],
)  # fmt: skip
def test_the_same_words_beside_the_real_thing_keep_their_meaning(
    asked: str, product: str, error: str, rule: str
) -> None:
    """The near miss of each: nothing is given, the path is the machine's, the line speaks of sockets or requests."""
    steps = [(_TEST, "7", asked), *([("app/conf_store.py", "9", product)] if product else [])]
    assert [cause.rule for cause in _run(*steps, error=error, test="test_limit").explained().causes] == [rule]


def test_where_no_line_is_shown_the_words_alone_are_believed_as_before() -> None:
    """A summary without code cannot tell a limiter's own test, or a number that is no status; a test named for something else can."""
    for number, rule in ((429, "rate-limited"), (403, "unauthorized")):
        bare = Session().fails(f"{_TEST}::test_limit", f"E   AssertionError: assert {number} == 200")
        assert [cause.rule for cause in bare.explained().causes] == [rule]
    steps = ((_TEST, "7", "assert check('a') == 200"),)
    assert _causes(_run(*steps, error="AssertionError: assert 429 == 200").explained()) == [("rate-limited", "suspect")]


@pytest.mark.parametrize(
    ("asked", "product", "error", "rule"),
    [
        ('register("upper")(str.upper)', "raise ValueError(name)", "ValueError: plugin upper is already registered", "registered-twice"),
        ('users.add("ann@x.org")', 'self.db.execute("insert into users values (?)", row)',
         "sqlite3.IntegrityError: UNIQUE constraint failed: users.email", "left-over"),
        ('assert client.token({"access_token": "t"})', 'return answer["token"]', "KeyError: 'token'", "login-first"),
    ],
)  # fmt: skip
def test_what_one_test_may_do_itself_is_a_suspicion_with_its_doubt(
    asked: str, product: str, error: str, rule: str
) -> None:
    """One test alone, straight into the product: it may do it twice, or give the wrong thing. Of two tests the rule is as sure as before."""
    steps = ((_TEST, "7", asked), ("app/client.py", "9", product))
    session = _run(*steps, error=error)
    [cause] = session.explained().causes
    assert (cause.rule, cause.certainty) == (rule, "suspect")
    assert any(word in cause.counter[0] for word in ("may do it twice", "The test itself gives"))
    if rule != "login-first":
        again = _run(*steps, error=error, test="test_two")
        session.fails(f"{_TEST}::test_two", *again.failures[1:])
        assert _causes(session.explained()) == [(rule, "probable")]


@pytest.mark.parametrize(("other", "near"), [("users", True), ("orders", False), ("users join usere", False)])
def test_a_table_of_nearly_the_same_name_is_named(other: str, near: bool) -> None:
    """`user` beside `users`: the schema was made, so nobody is sent to make it first."""
    session = _run(
        ("app/db.py", "9", 'db.execute("select * from user")'), error="sqlite3.OperationalError: no such table: user"
    )
    line = f'self.db.execute("insert into {other} values (?)", row)'
    session.fails(f"{_TEST}::test_b", *raised("app/db.py", 12, line, "ValueError: no"))
    found = next(cause for cause in session.explained().causes if cause.rule == "schema-of-file")
    assert (f"speaks of `{other}`" in found.statement, found.certainty) == ((near), "suspect" if near else "probable")


def test_what_the_system_refuses_is_raised_in_its_own_modules() -> None:
    """`subprocess` raises what the child met: not the product's own rules."""
    code = ("/usr/lib/python3.12/subprocess.py", "1950", "raise child_exception_type(errno_num, err_msg, err_filename)")
    [cause] = _run((_TEST, "7", "run()"), ("app/run.py", "9", "Popen(c)"), code, error=_REFUSED).explained().causes
    assert (cause.rule, cause.certainty) == ("not-permitted", "probable")


def test_a_column_that_the_test_fills_may_be_missing_all_the_same() -> None:
    """`create(note="x")` gives a value, not the schema."""
    code = ("app/db.py", "9", "return self.execute(sql)")
    error = "sqlite3.OperationalError: table app_order has no column named note"
    [cause] = _run((_TEST, "7", 'Order.create(note="x")'), code, error=error).explained().causes
    assert (cause.rule, cause.subject) == ("schema-missing", "note")


def test_a_whole_command_as_the_name_of_a_program_is_no_missing_file() -> None:
    """`subprocess.run(["python -c 'x'"])`: nothing is missing on the machine."""
    code = ("/usr/lib/python3.12/subprocess.py", "1950", "raise child_exception_type(errno_num, err_msg, err_filename)")
    one = _run(
        (_TEST, "7", "run(task)"),
        ("app/run.py", "9", "subprocess.run([c])"),
        code,
        error=f"{_NO_FILE} 'python -c \"x\"'",
    )
    two = _run(
        (_TEST, "7", "run(task)"), ("app/run.py", "9", "subprocess.run([c])"), code, error=f"{_NO_FILE} 'ffmpeg'"
    )
    assert [cause.rule for run in (one, two) for cause in run.explained().causes] == [
        "command-as-program",
        "program-missing",
    ]


@pytest.mark.parametrize(
    ("near", "rule"), [("JOIN", "statement-unread"), ("RETURNING", "dialect"), (",", "statement-unread")]
)
def test_a_statement_in_a_wrong_order_is_not_taken_for_another_dialect(near: str, rule: str) -> None:
    """A word that every database knows says nothing about which one was meant; one of PostgreSQL's does."""
    code = ("app/db.py", "9", "db.execute(query.sql())")
    found = _run(
        (_TEST, "7", "run()"), code, error=f'sqlite3.OperationalError: near "{near}": syntax error'
    ).explained()
    assert _causes(found) == [(rule, "suspect" if rule == "statement-unread" else "probable")]


@pytest.mark.parametrize(("extra", "together"), [("ann@x.org", True), ("bob@x.org", False)])
def test_a_thing_that_is_there_already_and_too_many_elsewhere_is_shared_state(extra: str, together: bool) -> None:
    """One test is told that it exists, another finds that very thing where it expects none; another thing joins nothing."""
    session = _run(
        (_TEST, "7", 'add("ann@x.org")'),
        ("app/news.py", "9", "raise AlreadySubscribed(key)"),
        error="app.AlreadySubscribed: ann@x.org",
    )
    words = f"AssertionError: assert ['{extra}'] == []\n  \n  Left contains one more item: '{extra}'"
    session.fails(f"{_TEST}::test_b", *_run((_TEST, "12", "assert all_of() == []"), error=words).failures[1:])
    assert (_causes(session.explained()) == [("found-again", "suspect")]) == together
