"""Staying signed in: renewal before the end, one at a time, and through whatever dies between."""

import asyncio
import contextlib
import random
from contextlib import AbstractAsyncContextManager

import pytest

from client.wire import Cutter
from quintet.client import (
    CaughtUp,
    Grant,
    Http,
    Received,
    RefusedError,
    Session,
    SignedOutError,
    connect,
    parse_address,
)
from support.server import Factory
from support.world import World

pytestmark = pytest.mark.l3
STEP = 30.0
SHORT = {"QUINTET_ACCESS_TOKEN_SECONDS": "2", "QUINTET_TOKEN_LEEWAY_SECONDS": "0"}


class Noted:
    """A keeping that remembers everything it was given."""

    def __init__(self, refresh_token: str) -> None:
        self.grants = [Grant(refresh_token)]

    def held(self) -> AbstractAsyncContextManager[None]:
        """Nobody else is there."""
        return contextlib.nullcontext()

    def read(self) -> Grant:
        """The newest."""
        return self.grants[-1]

    def write(self, grant: Grant) -> None:
        """One more."""
        self.grants.append(grant)


async def test_a_reader_outlives_many_tokens_on_one_socket(server_factory: Factory) -> None:
    """Tokens of three seconds: the socket is renewed in-band again and again and never lost, and no token is asked for twice a second."""
    server = server_factory(environment={**SHORT, "QUINTET_ACCESS_TOKEN_SECONDS": "3"})
    async with World(server) as world:
        alice = await world.user()
        keeping = Noted(alice.refresh_token)
        async with Cutter(server.port, random.Random(1)) as wire:
            async with connect(wire.url, session=Session(keeping=keeping)) as client:
                run = client.run('{"steps": 60, "pause": 0.1}', agent="stepper")
                assert (await asyncio.wait_for(run.finished(), STEP)).type == "agent_completed"
            upgrades = [call for call in wire.calls if b"/v1/ws" in call]
    renewals = [grant for grant in keeping.grants[1:] if grant.attempt_id is None]
    assert len(upgrades) == 1, upgrades
    assert 2 <= len(renewals) <= 12, f"{len(renewals)} renewals in about 6 s"


async def test_a_token_that_ended_unnoticed_is_renewed(server_factory: Factory) -> None:
    """The connection is away while the token ends: the next one is opened with a new token."""
    server = server_factory(environment=SHORT)
    async with World(server) as world:
        alice = await world.user()
        async with connect(server.url, session=Session(alice.refresh_token)) as client:
            items = client.follow("0")
            assert isinstance(await asyncio.wait_for(anext(items), STEP), CaughtUp)
            await asyncio.to_thread(server.kill)
            await asyncio.sleep(2.2)  # the time itself: longer than the life of the token
            await asyncio.to_thread(server.start)
            run = client.run("still me", agent="echo")
            ending = await asyncio.wait_for(run.finished(), STEP)
            async with asyncio.timeout(STEP):
                while not isinstance(item := await anext(items), Received) or item.cursor != ending.cursor:
                    pass
            await items.aclose()


async def test_many_at_once_renew_once(world: World) -> None:
    """Twenty calls without a token: one renewal, one use of the refresh token."""
    alice = await world.user()
    keeping = Noted(alice.refresh_token)
    session = Session(keeping=keeping)
    http = Http(parse_address(world.server.url))
    accesses = await asyncio.gather(*(session.access(http) for _ in range(20)))
    await http.close()
    assert len({access.token for access in accesses}) == 1
    assert len(keeping.grants) == 3, "the first, the attempt, the answer"


async def test_an_answer_that_was_lost_is_asked_for_again(world: World) -> None:
    """The connection is cut after the server has renewed: the same attempt gives the same answer, and the session lives."""
    alice = await world.user()
    keeping = Noted(alice.refresh_token)
    async with Cutter(world.server.port, random.Random(2), least=30, most=30) as wire:
        wire.cutting = True
        http = Http(parse_address(wire.url))
        renewing = asyncio.create_task(Session(keeping=keeping).access(http))
        async with asyncio.timeout(STEP):
            while not wire.cuts:
                await asyncio.sleep(0.01)
        wire.cutting = False
        access = await asyncio.wait_for(renewing, STEP)
        await http.close()
    assert [bool(grant.attempt_id) for grant in keeping.grants] == [False, True, False]
    async with connect(world.server.url, token=access.token) as client:
        assert client.user["id"] == alice.id


async def test_whoever_waits_may_leave(world: World) -> None:
    """A renewal is not cancelled with the one who asked for it: its answer is kept."""
    alice = await world.user()
    keeping = Noted(alice.refresh_token)
    session, http = Session(keeping=keeping), Http(parse_address(world.server.url))
    asking = asyncio.create_task(session.access(http))
    async with asyncio.timeout(STEP):
        while len(keeping.grants) < 2:
            await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await session.settle()
    await http.close()
    assert keeping.grants[-1].attempt_id is None
    assert keeping.grants[-1].refresh_token != alice.refresh_token


async def test_a_token_that_others_used_is_not_sent_again(world: World) -> None:
    """409 `refresh_conflict`: the token is not repeated (a late reuse would end the session); the kept one is looked for, and taken."""
    alice = await world.user()
    keeping, http = Noted(alice.refresh_token), Http(parse_address(world.server.url))
    told = await http.call(
        "POST", "/v1/auth/refresh", body={"refresh_token": alice.refresh_token, "attempt_id": "else"}
    )
    async with Cutter(world.server.port, random.Random(3)) as wire:
        through = Http(parse_address(wire.url))
        renewing = asyncio.create_task(Session(keeping=keeping).access(through))
        async with asyncio.timeout(STEP):
            while not wire.calls:
                await asyncio.sleep(0.01)
        await asyncio.sleep(1)  # the time itself: several looks of the client at what is kept
        assert len([call for call in wire.calls if b"refresh" in call]) == 1, wire.calls
        keeping.write(Grant(told["refresh_token"]))
        access = await asyncio.wait_for(renewing, STEP)
        await through.close()
    await http.close()
    async with connect(world.server.url, token=access.token) as client:
        assert client.user["id"] == alice.id


async def test_a_session_that_was_ended_is_said_to_be(world: World) -> None:
    """After a sign-out the refresh token gives `SignedOutError`, at the entry."""
    alice = await world.user()
    assert (await alice.http.post("/v1/auth/logout")).status_code == 204
    with pytest.raises(SignedOutError):
        async with connect(world.server.url, session=Session(alice.refresh_token)):
            pass
    assert issubclass(SignedOutError, RefusedError)
