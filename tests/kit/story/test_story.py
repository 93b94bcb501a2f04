"""A small tree with the failures of a real one: each is named with its fix, and after the fixes it is green."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.project import SOURCE, Project

pytestmark = pytest.mark.l3

TREE = Path(__file__).parents[3] / "examples" / "broken"
REMOVED = ("pytest.ini", "chat/pytest.ini", ".env.test")  # the fixes' first step, as the README says it


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The broken tree, in a repository of its own."""
    shutil.copytree(TREE / "story", tmp_path, dirs_exist_ok=True)
    (tmp_path / ".git").mkdir()
    return Project(tmp_path)


def configure(project: Project) -> None:
    for name in REMOVED:
        (project.root / name).unlink()
    shutil.copytree(TREE / "configured", project.root, dirs_exist_ok=True)


def repair(project: Project) -> None:
    shutil.copytree(TREE / "repaired", project.root, dirs_exist_ok=True)


def doctor(project: Project) -> subprocess.CompletedProcess[str]:
    """`quintet doctor` with the kit loaded, as where it is installed."""
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "COLUMNS": "300",
        "PYTHONPATH": str(SOURCE),
    }
    return subprocess.run(
        [sys.executable, "-c", "from quintet.cli import main; main(['doctor', '.'])"],
        cwd=project.root,
        env=variables | {"PYTEST_PLUGINS": "quintet.testing.plugin"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_the_doctor_names_what_the_configuration_breaks(project: Project) -> None:
    """Two ini files, two markers each known to one, a missing variable, a service that is not there: each with its place and its fix."""
    said = doctor(project)
    assert said.returncode == 1, said.stdout + said.stderr
    for words in (
        "They differ in asyncio_mode, markers",
        "Keep one configuration, at the root, and delete the other",
        f"pytest.ini does not know business_value (chat/tests/test_chat.py:{project.line('chat/tests/test_chat.py', 'business_value')})",
        f"chat/pytest.ini does not know l3 (chat/tests/test_chat.py:{project.line('chat/tests/test_chat.py', 'mark.l3')})",
        f"D18 courier/tokens.py:{project.line('courier/tokens.py', 'SECRET_KEY')}",
        "SECRET_KEY is read here when the tests are imported, and is not set",
        "[tool.quintet.test.env]",
        "DATABASE_URL points to postgresql at 127.0.0.1:54329, where nobody listens",
        "let the kit start it ([tool.quintet.test.services])",
    ):
        assert words in said.stdout, said.stdout


def test_the_kit_names_what_is_missing_where_it_is_switched_on(project: Project) -> None:
    """With no more than the table it knows the markers, and names the absent variable with its line and the service that nobody started."""
    project.write("pyproject.toml", "[tool.quintet.test]\nhang = 2\n")
    outcome = project.run(plugins=("pytest_asyncio.plugin",))
    assert outcome.code != 0
    outcome.says(
        "variables read but absent during collection",
        f"courier/tokens.py:{project.line('courier/tokens.py', 'SECRET_KEY')}",
    )
    outcome.says("SECRET_KEY", "[tool.quintet.test.env]")
    assert "business_value" not in outcome.text
    outcome = project.run("chat/tests", "-k", "kept", plugins=("pytest_asyncio.plugin",))
    outcome.says(
        "l3: nothing listens at the address that this test connects to",
        "fix: declare the service under [tool.quintet.test.services]",
    )


def test_the_kit_names_what_the_tests_and_the_code_break(project: Project) -> None:
    """Once the configuration is right two failures are left, each with its line: a wait that never ends, a mock nobody awaits."""
    configure(project)
    outcome = project.run("--quintet-hang=2", plugins=("pytest_asyncio.plugin",))
    outcome.count(passed=2, failed=2)
    waits = project.line("courier/feed.py", "await self.inbox.get()")
    calls = project.line("chat/tests/test_chat.py", "await laptop.next()")
    outcome.says(
        f"waits at courier/feed.py:{waits} in Device.next: call of chat/tests/test_chat.py::test_a_second_device_hears_the_answer",
        f"chat/tests/test_chat.py:{calls} in test_a_second_device_hears_the_answer",
        "postgres",
        "the coroutine of the mock 'mailer.send' was never awaited",
        f"made at courier/post.py:{project.line('courier/post.py', 'mailer.send(user')}",
        "fix: await the call",
    )


def test_after_the_fixes_it_is_green(project: Project) -> None:
    """From the root and from any folder, and the doctor finds nothing wrong."""
    configure(project)
    repair(project)
    project.run(plugins=("pytest_asyncio.plugin",)).count(passed=4, failed=0, errors=0)
    project.run("tests", folder="chat", plugins=("pytest_asyncio.plugin",)).count(passed=3, failed=0, errors=0)
    said = doctor(project)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "Nothing wrong" in said.stdout
