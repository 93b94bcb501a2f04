"""Sockets at a server that is not Quintet: frames through a mapping, steps with deadlines, rules that bite."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from itertools import pairwise
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from quintet.testing.contracts import Mapping
from quintet.testing.loops import LoopThread
from quintet.testing.sockets.connecting import Connect
from quintet.testing.sockets.connection import Credential, Refused
from quintet.testing.sockets.raw import RawSocket
from quintet.testing.sockets.reading import ConnectionFault
from quintet.testing.sockets.stream import blocks_in
from quintet.testing.wire.frames import TEXT, Scanner, frame_bytes

pytestmark = pytest.mark.l2

THEIRS = Mapping.of({"name": "theirs", "frame": {"type": "kind", "order": "n", "run": "job"}})
Talk = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def backend(talk: Talk) -> AsyncIterator[str]:
    """A real socket server of another make, on a free port."""

    def door(ws: ServerConnection, request: Request) -> Response | None:
        return ws.respond(HTTPStatus.FORBIDDEN, "not you") if request.path == "/private" else None

    async with serve(talk, "127.0.0.1", 0, process_request=door, close_timeout=1) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/chat"


def numbered(*numbers: int, then: str = "stay") -> Talk:
    """Sends events with these numbers."""

    async def talk(ws: ServerConnection) -> None:
        for n in numbers:
            await ws.send(json.dumps({"kind": "tick", "n": n, "job": "j1"}))
        if then == "close":
            await ws.close(4321, "enough")
        await ws.wait_closed()

    return talk


async def test_frames_are_given_out_once_and_in_order(connect: Connect) -> None:
    """`receive` gives the next, `until` those up to one, `find` any; the story keeps all of them."""
    async with backend(numbered(1, 2, 3, 4, then="close")) as url:
        socket = await connect(url, mapping=THEIRS)
        assert (await socket.receive()).order == 1
        assert [seen.order for seen in await socket.until("tick", lambda seen: seen.order == 3)] == [2, 3]
        assert (await socket.find("the first", lambda seen: seen.order == 1)).run == "j1"
        assert (await socket.receive("tick")).order == 4
        assert await socket.closed() == (4321, "enough")
        with pytest.raises(ConnectionFault, match=r"ended .4321 enough. while waiting for a frame"):
            await socket.receive()
        assert len(socket.story) == 4


@pytest.mark.parametrize(("numbers", "says"), [((1, 2, 4), "4"), ((1, 2, 2), "2"), ((1, 3, 2), "3")])
async def test_what_is_lost_doubled_or_misplaced_fails_the_next_step(
    connect: Connect, numbers: tuple[int, ...], says: str
) -> None:
    """Nobody has to ask for the order to be held; `strict=False` is how a test asks for it not to be."""
    async with backend(numbered(*numbers, then="close")) as url:
        loose = await connect(url, mapping=THEIRS, strict=False)
        await loose.closed()
        assert [seen.order for seen in loose.events] == list(numbers)
        strict = await connect(url, mapping=THEIRS)
        with pytest.raises(ConnectionFault, match=rf"tick \(order {says}, run j1\) came where position . was due"):
            await strict.until("tock")


async def test_what_no_step_has_told_fails_the_end_of_the_test() -> None:
    """A test that stops looking does not stop the rules."""
    loop = LoopThread("a test")
    connect = Connect(loop, THEIRS)
    async with backend(numbered(1, 3, then="close")) as url:
        socket = await connect(url)
        await asyncio.wait_for(asyncio.shield(loop.run(socket._ended())), 5)
        with pytest.raises(ConnectionFault, match="came where position 2 was due"):
            connect.finish()
        loop.close()


async def test_another_type_than_the_one_that_is_due(connect: Connect) -> None:
    """`receive(type)` does not skip what came first, and says what it was."""
    async with backend(numbered(1)) as url:
        socket = await connect(url, mapping=THEIRS, name="phone")
        with pytest.raises(ConnectionFault, match=r"phone: tick \(order 1, run j1\) came where tock was due"):
            await socket.receive("tock")


async def test_listening_makes_silence_a_fact(connect: Connect) -> None:
    """It takes its time, and returns what came in it."""
    async with backend(numbered(1)) as url:
        socket = await connect(url, mapping=THEIRS)
        await socket.receive()
        assert await socket.listen(0.1) == []
        assert socket.story.heard >= socket.story[0].at + 0.1


async def test_ways_to_show_a_credential_and_to_be_refused(connect: Connect) -> None:
    """Header, query, cookie, subprotocol, first frame: the server sees each as it is meant; a refusal has its status and body."""
    seen: list[tuple[Any, ...]] = []

    async def talk(ws: ServerConnection) -> None:
        request = ws.request
        assert request is not None
        first = await ws.recv() if request.path == "/chat" and "Cookie" not in request.headers else ""
        headers = request.headers
        seen.append((request.path, headers.get("Authorization"), headers.get("Cookie"), ws.subprotocol, first))

    async with backend(talk) as url:
        for credential in (
            Credential("t&k", "query", "access"),
            Credential("tok", "cookie", "session"),
            Credential("tok", "frame", "jwt", {"type": "hello"}),
        ):
            await (await connect(url, token=credential, mapping=THEIRS)).closed()
        refusal = await connect.refused(url.replace("/chat", "/private"), token="tok")
        with pytest.raises(Refused, match="HTTP 403"):
            await connect(url.replace("/chat", "/private"))
    assert (refusal.status, refusal.body) == (403, b"not you")
    assert [one[0] for one in seen] == ["/chat?access=t%26k", "/chat", "/chat"]
    assert seen[1][2] == "session=tok"
    assert json.loads(seen[2][4]) == {"type": "hello", "jwt": "tok"}


async def test_nobody_there_is_refused_with_status_0(connect: Connect) -> None:
    """As a refusal, not as an error of some library."""
    async with backend(numbered()) as url:
        pass
    assert (await connect.refused(url)).status == 0


async def test_a_raw_socket_reads_no_byte_more_than_told(connect: Connect) -> None:
    """Frames have their places in the stream, and half a frame can be read."""
    async with backend(numbered(1, 2)) as url:
        raw: RawSocket = await connect.raw(url, "/chat", subprotocol=None)
        assert raw.handshake.status == 101
        one = await raw.frame()
        assert (one.opcode, one.begin, one.end, json.loads(one.payload)["n"]) == (TEXT, 0, 2 + len(one.payload), 1)
        assert len(await raw.exactly(3)) == 3
        assert raw.position == one.end + 3
        await raw.exactly(one.end - 3)
        with pytest.raises(ConnectionFault, match=r"waited 0.05 s in vain for a frame"):
            await raw.frame(0.05)
        await raw.cut()


@pytest.mark.parametrize(
    ("frames", "says"),
    [
        ([{"type": "tick", "seq": 1}], "came while nothing was followed"),
        ([{"type": "following", "last_seq": 0}, {"type": "tick", "seq": 2}], "came where position 1 was due"),
        ([{"type": "pong", "id": None}], "a key that is null"),
        ([{"type": "following", "last_seq": 0}, {"type": "tick", "seq": 1, "data": {"t": "x" * 65_536}}], "64 KiB"),
    ],
)
async def test_a_device_holds_a_feed_to_its_rules(connect: Connect, frames: list[dict[str, Any]], says: str) -> None:
    """What Quintet promises of every feed is checked on every frame."""

    async def talk(ws: ServerConnection) -> None:
        for frame in [{"type": "ready"}, *frames]:
            await ws.send(json.dumps(frame))
        await ws.wait_closed()

    async with backend(talk) as url:
        with pytest.raises(ConnectionFault, match=says):
            await (await connect.device(url, "token", after=None)).until("never", within=5)


def test_blocks_are_the_same_however_the_stream_is_cut() -> None:
    """Every line ending of the standard, comments, ids, several lines of data; what is cut off does not count."""
    text = b": hello\n\nid: 1\nevent: a\ndata: one\ndata:two\n\nid:2\r\ndata: {}\r\n\r\ndata\rid\r\rdata: lost"
    whole, rest = blocks_in(text)
    assert [(b.id, b.event, b.data, b.comment) for b in whole] == [
        (None, "message", None, True),
        ("1", "a", b"one\ntwo", False),
        ("2", "message", b"{}", False),
        ("", "message", b"", False),
    ]
    assert rest == b"data: lost"
    for place in range(len(text)):
        first, left = blocks_in(text[:place])
        second, left = blocks_in(left + text[place:])
        assert (first + second, left) == (whole, rest)


async def test_an_assert_shows_the_whole_transcript(connect: Connect) -> None:
    """`shown` is a text, for pytest shortens an exception that stands behind an assert; `fault` is what is raised, with the same text."""
    async with backend(numbered(*range(1, 41), then="close")) as url:
        socket = await connect(url, mapping=THEIRS, name="phone")
        await socket.closed()
        with pytest.raises(AssertionError) as told:
            assert not socket.story, socket.shown("nothing was due")
        assert "phone: nothing was due" in str(told.value)
        for number in range(1, 41):
            assert f'<- {{"kind": "tick", "n": {number}, "job": "j1"}}' in str(told.value)
        assert str(socket.fault("nothing was due")) == socket.shown("nothing was due")


async def test_a_run_is_a_part_of_the_story(connect: Connect) -> None:
    """What `run` collects can be held against the contracts as it is."""
    ending = Mapping.of(
        {"frame": {"type": "kind", "order": "n", "run": "job", "final": "over"}, "types": {"agent_completed": "done"}}
    )

    async def talk(ws: ServerConnection) -> None:
        for n, job in enumerate(("j1", "j2", "j1", "j2"), 1):
            over = {"kind": "done", "over": True} if n > 2 else {"kind": "tick"}
            await ws.send(json.dumps({"n": n, "job": job, **over}))
        await ws.wait_closed()

    async with backend(talk) as url:
        run = await (await connect(url, mapping=ending)).run("j2")
        assert [seen.order for seen in run.once().no_gap()] == [2, 4]
        assert run.ending["n"] == 4 and "j2" in run.name


async def test_a_raw_connection_reads_as_it_is_told(connect: Connect) -> None:
    """Without an upgrade it asks for anything; what is there is read in any pieces; who does not read is felt; a half is closed alone."""
    felt, read = asyncio.Event(), asyncio.Event()

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"upgrade" not in head.lower() and b"X-One: 1" in head
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nfirst")
        await writer.drain()
        await read.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                while True:
                    writer.write(b"x" * 65_536)
                    await writer.drain()
        felt.set()
        assert await reader.read() == b""
        writer.transport.abort()

    server = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    async with server:
        raw = await connect.raw(server.sockets[0].getsockname()[1], "/x", upgrade=False, headers={"X-One": "1"})
        assert raw.handshake.status == 200
        assert await raw.some(3) + await raw.some(100) == b"first"
        assert raw.position == 5
        await raw.pause()
        read.set()
        await asyncio.wait_for(felt.wait(), 10)
        await raw.half_close()
        await raw.cut()


async def test_a_stream_keeps_its_bytes_and_its_comments(connect: Connect) -> None:
    """The first block that is no comment, all bytes, the JSON in a block; a stream that must not open is a refusal with its problem."""
    text = b': hi\n\nid: 1\nevent: tick\ndata: {"kind": "tick", "n": 1}\n\nid: 2\nda'
    ok = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    no = b'HTTP/1.1 403 No\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"code": "no"}\n'

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(no if b"/private" in head else ok + text)
        writer.close()

    server = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        stream = await connect.stream(url, "/events", mapping=THEIRS)
        first = await stream.first()
        await stream.ended()
        assert (first.id, first.body, first.lines[0]) == ("1", {"kind": "tick", "n": 1}, b"id: 1")
        assert stream.text == text and [block.comment for block in stream.blocks] == [True, False]
        refusal = await connect.stream_refused(url, "/private")
        assert (refusal.status, refusal.problem) == (403, {"code": "no"})
        with pytest.raises(ConnectionFault, match="the stream is open, a refusal was due"):
            await connect.stream_refused(url, "/events")


@pytest.mark.parametrize("masked", [True, False])
def test_frames_are_found_however_the_stream_is_cut(masked: bool) -> None:
    """Sizes of one, two and eight bytes of length, in pieces of seven bytes."""
    payloads = [b"", b"x" * 125, b"y" * 126, b"z" * 70_000]
    text = b"".join(frame_bytes(TEXT, payload, masked=masked) for payload in payloads)
    scanner, found = Scanner(), []
    for place in range(0, len(text), 7):
        found += scanner.feed(text[place : place + 7])
    assert [frame.payload for frame in found] == payloads
    assert found[-1].end == scanner.position == len(text)
    assert all(one.end == two.begin for one, two in pairwise(found))
