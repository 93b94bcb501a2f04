"""The feed as server-sent events, read by hand from a real server."""

import asyncio
import functools
import random
import time

import pytest

from quintet.testing.accounts.account import Account, http_client
from quintet.testing.contracts import whole
from quintet.testing.sockets.connection import Refused
from quintet.testing.sockets.stream import EVENTS, Stream, blocks_in
from support.server import Factory
from support.world import World

pytestmark = pytest.mark.l3


async def test_the_stream_is_what_the_protocol_says(world: World) -> None:
    """The head, a first block with only an id, then `id`, `event`, `data` of every event, the same bytes as on a socket, live."""
    alice = await world.user()
    device = await world.device(alice)
    live = await world.stream(alice)
    assert live.status == 200
    assert live.headers["content-type"] == "text/event-stream"
    assert (live.headers["cache-control"], live.headers["x-accel-buffering"]) == ("no-store", "no")
    first = await live.first()
    assert first.lines == [f"id: {device.ready['head']}".encode()], (
        "`$` is resolved, and nothing else stands in the first frame"
    )
    run = whole(await device.tell("hello 🎻", "researcher"))
    await live.block("agent_completed")
    assert [event.raw for event in live.events] == [event.raw for event in run]
    for block, event in zip([block for block in live.blocks if block.data], run, strict=True):
        assert block.lines == [
            b"id: " + event["cursor"].encode(),
            b"event: " + event.type.encode(),
            b"data: " + event.raw,
        ]


async def test_where_a_stream_begins(world: World) -> None:
    """`Last-Event-ID` wins over `after`, `after` over now; `0` is the beginning; an empty header is none."""
    alice = await world.user()
    device = await world.device(alice)
    run = whole(await device.tell("hello", "echo"))
    for options, after in (
        ({"query": "?after=0"}, 0),
        ({"query": "?after=0", "last_id": run[3]["cursor"]}, 4),
        ({"last_id": "0"}, 0),
        ({"query": f"?after={run[1]['cursor']}", "last_id": ""}, 2),
        ({"query": "?after=$"}, len(run)),
    ):
        one = await world.stream(alice, **options)
        await one.first()
        if after < len(run):
            await one.block("agent_completed")
        assert [event.raw for event in one.events] == [event.raw for event in run[after:]], options
        await one.cut()


async def test_a_cut_at_any_byte_costs_nothing(world: World) -> None:
    """Cut in every kind of place, within chunk heads, names, ids, data, at and beside every line's end: resumed, each event once."""
    alice = await world.user()
    device = await world.device(alice)
    run = [event.raw for event in whole(await device.tell("hello é🎻", "researcher"))]
    whole_stream = await world.stream(alice, "?after=0")
    await whole_stream.block("agent_completed")
    text = whole_stream.text
    ends = [at for at in range(len(text)) if text[at : at + 1] == b"\n"]
    colons = [at for at in range(len(text)) if text[at : at + 2] == b": "]
    places = {0, 1, len(text) - 1} | {at + near for at in ends for near in (0, 1, 2)}
    places |= {at + near for at in colons[:60] for near in (-1, 1)}
    places |= set(random.Random(7).sample(range(len(text)), 40))
    for place in sorted(place for place in places if 0 <= place < len(text))[::2]:
        one = await world.stream(alice, "?after=0")
        await one.step(f"{place} bytes", functools.partial(_has, one, place))
        got, _ = blocks_in(one.text[:place])
        await one.cut()
        applied = [block.data for block in got if block.data]
        ids = [block.id for block in got if block.id]
        again = await world.stream(alice, "?after=0", last_id=ids[-1] if ids else None)
        await (again.block("agent_completed") if len(applied) < len(run) else again.first())
        assert applied + [event.raw for event in again.events] == run, f"cut at {place}"
        await again.cut()


def _has(stream: Stream, count: int) -> bool | None:
    return len(stream.text) >= count or None


async def test_a_cut_inside_the_chunks_costs_nothing(world: World) -> None:
    """The same by bytes of the connection, chunk heads included, while the run goes on."""
    alice = await world.user()
    device = await world.device(alice)
    chance = random.Random(11)
    said = await device.say({"steps": 12, "pause": 0.01}, agent="stepper")
    last, applied = "0", []
    for _ in range(25):
        one = await world.connect.raw(world.server, EVENTS, token=alice, upgrade=False, headers={"Last-Event-ID": last})
        text = b""
        try:
            wanted = chance.choice([1, 2, 5, 40, 700, 3000])
            async with asyncio.timeout(0.4):
                text = await one.exactly(wanted)
        except (TimeoutError, asyncio.CancelledError):
            pass
        got, _ = blocks_in(_unchunked(text))
        applied += [block.data for block in got if block.data]
        last = next((block.id for block in reversed(got) if block.id), last)
        await one.cut()
    run = whole(await device.run(said.run_id))
    rest = await world.stream(alice, last_id=last)
    await rest.first()
    if len(applied) < len(run):
        await rest.block("agent_completed")
    assert applied + [event.raw for event in rest.events] == [event.raw for event in run]


def _unchunked(raw: bytes) -> bytes:
    """The text in chunks of which the last may be cut."""
    text = b""
    while raw:
        head, found, raw = raw.partition(b"\r\n")
        if not found:
            break
        size = int(head, 16)
        text, raw = text + raw[:size], raw[size + 2 :]
    return text


async def test_a_cursor_that_cannot_be_gone_on_from_is_answered_by_resync(world: World) -> None:
    """Malformed, another user's, a changed one: one `resync` with a new id, then the end; from that id everything comes."""
    alice, bob = await world.users(2)
    devices = [await world.device(user) for user in (alice, bob)]
    mine, his = [whole(await device.tell("hello", "echo")) for device in devices]
    first = ""
    for wrong, reason in (
        ("nonsense", "malformed"),
        (his[1]["cursor"], "epoch"),
        (_ahead(mine[-1]["cursor"]), "future"),
    ):
        for options in ({"last_id": wrong}, {"query": f"?after={wrong}"}):
            one = await world.stream(alice, **options)
            await one.ended()
            (block,) = one.blocks
            assert (block.event, block.body["reason"], block.id) == ("resync", reason, block.body["first"])
            assert block.lines[0].startswith(b"id: ") and block.lines[1] == b"event: resync"
            first = one.last_id or ""
    again = await world.stream(alice, last_id=first)
    await again.block("agent_completed")
    assert [event.raw for event in again.events] == [event.raw for event in mine]


def _ahead(cursor: str) -> str:
    epoch, seq, digest = cursor.split(".")
    return f"{epoch}.{int(seq) + 1000}.{digest}"


async def test_only_a_bearer_token_opens_a_stream(world: World) -> None:
    """No credential, a wrong one, two, a cookie, one in the address, another scheme: refused with a code, nothing streamed."""
    alice = await world.user()
    token = alice.access_token
    for options, status, code in (
        ({}, 401, "unauthenticated"),
        ({"headers": {"Authorization": "Bearer x"}}, 401, "invalid_token"),
        ({"headers": {"Authorization": f"Basic {token}"}}, 401, "invalid_token"),
        ({"headers": {"Cookie": f"__Host-quintet-{world.server.port}={alice.refresh_token}"}}, 401, "unauthenticated"),
        ({"query": f"?access_token={token}"}, 400, "token_in_url"),
        ({"headers": {"Sec-WebSocket-Protocol": "bearer.x"}}, 401, "unauthenticated"),
    ):
        one = await world.stream_refused(None, **options)
        assert (one.status, one.problem["code"]) == (status, code), options
    twice = await world.stream_refused(alice, headers={"authorization": f"Bearer {token}"})
    assert (twice.status, twice.problem["code"]) == (400, "ambiguous_credentials")


async def test_two_users_streams_have_nothing_of_each_other(world: World) -> None:
    """Each stream has all of its own and no byte of the other's."""
    users = await world.users(2)
    devices = [await world.device(user) for user in users]
    streams = [await world.stream(user) for user in users]
    for one in streams:
        await one.first()
    words = ["canaryone", "canarytwo"]
    runs = await asyncio.gather(
        *(device.tell({"text": word}, "echo") for device, word in zip(devices, words, strict=True))
    )
    for one, run, other in zip(streams, runs, reversed(words), strict=True):
        await one.block("agent_completed")
        assert [event.raw for event in one.events] == [event.raw for event in run]
        assert other.encode() not in one.text


async def test_streams_count_as_sockets(world: World) -> None:
    """Ten connections of a user, sockets and streams together; the eleventh stream is told to wait, and a place that is left is free."""
    alice, bob = await world.users(2)
    for number in range(5):
        await world.device(alice, after=None, name=f"socket {number}")
    streams = [await world.stream(alice) for _ in range(5)]
    for one in streams:
        await one.first()
    refused = await world.stream_refused(alice)
    assert (refused.status, refused.headers["retry-after"] != "") == (429, True)
    assert refused.problem["code"] == "rate_limited"
    eleventh = await world.stranger(alice.access_token)
    assert (await eleventh.closed())[0] == 4504
    assert (await (await world.stream(bob)).first()).id
    await streams[0].cut()
    deadline = time.monotonic() + 5
    while not await _opens(world, alice):
        assert time.monotonic() < deadline, "a place that was left is not given again"
        await asyncio.sleep(0.02)


async def _opens(world: World, account: Account) -> bool:
    try:
        await world.stream(account)
    except Refused as refusal:
        assert refusal.status == 429, refusal
        return False
    return True


async def test_out_is_out(world: World) -> None:
    """Signing out ends the session's streams within a second, and nothing comes after it."""
    alice = await world.user()
    other = await world.again(alice)
    device = await world.device(other)
    mine, theirs = await world.stream(alice), await world.stream(other)
    await mine.first()
    await theirs.first()
    began = time.monotonic()
    assert (await alice.http.post("/v1/auth/logout")).status_code == 204
    await mine.ended()
    assert time.monotonic() - began < 1
    whole(await device.tell("hello", "echo"))
    await theirs.block("agent_completed")
    assert mine.events == []
    assert (await world.stream_refused(alice)).status == 401


async def test_a_stream_ends_with_its_token(server_factory: Factory) -> None:
    """At expiry comes `auth_expired`, then the end; with a fresh token it goes on from the last id."""
    server = server_factory(environment={"QUINTET_ACCESS_TOKEN_SECONDS": "2"})
    async with World(server) as world:
        alice = await world.user()
        one = await world.stream(alice)
        await one.ended(10)
        assert [block.event for block in one.blocks][-1] == "auth_expired"
        assert one.blocks[-1].id is None, "the last id stays the log's"
        async with http_client(server) as http:
            told = await http.post("/v1/auth/refresh", json={"refresh_token": alice.refresh_token})
        again = await world.stream(told.json()["access_token"], last_id=one.last_id)
        assert (again.status, (await again.first()).id) == (200, one.last_id)
        await again.cut()
        await one.cut()


async def test_open_streams_do_not_hold_a_stopping_server(server_factory: Factory) -> None:
    """SIGTERM ends every stream, telling when to come back, and the server is gone in seconds with exit code 0."""
    server = server_factory()
    async with World(server) as world:
        alice = await world.user()
        streams = [await world.stream(alice) for _ in range(3)]
        for one in streams:
            await one.first()
        began = time.monotonic()
        server.terminate()
        for one in streams:
            await one.ended()
            assert any(line.startswith(b"retry: ") for line in one.blocks[-1].lines)
        assert await asyncio.to_thread(server.wait) == 0
        assert time.monotonic() - began < 6
        for one in streams:
            await one.cut()
