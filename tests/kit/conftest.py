"""What the tests of the kit share."""

from pathlib import Path

import pytest

from support.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project, which is a repository of its own."""
    (tmp_path / ".git").mkdir()
    return Project(tmp_path)
