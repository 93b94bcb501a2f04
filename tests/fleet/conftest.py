"""A fleet of the test's own."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fleet.fleet import Fleet
from quintet.testing.services.command import CommandService
from quintet.testing.services.postgres.server import PostgresServer
from support.postgres import PostgresDatabase, own_server
from support.standby import Pair, pair
from support.valkey import valkey_in


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`make test` has a share of the faults; all of them are played where the whole run is on PostgreSQL (`make test-postgres`), and all
    that is planted where nothing else is (`make sabotage`)."""
    if config.option.markexpr == "sabotage":
        return
    everywhere = os.environ.get("QUINTET_TEST_DATABASE", "sqlite") == "postgres"
    left = [
        item
        for item in items
        if item.get_closest_marker("long") and not (everywhere and item.get_closest_marker("sabotage") is None)
    ]
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
def own() -> Iterator[PostgresServer]:
    """A PostgreSQL that the test may stop."""
    made = own_server()
    yield made
    made.end()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[CommandService]:
    """A Valkey of the test's own."""
    made = valkey_in(tmp_path / "valkey")
    made.start()
    yield made
    made.end()


@pytest.fixture
async def both() -> AsyncIterator[Pair]:
    """A primary and a streaming standby of the test's own."""
    made = await pair()
    yield made
    await asyncio.to_thread(made.end)
