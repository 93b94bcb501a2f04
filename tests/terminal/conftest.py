"""People at terminals."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.server import Server
from terminal.person import Person


@pytest.fixture
def stranger(server: Server, tmp_path: Path) -> Iterator[Person]:
    """Somebody without an account."""
    person = Person(server, tmp_path)
    yield person
    for terminal in person.terminals:
        terminal.close()


@pytest.fixture
def person(stranger: Person) -> Person:
    """Somebody who is signed in."""
    stranger.register()
    return stranger
