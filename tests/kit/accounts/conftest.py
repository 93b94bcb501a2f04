"""The fixtures under test, at a server that the kit starts."""

from collections.abc import Iterator

import pytest

from quintet.testing.accounts.hooks import user, user_factory
from quintet.testing.services.quintet import QuintetServer
from quintet.testing.sockets.hooks import connect

__all__ = ["connect", "server", "user", "user_factory"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QuintetServer]:
    """A server as the kit starts it for a project."""
    made = QuintetServer(tmp_path_factory.mktemp("server"))
    try:
        made.start()
        yield made
    finally:
        made.end()
