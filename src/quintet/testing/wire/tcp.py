"""TCP as a test needs it: a listener that leaves nothing behind, and an end that no polite library offers."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable

__all__ = ["Listener", "reset"]

# Of the loop, until the listening socket has left it and whoever was just accepted is known: two and three; without them a connection
# is nobody's when the loop closes.
_TURNS = 6


class Listener:
    """Runs `work` for each connection, and ends all of them with itself.

    A connection is known from its first moment: one that is accepted while everything ends is closed too.
    """

    def __init__(
        self, work: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], limit: int = 1 << 16
    ) -> None:
        self._work = work
        self._limit = limit
        self._server: asyncio.Server | None = None
        self._running: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def listening(self) -> bool:
        """Whether connections are accepted."""
        return self._server is not None

    async def open(self, host: str, port: int = 0) -> tuple[str, int]:
        """Accept connections; where."""
        self._server = await asyncio.start_server(self._accepted, host, port, limit=self._limit, backlog=512)
        name = self._server.sockets[0].getsockname()
        return name[0], name[1]

    async def deafen(self) -> None:
        """Accept no more; those that are open go on."""
        if self._server is not None:
            self._server.close()
            self._server = None
            for _ in range(_TURNS):
                await asyncio.sleep(0)

    async def stop(self) -> None:
        """Accept no more, and end those that are open."""
        await self.deafen()
        running = dict(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for writer in running.values():
            writer.transport.abort()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._carried(reader, writer))
        self._running[task] = writer
        task.add_done_callback(self._running.pop)

    async def _carried(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._work(reader, writer)
        finally:
            writer.close()


def reset(writer: asyncio.StreamWriter) -> None:
    """Leave without a word: the peer reads a reset."""
    if writer.is_closing():
        return  # the number of its socket may be another's by now
    plug = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
