"""Every kind of hang ends within its limit and two seconds, with a report that names the line."""

import re
import textwrap
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kit.hang import hangs
from support.project import Outcome, Project

PARTS = (hangs.AWAITS, hangs.BLOCKS, hangs.IN_LOOP, hangs.FIXTURES, hangs.SWALLOWS, hangs.LAST)
ALL = "\n\n".join(textwrap.dedent(part).strip() for part in (hangs.CLIENT, *PARTS)) + "\n"
ENDS = hangs.LIMIT + 2.0


class Results:
    """What one run of all the hangs has said about each."""

    def __init__(self, project: Project, outcome: Outcome, file: str) -> None:
        self.project = project
        self.outcome = outcome
        self.cases = {
            case.get("name", ""): case for case in ElementTree.parse(project.root / "out.xml").iter("testcase")
        }
        self.file = file

    def story(self, name: str) -> str:
        """The report of one test; it took no longer than it may."""
        case = self.cases[name]
        found = [(one.text or "") for kind in ("failure", "error") for one in case.iter(kind)]
        assert len(found) == 1, f"{name} is told {len(found)} times\n{self.outcome.text}"
        assert float(case.get("time", "99")) < ENDS, f"{name} took {case.get('time')} s\n{found[0]}"
        return found[0]

    def place(self, text: str) -> str:
        """File and line of a text of the project."""
        return f"{self.file}:{self.project.line(self.file, text)}"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """One run of all of them under pytest-asyncio."""
    return _run(tmp_path_factory.mktemp("hangs"), ALL, hangs.TABLE, "pytest_asyncio.plugin")


def _run(folder: Path, text: str, table: str, plugin: str) -> Results:
    (folder / ".git").mkdir()
    project = Project(folder)
    project.write("pyproject.toml", table)
    project.write("test_hangs.py", text)
    outcome = project.run("--junitxml=out.xml", plugins=(plugin,), within=90)
    return Results(project, outcome, "test_hangs.py")


@pytest.mark.l3
def test_an_await_that_never_ends_names_the_users_line(results: Results) -> None:
    """Through coroutines, an async generator and a queue; with the other tasks and the open connection; the task is cancelled."""
    story = results.story("test_await")
    assert (
        f"waits at {results.file}:{results.project.line(results.file, 'return await self.inbox.get()')} in Client.next"
        in story
    )
    assert f"{results.place('the line that waits')} in forwards.<locals>.relay: yield await client.next()" in story
    assert "the listener" in story
    assert results.place("the other line") in story
    assert re.search(r"tcp 127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+", story)
    assert "selectors.py" not in story
    assert "ended by: cancelling the task that pytest waited for" in story


@pytest.mark.l3
@pytest.mark.parametrize(
    ("name", "line", "words"),
    [
        ("test_spins", "await asyncio.sleep(0)", "cancelling the task"),
        ("test_group", "async with asyncio.TaskGroup() as group", "in the group"),
        ("test_recv", "left.recv(1)", "an exception in the main thread"),
        ("test_lock", "lock.acquire()", "an exception in the main thread"),
        ("test_join", "thread.join()", "worker: test_hangs.py:"),
        ("test_sleeps_in_loop", "time.sleep(60)", "which is blocked"),
        ("test_another_task_sleeps", "in the other task", "which is blocked"),
        ("test_setup", "never ready", "setup of test_hangs.py::test_setup"),
        ("test_teardown", "never closed", "teardown of test_hangs.py::test_teardown"),
        ("test_sync_teardown", "never stopped", "teardown of test_hangs.py::test_sync_teardown"),
        ("test_swallows", "swallows", "the tasks that swallow cancellation"),
        ("test_group_swallows", "async with asyncio.TaskGroup() as group", "the tasks that swallow cancellation"),
        ("test_swallows_all_but_ends", "time.sleep(60)", "an exception in the main thread"),
    ],
)
def test_each_kind_ends_in_time_and_names_its_line(results: Results, name: str, line: str, words: str) -> None:
    """A blocking call, a blocked loop, a fixture's setup or teardown, a swallowed cancellation."""
    story = results.story(name)
    found = re.match(r"waits at test_hangs\.py:(\d+) in ", story)
    assert found, story
    source = (results.project.root / results.file).read_text("utf-8").splitlines()[int(found[1]) - 1]
    assert line in source, story
    assert words in story, story


@pytest.mark.l3
def test_what_came_before_is_torn_down_and_what_comes_after_runs(results: Results) -> None:
    """Every test's other fixture is torn down, and the last test passes."""
    names = [name for name in results.cases if name != "test_last"]
    assert len(names) >= 14
    assert (results.project.root / "torn-down.txt").read_text("utf-8").count("once") == len(names) + 1
    assert not list(results.cases["test_last"])


@pytest.mark.l3
def test_anyio_is_watched_too(tmp_path: Path) -> None:
    """Its own task, which runs all tests, lives on; the test in it ends and names its line; fixtures are torn down in it."""
    table = hangs.TABLE.replace("asyncio_mode", "#").replace("asyncio_default", "#")
    results = _run(tmp_path, hangs.ANYIO, table, "anyio.pytest_plugin")
    lines = {
        "await": "await anyio.Event().wait()",
        "group": "async with anyio.create_task_group()",
        "swallows": "await anyio.sleep(60)",
        "sleeps_in_loop": "time.sleep(60)",
        "teardown": "never closed",
    }
    backends = sorted({name.partition("[")[2] for name in results.cases})
    assert "asyncio]" in backends
    for backend in backends:
        for name, line in lines.items():
            story = results.story(f"test_{name}[{backend}")
            found = re.match(r"waits at test_hangs\.py:(\d+) in ", story)
            assert found, story
            assert line in (tmp_path / results.file).read_text("utf-8").splitlines()[int(found[1]) - 1], story
        assert not list(results.cases[f"test_last[{backend}"])
    assert (tmp_path / "torn-down.txt").read_text("utf-8").count("once") == 6 * len(backends)
