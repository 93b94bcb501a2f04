"""A fleet of the test's own."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fleet.fleet import Fleet
from support.postgres import PostgresDatabase
from support.standby import Pair, pair


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`make test` has a share of the faults; all of them are played where the whole run is on PostgreSQL (`make test-postgres`)."""
    if os.environ.get("QUINTET_TEST_DATABASE", "sqlite") == "postgres":
        return
    left = [item for item in items if item.get_closest_marker("long")]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


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
