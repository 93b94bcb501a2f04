"""Variables that the project reads while it is collected, and that are not there, are named with file and line."""

import pytest

from support.project import Project

pytestmark = pytest.mark.l2

TESTS = """
    import os

    from settings import read

    os.getenv("BY_GETENV")
    os.environ.get("BY_GET")
    read("BY_INDEX")
    os.getenv("WITH_DEFAULT", "x")
    os.environ.get("WITH_DEFAULT_TOO", "")
    if "BY_IN" in os.environ:
        pass
    os.environ.pop("BY_POP", None)
    os.getenv("PATH")
    os.environ.setdefault("SET_HERE", "1")

    def test_it():
        os.getenv("IN_A_TEST")
    """
SETTINGS = """
    import os

    def read(name):
        try:
            return os.environ[name]
        except KeyError:
            return None
    """
HEADING = "variables read but absent during collection"


@pytest.mark.parametrize("workers", [0, 2])
def test_named(project: Project, workers: int) -> None:
    """Each reading without a default is named once; one with a default, a question whether it is there, and a test's own are not."""
    project.write("pyproject.toml", "[tool.quintet.test]\n")
    project.write("settings.py", SETTINGS)
    project.write("conftest.py", "import os\nos.getenv('IN_CONFTEST')\n")
    project.write("test_it.py", TESTS)
    outcome = project.run(*(["-n", str(workers)] if workers else []), plugins=("xdist",) if workers else ())
    outcome.count(passed=1)
    outcome.says(
        HEADING,
        'conftest.py:2: os.getenv("IN_CONFTEST")',
        f'settings.py:{project.line("settings.py", "return os.environ")}: os.environ["BY_INDEX"]',
        f'test_it.py:{project.line("test_it.py", "BY_GETENV")}: os.getenv("BY_GETENV")',
        f"test_it.py:{project.line('test_it.py', 'BY_GET')}".rpartition(":")[0],
        'os.environ.get("BY_GET")',
        "Give BY_GET, BY_GETENV, BY_INDEX, IN_CONFTEST a value",
    )
    for name in ("WITH_DEFAULT", 'BY_IN"', "BY_POP", "PATH", "SET_HERE", "IN_A_TEST"):
        assert name not in outcome.text.partition(HEADING)[2], outcome.text
    assert outcome.text.count('"BY_INDEX"') == 1


def test_collection_fails(project: Project) -> None:
    """It is said as well when the missing variable has broken the collection, and the trace ends at the project's own line."""
    project.write("pyproject.toml", "[tool.quintet.test]\n")
    project.write("test_it.py", "import os\nos.environ['BROKEN']\n")
    outcome = project.run()
    assert outcome.code == 2
    outcome.says(HEADING, 'test_it.py:2: os.environ["BROKEN"]')
    assert "spy.py" not in outcome.text


def test_nothing_absent(project: Project) -> None:
    """Where nothing is missing, nothing is said; and libraries of the project's folder do not count."""
    project.write("pyproject.toml", "[tool.quintet.test]\n")
    project.write(".venv/lib/python3/site-packages/library.py", "import os\nos.getenv('OF_A_LIBRARY')\n")
    project.write(
        "test_it.py",
        "import sys\nsys.path.append('.venv/lib/python3/site-packages')\nimport library\ndef test_it(): pass\n",
    )
    outcome = project.run()
    outcome.count(passed=1)
    assert HEADING not in outcome.text
