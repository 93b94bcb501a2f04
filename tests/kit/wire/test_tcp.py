"""A listener leaves nothing behind, whenever it is stopped."""

import asyncio
import gc
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from quintet.testing.loops import LoopThread
from quintet.testing.wire.tcp import Listener, reset

pytestmark = pytest.mark.l2


@contextmanager
def nothing_left() -> Iterator[None]:
    """No socket and no transport is left to the garbage collector."""
    gc.collect()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        yield
        gc.collect()
    assert [str(one.message) for one in told] == []


async def stay(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Nothing is said."""
    await reader.read()


@pytest.mark.parametrize("turns", range(8))
def test_a_listener_may_be_stopped_at_any_moment_of_a_connection(turns: int) -> None:
    """Between the accept and the first step of its work, and anywhere else: it is closed, and the peer reads an end."""

    async def met() -> socket.socket:
        listener = Listener(stay)
        place = await listener.open("127.0.0.1")
        peer = socket.create_connection(place, 5)
        for _ in range(turns):
            await asyncio.sleep(0)
        await listener.stop()
        return peer

    with nothing_left():
        loop = LoopThread("a test")
        peer = loop.call(met())
        loop.close()
        with peer, suppress(ConnectionResetError):
            assert peer.recv(1) == b""


def test_what_nobody_reads_is_not_waited_for() -> None:
    """A work that has written much and is done: its connection is still sending when the listener is stopped, and goes with it."""

    async def much(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x" * 16_000_000)

    async def met() -> socket.socket:
        listener = Listener(much)
        place = await listener.open("127.0.0.1")
        peer = socket.create_connection(place, 5)
        for _ in range(20):
            await asyncio.sleep(0)
        await asyncio.wait_for(listener.stop(), 5)
        return peer

    with nothing_left():
        loop = LoopThread("a test")
        peer = loop.call(met())
        loop.close()
        peer.close()


def test_a_reset_ends_also_what_is_being_closed() -> None:
    """What a polite end has not sent yet is dropped with the connection."""

    async def met() -> tuple[socket.socket, socket.socket]:
        mine, theirs = socket.socketpair()
        _, writer = await asyncio.open_connection(sock=mine)
        writer.write(b"x" * 16_000_000)
        writer.close()
        reset(writer)
        await asyncio.sleep(0)
        return mine, theirs

    with nothing_left():
        loop = LoopThread("a test")
        mine, theirs = loop.call(met())
        loop.close()
        assert mine.fileno() == -1
        theirs.close()
