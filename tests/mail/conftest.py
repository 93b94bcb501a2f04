"""Accounts that write letters, to the kit's own mail server on loopback."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from accounts.house import CONFIG, Clock, Opener, opened
from mail.office import Office
from quintet.testing import Mailbox


@pytest.fixture
def clock() -> Clock:
    """The test's clock."""
    return Clock()


@pytest.fixture
def open_office(tmp_path: Path, clock: Clock, mailbox: Mailbox) -> Opener:
    """Opens accounts with another configuration, on the same database; an async context manager that gives an `Office`."""

    def make(**changes: Any) -> Any:
        return Office.opened(
            opened(tmp_path / "quintet.db", clock, replace(CONFIG, **changes), mail=mailbox.url), mailbox
        )

    return make


@pytest.fixture
async def office(open_office: Opener) -> AsyncIterator[Office]:
    """Open sign-up, addresses need not be confirmed."""
    async with open_office() as made:
        yield made


@pytest.fixture
async def strict(open_office: Opener) -> AsyncIterator[Office]:
    """Addresses have to be confirmed."""
    async with open_office(verify_email=True) as made:
        yield made
