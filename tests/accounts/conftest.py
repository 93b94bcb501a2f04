"""Fixtures of accounts."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from accounts.house import CONFIG, SECRET, Clock, House, Opener, opened
from quintet.accounts import Secrets


@pytest.fixture
def clock() -> Clock:
    """The test's clock."""
    return Clock()


@pytest.fixture
async def house(tmp_path: Path, clock: Clock) -> AsyncIterator[House]:
    """Accounts under --dev with cheap hashes."""
    async with opened(tmp_path / "quintet.db", clock, CONFIG) as made:
        yield made


@pytest.fixture
def open_house(tmp_path: Path, clock: Clock) -> Opener:
    """Opens accounts with another configuration or secret, on the same database as `house` would have."""

    def make(secret: Secrets = SECRET, **changes: Any) -> Any:
        return opened(tmp_path / "quintet.db", clock, replace(CONFIG, **changes), secret)

    return make
