"""A server that the kit starts, for the accounts of its fixtures."""

from collections.abc import Iterator

import pytest

from quintet.testing.services.quintet import QuintetServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QuintetServer]:
    """A server as the kit starts it for a project."""
    made = QuintetServer(tmp_path_factory.mktemp("server"))
    try:
        made.start()
        yield made
    finally:
        made.end()
