"""An administrator at a real server: made by the command, on the server's host."""

import asyncio

import pytest

from administration.operator import Operator
from quintet.testing.accounts.account import Account
from support.server import Server
from support.world import World


@pytest.fixture
async def operator(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """Whoever runs commands beside the server."""
    return Operator(server, await asyncio.to_thread(tmp_path_factory.mktemp, "operator"))


@pytest.fixture
async def admin(world: World, operator: Operator) -> Account:
    """A user with the role `admin`."""
    account = await world.user()
    await operator.fine("user", "role", account.email, "admin")
    return account
