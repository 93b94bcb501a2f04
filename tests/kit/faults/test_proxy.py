"""The faults proxy does what it says, to connections that are open too, and counts it; plain tests can use it."""

import asyncio
import contextlib
import socket
import threading
import time

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as connect_now

from quintet.testing.faults import Faults, Proxy
from quintet.testing.loops import LoopThread

pytestmark = pytest.mark.l3

SECONDS = 10.0


def _plug(proxy: Proxy) -> socket.socket:
    return socket.create_connection((proxy.host, proxy.port), SECONDS)


def _exactly(plug: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (piece := plug.recv(count - len(data))):
        data += piece
    return data


def _timed(plug: socket.socket, data: bytes) -> float:
    begun = time.monotonic()
    plug.sendall(data)
    assert _exactly(plug, len(data)) == data
    return time.monotonic() - begun


def test_fair_weather_changes_nothing(faults: Faults, echo: int) -> None:
    """Three megabytes pass byte for byte, and an end of one direction is passed on as such."""
    proxy, sent = faults(echo), bytes(range(256)) * 12_000
    with _plug(proxy) as plug:

        def write() -> None:
            plug.sendall(sent)
            plug.shutdown(socket.SHUT_WR)

        writer = threading.Thread(target=write)
        writer.start()
        assert _exactly(plug, len(sent) + 5) == sent + b"<end>"
        assert plug.recv(1) == b""
        writer.join(SECONDS)
    counts = proxy.wait(lambda c: c.open == 0)
    assert (counts.up, counts.down, counts.connections) == (len(sent), len(sent) + 5, 1)
    assert counts.resets == counts.cuts == counts.swallowed == 0


def test_latency_and_jitter_delay_and_keep_the_order(faults: Faults, echo: int) -> None:
    """A byte takes at least its latency each way; a hundred jittered pieces arrive in order; switched off, it is quick again."""
    proxy = faults(echo)
    with _plug(proxy) as plug:
        proxy.latency(0.1)
        assert 0.2 <= _timed(plug, b"x") < SECONDS
        proxy.latency(0, jitter=0.02)
        said = b"".join(b"%03d" % n for n in range(100))
        for place in range(0, len(said), 3):
            plug.sendall(said[place : place + 3])
        assert _exactly(plug, len(said)) == said
        assert proxy.counts.delayed >= 3
        proxy.clear()
        assert min(_timed(plug, b"x") for _ in range(5)) < 0.1


def test_a_stall_can_be_switched_while_a_connection_is_open(faults: Faults, echo: int) -> None:
    """Nothing passes and nothing is lost: what was sent meanwhile comes when the stall ends."""
    proxy = faults(echo)
    with _plug(proxy) as plug:
        _timed(plug, b"before")
        proxy.stall()
        plug.sendall(b"meanwhile")
        proxy.wait(lambda c: c.stalled == 1)
        plug.settimeout(0.1)
        with pytest.raises(TimeoutError):
            plug.recv(1)
        plug.settimeout(SECONDS)
        proxy.clear()
        assert _exactly(plug, 9) == b"meanwhile"


def test_a_slow_connection_has_its_rate(faults: Faults, echo: int) -> None:
    """20 KB at 40 KB/s take about half a second; a switch to fair weather hurries the rest."""
    proxy = faults(echo)
    with _plug(proxy) as plug:
        proxy.slow(40_000, "down")
        assert 0.4 <= _timed(plug, b"x" * 20_000) < SECONDS
        proxy.wait(lambda c: c.slowed == 10)
        plug.sendall(b"y" * 40_000 * 60)
        proxy.clear()
        assert _exactly(plug, 40_000 * 60) == b"y" * 40_000 * 60


def test_a_reset_is_a_reset(faults: Faults, echo: int) -> None:
    """Open connections end with ECONNRESET; the next one is carried as ever."""
    proxy = faults(echo)
    with _plug(proxy) as one, _plug(proxy) as two:
        for plug in (one, two):
            _timed(plug, b"x")
        assert proxy.reset() == 2
        for plug in (one, two):
            with pytest.raises(ConnectionResetError):
                plug.recv(1)
    with _plug(proxy) as plug:
        _timed(plug, b"again")
    assert proxy.counts.resets == 2


def test_refused_is_refused_and_open_connections_go_on(faults: Faults, echo: int) -> None:
    """ECONNREFUSED for new ones, on the very port; afterwards the same port accepts again."""
    proxy = faults(echo)
    with _plug(proxy) as plug:
        _timed(plug, b"x")
        proxy.refuse()
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError):
                _plug(proxy)
        _timed(plug, b"still here")
    port = proxy.port
    proxy.clear()
    assert proxy.port == port
    with _plug(proxy) as plug:
        _timed(plug, b"x")


@pytest.mark.parametrize("count", [0, 1, 1_000])
@pytest.mark.parametrize("how", ["reset", "close", "silence"])
def test_a_cut_comes_at_its_byte(faults: Faults, echo: int, how: str, count: int) -> None:
    """Exactly so many bytes arrive; then a reset, an end, or silence on an open connection."""
    proxy = faults(echo)
    proxy.cut(count, how)  # type: ignore[arg-type]
    with _plug(proxy) as plug:
        plug.sendall(b"x" * 5_000)
        proxy.wait(lambda c: c.cuts == 1)
        assert proxy.counts.down == count
        if how == "reset":
            with pytest.raises(ConnectionResetError):  # what had arrived may be lost with it, as on a network
                _exactly(plug, count + 1)
            return
        assert _exactly(plug, count) == b"x" * count
        if how == "close":
            assert plug.recv(1) == b""
        else:
            plug.settimeout(0.1)
            with pytest.raises(TimeoutError):
                plug.recv(1)


def test_half_closed_the_other_direction_goes_on(faults: Faults, echo: int) -> None:
    """The client reads the end and the server still hears it."""
    proxy = faults(echo)
    with _plug(proxy) as plug:
        _timed(plug, b"x")
        assert proxy.half_close("down") == 1
        assert plug.recv(1) == b""
        plug.sendall(b"the server hears this")
        proxy.wait(lambda c: c.up == 22 and c.swallowed == 21)
        assert proxy.counts.half_closes == 1


async def test_a_cut_inside_a_frame(faults: Faults) -> None:
    """The first two frames of a WebSocket arrive, the third breaks in its middle; the client never sees it as a message."""

    async def talk(ws: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            for word in ("one", "two", "three" * 1_000, "four"):
                await ws.send(word)
            await ws.wait_closed()

    def listen() -> list[str | bytes]:
        proxy.cut_inside_frame(3, "close")
        with connect_now(proxy.url.replace("http", "ws"), compression=None, proxy=None) as ws:
            got = []
            with contextlib.suppress(ConnectionClosed):
                while True:
                    got.append(ws.recv(SECONDS))
            assert ws.protocol.close_code == 1006
            return got

    async with serve(talk, "127.0.0.1", 0, compression=None) as server:
        proxy = faults(server.sockets[0].getsockname()[1])
        assert await asyncio.to_thread(listen) == ["one", "two"]
    assert proxy.counts.cuts == 1


def test_nobody_behind_it_is_a_reset(faults: Faults) -> None:
    """A target that refuses ends the connection at once instead of leaving it open."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        proxy = faults(("127.0.0.1", place.getsockname()[1]))
        with pytest.raises(ConnectionResetError), _plug(proxy) as plug:
            plug.recv(1)


async def test_waiting_in_vain_says_what_it_saw(faults: Faults, echo: int) -> None:
    """The deadline's error names the target and the figures."""
    with pytest.raises(AssertionError, match=r"in vain for the proxy to 127.0.0.1:\d+: Counts\(connections=0"):
        await faults(echo).until(lambda c: c.connections == 1, within=0.05)


def test_nothing_is_left(echo: int) -> None:
    """After the end no port listens, no connection is open, no thread runs."""
    loop = LoopThread("a test")
    made = Faults(loop)
    proxy = made(echo)
    with _plug(proxy) as plug:
        _timed(plug, b"x")
        proxy.stall()
        made.close()
        loop.close()
        assert plug.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        _plug(proxy)
    assert not [thread for thread in threading.enumerate() if thread.name == "a test"]
