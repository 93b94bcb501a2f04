"""Where in a tree a marker is registered."""

import pytest

from quintet.testing.markers.elsewhere import registered
from support.project import Project


@pytest.mark.l1
def test_every_kind_of_file_that_can_register_is_read(project: Project) -> None:
    """Each ini file's own spelling, TOML and conftest are read with file and line; comments, other sections and broken files are not."""
    project.write(
        "pytest.ini",
        "[pytest]\nmarkers =\n    # ini0: a comment\n    ini1(n): one\n    ini2\naddopts = -q\n    not_a_marker: no\n",
    )
    project.write("a/tox.ini", "[tox]\nmarkers = no: no\n[pytest]\nmarkers = tox1: one\n")
    project.write("a/setup.cfg", "[tool:pytest]\nmarkers:\n  cfg1: one\n[pytest]\nmarkers = no: no\n")
    project.write("b/pyproject.toml", '[tool.pytest.ini_options]\nmarkers = [\n  "toml1: one",\n]\n')
    project.write("c/pytest.toml", '[pytest]\nmarkers = ["toml2: two"]\n')
    project.write(
        "c/conftest.py", 'def pytest_configure(config):\n    config.addinivalue_line("markers", "conf1: one")\n'
    )
    project.write("d/pyproject.toml", "[tool.pytest\n")
    project.write("d/conftest.py", "def addinivalue_line(:\n")
    project.write("node_modules/pytest.ini", "[pytest]\nmarkers = no: no\n")
    found = {one.marker: f"{one.file.relative_to(project.root)}:{one.line}" for one in registered(project.root)}
    assert found == {
        "ini1": "pytest.ini:4",
        "ini2": "pytest.ini:5",
        "tox1": "a/tox.ini:4",
        "cfg1": "a/setup.cfg:3",
        "toml1": "b/pyproject.toml:3",
        "toml2": "c/pytest.toml:2",
        "conf1": "c/conftest.py:2",
    }
