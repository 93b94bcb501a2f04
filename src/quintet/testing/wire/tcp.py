"""TCP as a test needs it: a listener that leaves nothing behind, and ends that no polite library offers.

1. A connection is somebody's from its first moment to its last: whoever is cancelled on the way drops it.
2. Connections are taken by hand. A server of asyncio's that is closed between an accept and the connection's first step fails there, and
   leaves the connection to the garbage collector.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable

__all__ = ["Listener", "Streams", "gone", "opened", "reset"]

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
BACKLOG = 512
FULL_SECONDS = 0.5  # how long nobody is taken when the process has no descriptors left


async def opened(plug: socket.socket, limit: int = 1 << 16) -> Streams:
    """Streams over a socket that is connected; it is theirs from now on, also where this fails or is cancelled."""
    opening = asyncio.ensure_future(asyncio.open_connection(sock=plug, limit=limit))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:  # its transport may be there already, and nobody else would close it
        (await opening)[1].transport.abort()
        raise
    except BaseException:
        plug.close()
        raise


async def gone(writer: asyncio.StreamWriter) -> None:
    """Close, and wait until all is sent and the connection has gone; whoever is cancelled meanwhile drops it."""
    writer.close()
    try:
        await writer.wait_closed()
    except asyncio.CancelledError:
        writer.transport.abort()
        raise
    except OSError:
        pass


class Listener:
    """Runs `work` for each connection, and ends all of them with itself."""

    def __init__(
        self, work: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], limit: int = 1 << 16
    ) -> None:
        self._work = work
        self._limit = limit
        self._socket: socket.socket | None = None
        self._again: asyncio.TimerHandle | None = None
        self._running: dict[asyncio.Task[None], socket.socket] = {}

    @property
    def listening(self) -> bool:
        """Whether connections are accepted."""
        return self._socket is not None

    async def open(self, host: str, port: int = 0) -> tuple[str, int]:
        """Accept connections; where."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=BACKLOG)
        self._socket.setblocking(False)
        self._listen()
        name = self._socket.getsockname()
        return name[0], name[1]

    async def deafen(self) -> None:
        """Accept no more; those that are open go on."""
        if self._again is not None:
            self._again.cancel()
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    async def stop(self) -> None:
        """Accept no more, and end those that are open."""
        await self.deafen()
        running = dict(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for plug in running.values():
            plug.close()  # of one that was cancelled before its first step

    def _listen(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().add_reader(self._socket, self._accept, self._socket)

    def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            plug, _ = listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError:
            loop.remove_reader(listening)
            self._again = loop.call_later(FULL_SECONDS, self._listen)
            return
        plug.setblocking(False)
        task = asyncio.ensure_future(self._carried(plug))
        self._running[task] = plug
        task.add_done_callback(self._running.pop)

    async def _carried(self, plug: socket.socket) -> None:
        reader, writer = await opened(plug, self._limit)
        try:
            await self._work(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        finally:
            await gone(writer)


def reset(writer: asyncio.StreamWriter) -> None:
    """Leave without a word: the peer reads a reset. What a polite end has not sent yet is dropped."""
    if not writer.is_closing():  # else the number of its socket may be another's by now
        plug = writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
