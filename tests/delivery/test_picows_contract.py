"""What we need of picows, whose constructor is internal: when a new version changes any of it, this says so."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from picows import WSAutoPingStrategy, WSListener, WSUpgradeResponse, picows
from picows.common import WSUpgradeResponseWithListener

from quintet.testing.wire.frames import CONTINUATION, PING, TEXT, frame_bytes

pytestmark = pytest.mark.l2

UPGRADE = (
    b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Heard(WSListener):
    """Keeps the frames."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, bytes, bool]] = []

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        """Take one."""
        self.frames.append((int(frame.msg_type), frame.get_payload_as_bytes(), bool(frame.fin)))


class Logger:
    """The part of a logger that picows asks for."""

    def isEnabledFor(self, _: int) -> bool:  # noqa: N802
        """No."""
        return False

    def info(self, *_: Any) -> None:
        """Nothing."""


class Parser(picows.WSProtocol):  # type: ignore[misc, name-defined]
    """A subclass with the arguments of ours."""

    def __init__(self, listener: Heard) -> None:
        def respond(_: Any) -> WSUpgradeResponseWithListener:
            response = WSUpgradeResponse.create_101_response([("Sec-WebSocket-Protocol", "quintet.v1")])
            return WSUpgradeResponseWithListener(response, listener)

        strategy = WSAutoPingStrategy.PING_WHEN_IDLE
        super().__init__(
            None, None, False, respond, Logger(), True, None, False, None, None, strategy, False, 1 << 62, None, 2048
        )  # fmt: skip

    def put(self, data: bytes) -> None:
        """Feed it as we do."""
        view = memoryview(data)
        while view:
            room = self.get_buffer(-1)
            count = min(len(room), len(view))
            room[:count] = view[:count]
            self.buffer_updated(count)
            view = view[count:]


@pytest.fixture
async def parser() -> AsyncIterator[tuple[Parser, Heard, asyncio.StreamReader]]:
    """A parser on a real connection, what it handed on, and what it answered."""
    heard = Heard()
    made, connected = Parser(heard), asyncio.Event()

    def make() -> Parser:
        connected.set()
        return made

    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    await asyncio.wait_for(connected.wait(), 5)
    while made.transport is None:
        await asyncio.sleep(0)
    yield made, heard, reader
    writer.transport.abort()
    server.close()


async def test_it_answers_our_request(parser: tuple[Parser, Heard, asyncio.StreamReader]) -> None:
    """101 with the accept key of RFC 6455 and our subprotocol."""
    parser[0].put(UPGRADE)
    head = (await asyncio.wait_for(parser[2].readuntil(b"\r\n\r\n"), 5)).lower()
    assert head.startswith(b"http/1.1 101 ")
    assert b"sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=" in head
    assert b"sec-websocket-protocol: quintet.v1" in head


async def test_it_hands_on_frames_as_they_are(parser: tuple[Parser, Heard, asyncio.StreamReader]) -> None:
    """Masks are undone, also of the largest frame; fragments unjoined, pings unanswered, the order kept."""
    parser[0].put(UPGRADE)
    big = bytes(range(256)) * 256
    stream = (
        frame_bytes(TEXT, big)
        + frame_bytes(TEXT, b"a", fin=False)
        + frame_bytes(PING, b"p")
        + frame_bytes(CONTINUATION, b"b" * 1_000)
        + frame_bytes(TEXT, b"")
    )
    for at in range(0, len(stream), 999):
        parser[0].put(stream[at : at + 999])
    assert parser[1].frames == [
        (TEXT, big, True),
        (TEXT, b"a", False),
        (PING, b"p", True),
        (CONTINUATION, b"b" * 1_000, True),
        (TEXT, b"", True),
    ]
