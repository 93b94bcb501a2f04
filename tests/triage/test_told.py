"""What programs, schemas and a product's own checks say in their own words, and what the same words mean elsewhere."""

import pytest

from triage.texts import Session, raised

pytestmark = pytest.mark.l1


def _rules(code: str, error: str, where: str = "tests/test_it.py") -> list[str]:
    session = Session().fails("tests/test_it.py::test_it", *raised(where, 7, code, error))
    return [cause.rule for cause in session.explained().causes]


@pytest.mark.parametrize(
    ("code", "error", "rule"),
    [
        ("self.assertEqual(run('x'), (0, 'ok'))",
         "AssertionError: Tuples differ: (3, \"xlsx is not there: No module named 'openpyxl'\") != (0, 'ok')", "package-told"),
        ("self.assertEqual(last_error(), None)", "AssertionError: \"No module named 'openpyxl'\" != None", "plain"),
        ("assert run('c', '--to').output == 'x'", "AssertionError: assert 'Usage: c [OPTIONS]\\nNo such option: --to' == 'x'", "option-gone"),
        ("assert run('c', '--to').stderr == ''", "AssertionError: assert 'c: error: unrecognized arguments: --to EUR' == ''", "option-gone"),
        ("assert parse('--to').missing == ['x']", "AssertionError: assert ['--to'] == ['x']", "plain"),
        ("assert not r.errors", "AssertionError: Cannot query field 'title' on type 'Product'.\nE   assert not [GraphQLError()]", "query-unfit"),
        ("assert ask('title')", "AssertionError: cannot ask for title", "plain"),
        ("assert len(plan('a')) == 3", "TypeError: object of type 'coroutine' has no len()", "generator-as-value"),
        ("assert kind == 'roster'", "AssertionError: expected the roster after hello on the websocket, got 'roster.sync'", "event-not-come"),
        ("assert kind == 'roster'", "AssertionError: expected the roster after hello on the websocket, got 'error'", "plain"),
        ("assert day == 'monday'", "AssertionError: expected the monday after easter, got 'monday.next'", "plain"),
        ("await broker.drained()", "RuntimeError: await wasn't used with future", "other-loop"),
        ("assert client.get('/me').json() == {'a': 1}", "AssertionError: assert {'detail': 'not signed in'} == {'a': 1}", "unauthorized"),
    ],
)  # fmt: skip
def test_what_is_said_is_taken_for_what_it_means(code: str, error: str, rule: str) -> None:
    """A refused option, a package that is not there, a field of a schema; and the near misses of each."""
    assert _rules(code, error) == [rule]


@pytest.mark.parametrize(
    ("error", "rule"),
    [
        ("app.UnknownScheme: hash scheme sha1 is not supported", "scheme-unknown"),
        ("app.UnknownScheme: colour scheme sha1 is not supported", "plain"),
        ("graphql.GraphQLError: Signature has expired", "token-time"),
        ("app.codec.InvalidSignature: signature verification failed", "plain"),
    ],
)
def test_the_product_s_own_words_are_heard_where_they_name_the_thing(error: str, rule: str) -> None:
    """A hash that its check does not know, a library's words in another exception; not a signature of the product's own making."""
    assert _rules("raise error", error, "app/accounts.py") == [rule]


@pytest.mark.parametrize(("tests", "shared"), [(("a", "b"), True), (("a",), False)])
def test_two_tests_that_are_told_the_same_thing_is_there_share_it(tests: tuple[str, ...], shared: bool) -> None:
    """Each makes it in its own line, once; a count that should be nothing joins them. One test alone may make it twice."""
    session = Session()
    for name in tests:
        lines = (
            "tests/test_r.py:9: in test",
            '    registry.add("probe-1", zone)',
            "app/registry.py:5: in add",
            "    raise ValueError(device)",
        )
        session.fails(f"tests/test_r.py::test_{name}", *lines, "E   ValueError: device probe-1 already registered")
    session.fails(
        "tests/test_r.py::test_n",
        *raised("tests/test_r.py", 20, "self.assertEqual(len(registry), 0)", "AssertionError: 1 != 0"),
    )
    found = [(cause.rule, cause.blocks) for cause in session.explained().causes]
    assert (found == [("found-again", 3)]) == shared
