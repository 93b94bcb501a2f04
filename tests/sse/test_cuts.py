"""A stream that dies, for whatever reason, and comes back with the id of the last event that was complete."""

import asyncio
import functools
import json
import time
from collections.abc import Awaitable, Callable

import httpx
import pytest

from quintet.testing.accounts.account import Account, good_passphrase, http_client
from quintet.testing.contracts import whole
from quintet.testing.sockets.stream import Block, Stream
from support.checks.order import read_from, same_bytes
from support.server import Factory
from support.world import World

pytestmark = pytest.mark.l3


async def _first_of(world: World, account: Account, last: str) -> Block:
    """The next event; then the connection is cut. Whatever came behind it was never read."""
    stream = await world.stream(account, last_id=last)
    block = await stream.step("an event", lambda: next((block for block in stream.blocks if block.data), None))
    await stream.cut()
    return block


async def test_a_cut_after_every_event_while_the_run_goes_on(world: World) -> None:
    """Two devices that lose their connection after each event, one of them moving between stream and socket: nothing lost or doubled."""
    alice = await world.user()
    witness = await world.device(alice, name="witness")
    said = await witness.say({"steps": 8, "pause": 0.02}, agent="stepper")

    async def stutter(*, moving: bool) -> list[bytes]:
        seen: list[bytes] = []
        last = "0"
        while not seen or json.loads(seen[-1]).get("final") is not True:
            if moving and len(seen) % 2:
                seen += await read_from(world, alice, last, 1)
            else:
                block = await _first_of(world, alice, last)
                assert block.id == block.body["cursor"] and block.data is not None
                seen.append(block.data)
            last = json.loads(seen[-1])["cursor"]
        return seen

    both = await asyncio.wait_for(asyncio.gather(stutter(moving=False), stutter(moving=True)), 60)
    run = whole(await witness.run(said.run_id))
    for name, seen in zip(("the stream", "the moving device"), both, strict=True):
        same_bytes(seen, [event.raw for event in run], name, world)


async def _ended_elsewhere(alice: Account, other: Account) -> httpx.Response:
    return await other.http.delete(f"/v1/auth/sessions/{alice.session_id}")


async def _all_others_ended(_alice: Account, other: Account) -> httpx.Response:
    return await other.http.delete("/v1/auth/sessions", params={"others": "true"})


async def _new_password(_alice: Account, other: Account) -> httpx.Response:
    return await other.http.post("/v1/auth/password", json={"current": other.password, "new": good_passphrase()})


@pytest.mark.parametrize("end", [_ended_elsewhere, _all_others_ended, _new_password])
async def test_another_device_ends_the_stream(
    world: World, end: Callable[[Account, Account], Awaitable[httpx.Response]]
) -> None:
    """Within a second of the answer, without another byte of the log; the device that did it keeps its own stream."""
    alice = await world.user()
    other = await world.again(alice)
    device = await world.device(other)
    mine, kept = [await world.stream(account) for account in (alice, other)]
    for stream in (mine, kept):
        await stream.first()
    assert (await end(alice, other)).status_code == 204
    begun = time.monotonic()
    await mine.ended()
    assert time.monotonic() - begun < 1
    run = whole(await device.tell("hello", "echo"))
    await kept.block("agent_completed")
    assert (mine.events, [event.raw for event in kept.events]) == ([], [event.raw for event in run])
    again = await world.stream_refused(alice, last_id=mine.last_id)
    assert (again.status, again.problem["code"]) == (401, "session_revoked")


async def test_a_run_longer_than_its_token(server_factory: Factory) -> None:
    """Tokens of two seconds: each stream ends with `auth_expired`; renewed and resumed, again and again, the run is whole."""
    server = server_factory(environment={"QUINTET_ACCESS_TOKEN_SECONDS": "2"})
    async with World(server) as world:
        alice = await world.user()
        device = await world.device(alice, after=None)
        said = await device.say({"steps": 24, "pause": 0.2}, agent="stepper")
        access, refresh = alice.access_token, alice.refresh_token
        seen: list[bytes] = []
        last, expired = "0", 0
        while not seen or json.loads(seen[-1]).get("final") is not True:
            stream = await world.stream(access, last_id=last)
            await stream.step("its end", functools.partial(_told_all, stream), 30, even_closed=True)
            await stream.cut()
            seen += [event.raw for event in stream.events]
            last = stream.last_id or last
            if stream.blocks[-1].event == "auth_expired":
                expired += 1
                async with http_client(server) as http:
                    told = (await http.post("/v1/auth/refresh", json={"refresh_token": refresh})).json()
                access, refresh = told["access_token"], told["refresh_token"]
        assert expired >= 2
        async with http_client(server, access) as http:
            log = (await http.get(f"/v1/runs/{said.run_id}/events?limit=500")).json()
        events = log["items"] if isinstance(log, dict) else log
        assert [json.loads(raw) for raw in seen] == events


def _told_all(stream: Stream) -> bool | None:
    return stream.close_code is not None or any(event.final for event in stream.events) or None


async def test_a_stream_goes_on_after_kill_9(server_factory: Factory) -> None:
    """The server dies in the middle of a run: the same id goes on at the next start, to the ending that tells of it."""
    server = server_factory()
    async with World(server) as world:
        alice = await world.user()
        device = await world.device(alice)
        said = await device.say({"mark": "dies"}, agent="slow_tool")
        stream = await world.stream(alice, "?after=0")
        await stream.block("tool_executing")
        server.kill()
        await stream.ended()
        server.start()
        again = await world.stream(alice, last_id=stream.last_id)
        await again.block("agent_failed")
        later = await world.device(alice, name="later")
        run = whole(await later.run(said.run_id))
        assert run.ending["data"]["error"]["code"] == "worker_lost"
        assert [event.raw for event in stream.events + again.events] == [event.raw for event in run]


async def test_a_comment_comes_after_fifteen_seconds(world: World) -> None:
    """A quiet stream is not an idle one for the proxies between: something every 15 s, which no reader takes for an event."""
    alice = await world.user()
    stream = await world.stream(alice)
    await stream.first()
    begun = time.monotonic()
    await stream.step("a comment", lambda: any(block.comment for block in stream.blocks) or None, 20)
    assert 14 < time.monotonic() - begun < 16.5
    assert [block.comment for block in stream.blocks] == [False, True]
