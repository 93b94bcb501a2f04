"""A coroutine that nobody awaits fails the test that made it, and no other."""

import pytest

from support.project import Project

TESTS = """
    import warnings
    from unittest.mock import AsyncMock, patch

    import pytest

    class Api:
        async def send(self, text):
            pass

    def notify(api):
        api.send("hello")  # not awaited

    def test_mock():
        notify(AsyncMock(name="api"))

    def test_patched():
        with patch.object(Api, "send"):
            notify(Api())

    def test_in_a_cycle():
        kept = [Api().send("x")]  # in a cycle
        kept.append(kept)

    def test_fails_by_itself():
        kept = Api().send("x")
        assert kept is None

    def test_innocent():
        pass

    @pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
    def test_ignored():
        notify(Api())

    @pytest.fixture
    def careless():
        yield
        notify(Api())

    def test_teardown(careless):
        pass
"""


@pytest.mark.l3
@pytest.mark.parametrize("strict", [True, False])
def test_the_mock_and_the_line_are_named(project: Project, strict: bool) -> None:
    """Whether warnings are errors or not, the test itself fails, by the mock's name and the line; what the project ignores is ignored."""
    filters = "[tool.pytest.ini_options]\nfilterwarnings = ['error']\n" if strict else ""
    project.write("pyproject.toml", f"[tool.quintet.test]\n{filters}")
    project.write("test_it.py", TESTS)
    outcome = project.run("-q")
    place = f"made at test_it.py:{project.line('test_it.py', 'not awaited')} in notify"
    outcome.says("ERROR at teardown of test_teardown", f"the coroutine 'Api.send' was never awaited, {place}")
    outcome.says(
        " test_mock ", f"the coroutine of the mock 'api.send' was never awaited, {place}", "fix: await the call"
    )
    outcome.says(" test_patched ", f"the coroutine of the mock 'send' was never awaited, {place}")
    outcome.says(
        " test_in_a_cycle ", f"was never awaited, made at test_it.py:{project.line('test_it.py', 'in a cycle')}"
    )
    outcome.says(" test_fails_by_itself ", "assert")
    outcome.count(passed=3, failed=4, errors=1)


@pytest.mark.l3
def test_a_project_that_asks_for_nothing_keeps_the_warning(project: Project) -> None:
    """Without the table it is Python's warning, as ever."""
    project.write("test_it.py", TESTS)
    outcome = project.run("-q", "-k", "test_mock or test_innocent")
    outcome.count(passed=2)
    outcome.says("was never awaited")
