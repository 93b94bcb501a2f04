"""What a stranger may hold with a connection over HTTP: neither memory nor a place for ever."""

import asyncio
import operator
import socket
from collections.abc import Callable
from functools import partial

import pytest

from delivery.stage import Stage
from support.kernel import eventually, within

pytestmark = pytest.mark.l2

Stages = Callable[..., Stage]

CHUNKED = b"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
GET = b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def _cut(reader: asyncio.StreamReader) -> bytes:
    """Everything until the server has ended the connection."""
    told = b""
    try:
        while piece := await within(reader.read(65536)):
            told += piece
    except ConnectionError:
        pass
    return told


@pytest.mark.parametrize("end", [b"x-a: " + b"a" * 100 + b"\r\n", b"a" * 107], ids=["many", "one that never ends"])
async def test_what_follows_a_body_is_bounded(stage: Stages, end: bytes) -> None:
    """Fields behind the last chunk: 431 after as many bytes as a head may have, though nobody ever reads them."""
    async with stage() as s:
        reader, writer = await s.connect()
        writer.write(CHUNKED.replace(b"/a", b"/read") + b"0\r\n")
        for _ in range(17):
            await asyncio.sleep(0.01)  # each is read by itself
            writer.write(b"x-b: " + end * 10)
        assert b" 431 " in (await _cut(reader))[:40]


async def test_what_follows_a_body_is_no_header(stage: Stages) -> None:
    """A field behind the last chunk speaks for nobody: proxies look at headers alone."""
    async with stage() as s:
        reader, writer = await s.connect()
        writer.write(CHUNKED.replace(b"/a", b"/read") + b"0\r\nAuthorization: Bearer a\r\n\r\n")
        told = await within(reader.readuntil(b"nobody"))
        assert b"Bearer" not in told


async def test_requests_that_wait_behind_another_are_bounded(stage: Stages) -> None:
    """Each costs a hundred times what it weighs on the wire: a few wait, a thousand end the connection."""
    async with stage(pipelined=8) as s:
        reader, writer = await s.connect()
        writer.write(b"".join(GET % number for number in range(8)))
        for number in range(8):
            await within(reader.readuntil(b"/%d nobody" % number))
        writer.write(
            b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n" + b"".join(GET % number for number in range(1000))
        )
        assert (await _cut(reader)).count(b" 200 OK") < 9


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET / HTTP/1.1\r\nHos", CHUNKED.replace(b"/a", b"/read"), GET % 1 + b"GET /b"],
    ids=["nothing", "half a head", "half a body", "half a head after an answer"],
)
async def test_who_does_not_finish_a_request_is_not_waited_for(stage: Stages, sent: bytes) -> None:
    """A head, then a body, has its time as a whole; a byte now and then buys no more of it. It is told with 408 what begun was."""
    async with stage(head_wait=0.4, body_wait=0.4) as s:
        reader, writer = await s.connect()
        writer.write(sent)

        async def trickle() -> None:
            while sent:
                await asyncio.sleep(0.05)
                writer.write(b"1\r\na\r\n" if b"chunked" in sent else b"a")

        trickling = asyncio.create_task(trickle())
        told = await _cut(reader)
        trickling.cancel()
        assert (b" 408 " in told) == (sent != b""), told


async def test_a_body_of_which_nobody_reads_more_is_not_waited_for(stage: Stages) -> None:
    """Whoever was answered before the end of their body is told nothing more."""
    async with stage(body_wait=0.4) as s:
        reader, writer = await s.connect()
        writer.write(CHUNKED + b"1\r\na\r\n")
        assert (await _cut(reader)).endswith(b"/a nobody")


async def test_a_connection_that_was_upgraded_or_answered_is_not_timed(stage: Stages) -> None:
    """The times of a request end with it."""
    async with stage(head_wait=0.3, body_wait=0.3) as s:
        alice = await s.user()
        peer = await s.open(alice)
        reader, writer = await s.connect()
        for _ in range(2):
            writer.write(GET % 1)
            await within(reader.readuntil(b"nobody"))
            await asyncio.sleep(0.5)
        await peer.say({"id": "p", "do": "ping"})
        await peer.until("pong")


async def test_who_does_not_take_an_answer_is_not_waited_for(stage: Stages) -> None:
    """An answer of which no byte is taken for a while ends the connection, also where it has been handed over whole."""
    async with stage(answer_wait=0.3) as s:
        for path in (b"/whole", b"/pieces"):
            plug = socket.socket()
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            plug.connect(("127.0.0.1", s.port))
            there = s.server.server_state.connections
            plug.sendall(b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path)
            await eventually(there.__len__)
            await eventually(partial(operator.not_, there))
            plug.close()
