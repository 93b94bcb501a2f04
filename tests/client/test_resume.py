"""Exactly once: over cuts at any byte, over kill -9, over a cursor that counts no more."""

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from client.wire import Cutter, Meddler
from quintet.client import CaughtUp, Client, ClosedError, Event, Received, Resynced, SignedOutError, connect
from support.checks.order import same_bytes
from support.server import Factory
from support.world import World

pytestmark = pytest.mark.l3
STEP = 30.0


@contextlib.asynccontextmanager
async def cutter(port: int, most: int = 4000) -> AsyncIterator[Cutter]:
    """A failing network whose seed is shown when the test fails."""
    seed = int(os.environ.get("CUT_SEED", "0")) or random.randrange(1, 1 << 32)
    async with Cutter(port, random.Random(seed), most=most) as made:
        try:
            yield made
        except BaseException as fault:
            fault.add_note(f"again: CUT_SEED={seed}")
            raise


async def frames_until(
    items: AsyncGenerator[Received | CaughtUp | Resynced, None], last: int, within: float = STEP
) -> list[bytes]:
    """The frames that the client under test gives, up to the event of this number."""
    frames: list[bytes] = []
    async with asyncio.timeout(within):
        async for item in items:
            if isinstance(item, Received):
                frames.append(item.frame)
                assert item.event is not None
                if item.event.seq == last:
                    break
            assert not isinstance(item, Resynced), item
    return frames


async def test_each_event_once_over_cuts_at_random_bytes(world: World) -> None:
    """A connection that dies at random bytes, inside frames and answers: all events once, in order, the bytes of an uncut device."""
    alice = await world.user()
    witness = await world.device(alice)
    async with cutter(world.server.port) as wire, connect(wire.url, token=alice.access_token) as client:
        wire.cutting = True
        said = [await witness.say({"steps": 12, "pause": 0.02}, agent="stepper") for _ in range(3)]
        reading = asyncio.create_task(frames_until(client.follow("0"), 10**9))
        for one in said:
            await witness.run(one.run_id)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        frames = await frames_until(client.follow("0"), witness.events[-1]["seq"])
        assert wire.cuts >= 5, f"{wire.cuts} cuts prove nothing"
    same_bytes(frames, [event.raw for event in witness.events], "the client", world)


async def test_a_live_reader_misses_nothing_over_cuts(world: World) -> None:
    """The same live: reading while it happens, resumed at each cut from the last event applied."""
    alice = await world.user()
    witness = await world.device(alice)
    async with cutter(world.server.port) as wire, connect(wire.url, token=alice.access_token) as client:
        items = client.follow("$")
        reading = asyncio.ensure_future(anext(items))
        assert isinstance(await asyncio.wait_for(reading, STEP), CaughtUp)
        wire.cutting = True
        said = await witness.say({"steps": 25, "pause": 0.02}, agent="stepper")
        last = (await witness.run(said.run_id))[-1]["seq"]
        wire.cut_all()
        frames = await frames_until(items, last)
        await items.aclose()
    same_bytes(frames, [event.raw for event in witness.events], "the live reader", world)


async def test_what_is_lost_or_doubled_on_the_way_is_noticed(world: World) -> None:
    """The client rule itself: a doubled event is dropped, a gap is followed again, and the reader gets each event once, in order."""
    alice = await world.user()
    witness = await world.device(alice)
    await witness.tell({"steps": 8}, "stepper")
    seed = random.randrange(1 << 32)
    async with Meddler(world.server.port, random.Random(seed)) as wire:
        async with connect(wire.url, token=alice.access_token) as client:
            items = client.follow("0")
            # Where the very last event is lost, the next heartbeat tells of it, 25 s later.
            frames = await frames_until(items, witness.events[-1]["seq"], within=80)
            await items.aclose()
        assert wire.lost, f"nothing was lost, so nothing was proven (seed {seed})"
        assert wire.doubled, f"nothing was doubled, so nothing was proven (seed {seed})"
    same_bytes(frames, [event.raw for event in witness.events], f"the client (seed {seed})", world)


async def test_sending_over_cuts_stores_each_message_once(world: World) -> None:
    """`run` over a connection that is cut again and again: each message is stored once, each run is read whole up to its ending."""
    alice = await world.user()
    # Answers of 3 KB come at once or not at all, and waits double: most of them have to get through.
    async with cutter(world.server.port, most=8000) as wire, connect(wire.url, token=alice.access_token) as client:
        wire.cutting = True
        for number in range(6):
            run = client.run(f"words {number}", agent="echo")
            async with asyncio.timeout(2 * STEP):
                places = [event.run_seq async for event in run]
            assert places == list(range(1, len(places) + 1))
            assert run.ending is not None
            assert (run.ending.type, run.text) == ("agent_completed", f"words {number}")
        assert wire.cuts >= 3, f"{wire.cuts} cuts prove nothing"
    log = await world.device(alice, name="afterwards")
    accepted = [event["data"]["text"] for event in log.events if event.type == "message_accepted"]
    assert accepted == [f"words {number}" for number in range(6)]


async def test_kill_and_restart_are_invisible_but_for_time(server_factory: Factory) -> None:
    """A kill -9 in the middle of a run, then a restart: the reader goes on by itself, the run has its one ending, nothing comes twice."""
    server = server_factory()
    async with World(server) as world:
        alice = await world.user()
        async with connect(server.url, token=alice.access_token) as client:
            run = client.run('{"steps": 400, "pause": 0.02}', agent="stepper")
            seen: list[Event] = []
            async with asyncio.timeout(STEP):
                async for event in run:
                    seen.append(event)
                    if len(seen) == 12:
                        await asyncio.to_thread(server.kill)
                        await asyncio.to_thread(server.start)
            assert seen[-1].type == "agent_failed"
            assert seen[-1].data["error"]["code"] == "worker_lost"
            assert [event.run_seq for event in seen] == list(range(1, len(seen) + 1))
            assert len({event.id for event in seen}) == len(seen)
            assert (
                await asyncio.wait_for(client.run("again", agent="echo").finished(), STEP)
            ).type == "agent_completed"


@pytest.mark.parametrize("which", ["foreign", "made up"])
async def test_a_cursor_that_counts_no_more_is_said_and_gone_on_from(world: World, which: str) -> None:
    """A cursor of another user, or of nobody: `Resynced` with the snapshot first, then exactly what follows it."""
    alice, bob = await world.users(2)
    other = await world.device(bob)
    await other.tell("bob's", "echo")
    cursor, reason = (other.events[-1]["cursor"], "epoch") if which == "foreign" else ("nonsense", "malformed")
    witness = await world.device(alice)
    before = await witness.tell("before", "echo")
    async with connect(world.server.url, token=alice.access_token) as client:
        items = client.follow(cursor)
        first = await asyncio.wait_for(anext(items), STEP)
        assert isinstance(first, Resynced)
        assert (first.reason, first.last_seq) == (reason, before[-1]["seq"])
        assert first.snapshot["cursor"] == first.cursor == before[-1]["cursor"]
        after = await witness.tell("after", "echo")
        frames = await frames_until(items, after[-1]["seq"])
        await items.aclose()
    same_bytes(frames, [event.raw for event in after], "after the snapshot", world)


async def test_signing_out_elsewhere_ends_the_reader_with_its_reason(world: World) -> None:
    """4501 is no reason to come back: the reader is told that it is signed out, at once."""
    alice = await world.user()
    async with connect(world.server.url, token=alice.access_token) as client:
        items = client.events("$")
        reading = asyncio.ensure_future(anext(items))
        run = client.run("quick", agent="echo")
        await asyncio.wait_for(run.finished(), STEP)
        await asyncio.wait_for(reading, STEP)
        answer = await alice.http.post("/v1/auth/logout")
        assert answer.status_code == 204
        with pytest.raises(SignedOutError):
            async with asyncio.timeout(5):
                async for _ in items:
                    pass


async def test_one_socket_too_many_is_a_typed_error(world: World) -> None:
    """4504 ends with `ClosedError`, without any further attempt."""
    alice = await world.user()
    for number in range(10):
        await world.device(alice, name=f"socket {number}")
    async with connect(world.server.url, token=alice.access_token) as client:
        with pytest.raises(ClosedError) as refusal:
            await asyncio.wait_for(_first(client), STEP)
    assert (refusal.value.number, refusal.value.reason) == (4504, "connection_limit")


async def _first(client: Client) -> None:
    async for _ in client.events("$"):
        return
