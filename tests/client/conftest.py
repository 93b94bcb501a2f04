"""What the tests of the client share: a server that says what the test tells it to, and a client of it."""

from collections.abc import AsyncIterator

import pytest

from client.script import Script
from quintet.client import Client, connect


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    """A server that says what the test tells it to."""
    async with Script() as made:
        yield made


@pytest.fixture
async def client(script: Script) -> AsyncIterator[Client]:
    """A client of it, with little patience."""
    async with connect(script.url, token="tok", patience=5) as made:
        yield made
