"""Asynchronous tests whose plugin is set up so that they fail: D13 to D16.

The order of scopes is pytest's own: function, class, module, package, session.
"""

import ast
from collections.abc import Iterator

from ..case import Case
from ..findings import Finding, Rule, rule
from ..syntax import Fixture, arguments, fixtures, imported, test_files, tests

__all__ = ["RULES"]

_SCOPES = ("function", "class", "module", "package", "session")


@rule(
    "D13",
    "P",
    "asyncio_mode is no mode, or asynchronous fixtures are left to plain pytest",
    fix='Set asyncio_mode = "auto", or decorate the fixture with @pytest_asyncio.fixture.',
)
def asyncio_mode(case: Case, this: Rule) -> Iterator[Finding]:
    mode = case.value("asyncio_mode")
    run = case.runs.main if case.runs else None
    if run and run.bad_mode:
        statement = f"pytest-asyncio refuses to start: asyncio_mode is {run.bad_mode!r}."
        yield this.certain(statement, *case.place("asyncio_mode"), fix="Write auto or strict.")
        return
    if mode not in ("", "auto", "strict"):
        yield this.suspect(
            f"asyncio_mode is {mode!r}; auto and strict exist.",
            *case.place("asyncio_mode"),
            fix="Write auto or strict.",
        )
        return
    if mode == "auto" or "--asyncio-mode=auto" in case.words("addopts") or not case.python.has("pytest-asyncio"):
        return
    if _others(case):
        return
    plain = [
        one
        for one in fixtures(case.tree)
        if isinstance(one.function, ast.AsyncFunctionDef) and one.maker in ("pytest.fixture", "fixture")
    ]
    if plain:
        names = ", ".join(dict.fromkeys(one.function.name for one in plain[:5]))
        statement = f"In strict mode pytest-asyncio leaves {len(plain)} asynchronous fixtures to pytest, which cannot run them: {names}."
        yield this.suspect(statement, plain[0].file, plain[0].function.lineno)


def _others(case: Case) -> bool:
    """Whether somebody else may run the asynchronous fixtures: anyio, trio, a plugin of the web framework."""
    if case.python.has("pytest-trio", "pytest-tornasync", "pytest-twisted", "pytest-sanic"):
        return True
    if (case.python.version("pytest-aiohttp") or (1,)) < (1,):  # since then it leaves fixtures to pytest-asyncio
        return True
    return any("anyio" in (case.tree.text(file) or "") for file, _ in test_files(case.tree))


@rule(
    "D14",
    "C",
    "pytest-asyncio and anyio both take every asynchronous test",
    fix="Let one of them be automatic: remove anyio_mode, or set asyncio_mode = strict.",
)
def two_automatics(case: Case, this: Rule) -> Iterator[Finding]:
    if case.value("asyncio_mode") == "auto" and case.value("anyio_mode") == "auto":
        both = case.python.has("pytest-asyncio") and (case.python.version("anyio") or ()) >= (4, 10)
        statement = "asyncio_mode and anyio_mode are both auto: two plugins take the same asynchronous tests and fixtures (anyio warns of it)."
        yield this.either(both, statement, *case.place("anyio_mode"))


@rule(
    "D15",
    "C",
    "The fixture event_loop is gone since pytest-asyncio 1.0",
    fix="Use asyncio.get_running_loop() in the asynchronous test, or loop_scope= of the marker or fixture.",
)
def no_event_loop(case: Case, this: Rule) -> Iterator[Finding]:
    version = case.python.version("pytest-asyncio")
    if version is None or version < (1,):
        return
    every = list(fixtures(case.tree))
    if any(one.function.name == "event_loop" or one.options.get("name") == "event_loop" for one in every):
        return
    asking = [(one.file, one.function) for one in every] + list(tests(case.tree))
    asking = [(file, function) for file, function in asking if "event_loop" in arguments(function)]
    if not asking:
        return
    absent = case.collected is not None and any(
        one[0] == "event_loop" for one in case.collected.said["absent_fixtures"]
    )
    sure = absent if case.runs else True
    file, function = asking[0]
    have = case.python.distributions["pytest-asyncio"]
    statement = f"{len(asking)} functions ask for the fixture event_loop, which pytest-asyncio {have} does not have; first: {function.name}."
    yield this.either(sure, statement, file, function.lineno)


@rule(
    "D16",
    "S",
    "An asynchronous fixture lives longer than the event loop of its tests",
    fix="Give the fixture and its tests one loop: loop_scope of both, or asyncio_default_test_loop_scope.",
)
def wider_than_its_loop(case: Case, this: Rule) -> Iterator[Finding]:
    if not case.python.has("pytest-asyncio") or _others(case):
        return
    of_tests = case.value("asyncio_default_test_loop_scope") or "function"
    default = case.value("asyncio_default_fixture_loop_scope")
    for one in fixtures(case.tree):
        scope = one.options.get("scope", "function")
        if not isinstance(one.function, ast.AsyncFunctionDef) or scope not in _SCOPES:
            continue
        loop = one.options.get("loop_scope") or default or scope
        if _wider(scope, loop):
            what = f"its event loop is made anew for every {loop}"
        elif _wider(scope, of_tests) and not _tests_have_a_scope(case, one):
            what = f"the tests that use it run in a loop of their own (scope {of_tests})"
        else:
            continue
        yield this.suspect(
            f"The fixture {one.function.name} has the scope {scope}, and {what}.", one.file, one.function.lineno
        )


def _wider(scope: str, loop: str) -> bool:
    return loop in _SCOPES and _SCOPES.index(scope) > _SCOPES.index(loop)


def _tests_have_a_scope(case: Case, fixture: Fixture) -> bool:
    return any(
        "loop_scope" in (case.tree.text(file) or "")
        for file, module in test_files(case.tree)
        if file != fixture.file or imported(module)
    )


RULES = (asyncio_mode, two_automatics, no_event_loop, wider_than_its_loop)
