"""One marker list for every invocation, and every unknown marker at once."""

import pytest

from support.project import Project

STRICT = """
    [tool.pytest.ini_options]
    addopts = "--strict-markers"
    filterwarnings = ["error"]
    [tool.quintet.test.markers]
    slow = "takes over a second"
"""
CARRYING = """
    import pytest

    pytestmark = pytest.mark.l1

    @pytest.mark.slow
    @pytest.mark.business_value(segment="Enterprise", goal="retention", weight=3)
    def test_it():
        pass
"""
UNKNOWN = """
    import pytest

    pytestmark = pytest.mark.legacy

    @pytest.mark.slwo
    @pytest.mark.django_db
    def test_it():
        pass

    class TestMore:
        @pytest.mark.slwo
        def test_more(self):
            pass
"""


@pytest.mark.l3
@pytest.mark.parametrize("folder", [".", "tests", "backend"])
def test_every_invocation_from_every_folder_knows_the_list(project: Project, folder: str) -> None:
    """The table's markers and the kit's own are known from any folder, also where another ini file has moved pytest's root."""
    project.write("pyproject.toml", STRICT)
    project.write("backend/pytest.ini", "[pytest]\naddopts = --strict-markers\n")
    project.write("tests/test_it.py", CARRYING)
    project.write("backend/test_that.py", CARRYING)
    outcome = project.run(folder=folder)
    assert outcome.code == 0, outcome.text


@pytest.mark.l3
@pytest.mark.parametrize("workers", [(), ("-n", "2")])
@pytest.mark.parametrize("strict", [True, False])
def test_all_unknown_markers_are_told_at_once(project: Project, workers: tuple[str, ...], strict: bool) -> None:
    """Strict or not, one usage error names every unknown marker with its places, nearest name, owner and other registrations."""
    project.write("pyproject.toml", STRICT if strict else "[tool.quintet.test.markers]\nslow = 'slow'\n")
    project.write("backend/pytest.ini", "[pytest]\nmarkers =\n    fast: quick\n    legacy(reason): old\n")
    project.write("test_one.py", UNKNOWN)
    project.write("test_two.py", "import pytest\n\n@pytest.mark.legacy\ndef test_two():\n    pass\n")
    outcome = project.run(*workers, plugins=("xdist.plugin",) if workers else ())
    assert outcome.code == pytest.ExitCode.USAGE_ERROR, outcome.text
    line = project.line
    outcome.says(
        "3 marker(s)",
        "django_db",
        f"test_one.py:{line('test_one.py', 'django_db')}",
        "pytest-django",
        "pip install pytest-django",
    )
    outcome.says(
        "legacy",
        "test_one.py:3",
        "test_two.py:3",
        "registered in backend/pytest.ini:4",
        "[tool.quintet.test.markers]: legacy =",
    )
    outcome.says("slwo", "test_one.py:5", "test_one.py:11", "nearest registered name: slow")
    assert "passed" not in outcome.text


@pytest.mark.l3
def test_a_project_that_asks_for_nothing_keeps_what_pytest_does(project: Project) -> None:
    """Without the table an unknown marker is pytest's warning, and the kit's own markers are as unknown as any."""
    project.write("test_it.py", "import pytest\n\n@pytest.mark.l3\n@pytest.mark.odd\ndef test_it():\n    pass\n")
    outcome = project.run()
    assert outcome.code == 0, outcome.text
    outcome.says("Unknown pytest.mark.", "Unknown pytest.mark.", "1 passed")


@pytest.mark.l3
def test_unknown_markers_can_be_left_to_pytest(project: Project) -> None:
    """`unknown_markers = "pytest"` switches the census off."""
    project.write("pyproject.toml", "[tool.quintet.test]\nunknown_markers = 'pytest'\n")
    project.write("test_it.py", "import pytest\n\n@pytest.mark.odd\ndef test_it():\n    pass\n")
    outcome = project.run()
    assert outcome.code == 0, outcome.text
    outcome.says("Unknown pytest.mark.odd", "1 passed")
