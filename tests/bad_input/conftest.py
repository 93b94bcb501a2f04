"""A server of their own for everybody who sends rubbish, so that its log is theirs too."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator

import pytest

from bad_input.ground import Ground
from quintet.testing.accounts.account import register_many
from support.forging import forged_tokens, misused_tokens, signing_key
from support.server import Server, running
from support.world import World

KEY = "signing-" + secrets.token_urlsafe(48)


@pytest.fixture(scope="module")
def pelted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server."""
    with running(Server(tmp_path_factory.mktemp("pelted"), environment={"QUINTET_SECRET_KEY": KEY})) as server:
        yield server


@pytest.fixture(scope="module")
def standing(pelted: Server, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """Two users, and every token that somebody could make who has seen one of theirs."""
    alice, bob = register_many(pelted, 2)
    key = asyncio.run(signing_key(pelted, KEY, tmp_path_factory.mktemp("copy")))
    tokens = forged_tokens(alice, key.as_dict(private=False)) | misused_tokens(alice, key)
    return Ground(World(pelted), alice, bob, tokens)


@pytest.fixture
async def ground(standing: Ground, pelted: Server) -> AsyncIterator[Ground]:
    """The ground of one row. Afterwards the server stands, nothing was stored, and no stack trace is in its log."""
    before = pelted.log.stat().st_size
    async with World(pelted) as world:
        yield Ground(world, standing.alice, standing.bob, standing.tokens)
        snapshot = await standing.alice.snapshot()
        assert (snapshot["last_seq"], snapshot["threads"]) == (0, []), "something was stored"
        assert "Traceback" not in pelted.logged(before), pelted.tail()
