"""Projects to examine, and Pythons to examine them with."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from doctor.projects import PYTEST, Examine, Make, Pythons, environment, write
from quintet.doctor import Examination, examination


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes a project."""
    return lambda files: write(tmp_path / "project", files)


@pytest.fixture(scope="session")
def pythons(tmp_path_factory: pytest.TempPathFactory) -> Pythons:
    """Environments with pytest and the distributions that are asked for; each is made once."""
    made: dict[tuple[str, ...], Path] = {}

    def python(*names: str) -> Path:
        if names not in made:
            made[names] = environment(tmp_path_factory.mktemp("python"), (*PYTEST, *names))
        return made[names]

    return python


@pytest.fixture
def examined(make: Make, pythons: Pythons) -> Examine:
    """Makes a project and examines it, with a Python that has pytest alone if no other is given."""

    def result(files: Mapping[str, str], *, probe: bool = True, python: Path | None = None) -> Examination:
        return examination(make(files), probe=probe, python=python or pythons())

    return result
