"""A fleet of the test's own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fleet.fleet import Fleet
from support.postgres import PostgresDatabase
from support.standby import Pair, pair


@pytest.fixture
def fleet_of(tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    """Makes and starts a fleet, by default on a database of its own at the tests' PostgreSQL."""
    made: list[Fleet] = []

    def make(database: PostgresDatabase | None = None, *, gateways: int = 2, workers: int = 2, **more: Any) -> Fleet:
        fleet = Fleet(tmp_path, database or PostgresDatabase(), gateways=gateways, workers=workers, **more)
        made.append(fleet)
        fleet.start()
        return fleet

    yield make
    for fleet in made:
        fleet.end()


@pytest.fixture
async def both() -> AsyncIterator[Pair]:
    """A primary and a streaming standby of the test's own."""
    made = await pair()
    yield made
    await asyncio.to_thread(made.end)
