"""The relay itself: a listener for each server that the tests speak to, and the connections to those servers."""

import asyncio
import socket
from collections import deque

from quintet.testing.contracts import Mapping
from quintet.testing.loops import LoopThread
from quintet.testing.sabotage.defects import ALL, Defect
from quintet.testing.sabotage.exchange import Exchange
from quintet.testing.sabotage.plan import Ends
from quintet.testing.sabotage.scene import Scene

__all__ = ["Relay"]

LIMIT = 1 << 20
Place = tuple[str, int]


class Relay:
    """Without a defect it only counts, for every one, what it could have done."""

    def __init__(self, mapping: Mapping, defect: type[Defect] | None = None) -> None:
        self.mapping = mapping
        self.scene = Scene(mapping)
        self.active = defect(self.scene) if defect else None
        self.defects = [self.active] if self.active else [kind(self.scene) for kind in ALL]
        self.loop = LoopThread("quintet relay")
        self.ports: set[int] = set()  # its own
        self._listeners: dict[Place, asyncio.Server] = {}
        self._waiting: dict[Place, deque[socket.socket]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def expect(self, place: Place, server: socket.socket) -> Place:
        """Where a client may connect instead; `server` is an open connection to `place`, for that client.

        It is open already so that a server that refuses still refuses.
        """
        return self.loop.call(self._expect(place, server))

    def met(self) -> dict[str, int]:
        """What each defect has done, or could have."""
        return {defect.name: defect.done for defect in self.defects if defect.done}

    def stop(self) -> None:
        """End everything."""
        self.loop.call(self._stop())
        self.loop.close()

    async def upstream(self, place: Place) -> Ends:
        """A new connection to a server."""
        return Ends(*await asyncio.open_connection(*place, limit=LIMIT))

    async def _expect(self, place: Place, server: socket.socket) -> Place:
        self._waiting.setdefault(place, deque()).append(server)
        if place not in self._listeners:
            host = "::1" if server.family == socket.AF_INET6 else "127.0.0.1"

            async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await self._accept(place, Ends(reader, writer))

            self._listeners[place] = await asyncio.start_server(accept, host, 0, limit=LIMIT, backlog=512)
            self.ports.add(self._listeners[place].sockets[0].getsockname()[1])
        name = self._listeners[place].sockets[0].getsockname()
        return name[0], name[1]

    async def _accept(self, place: Place, client: Ends) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            plug = self._waiting[place].popleft()
            server = Ends(*await asyncio.open_connection(sock=plug, limit=LIMIT))
            await Exchange(self, place, client, server).carry()
        except (asyncio.CancelledError, OSError, IndexError):
            client.writer.close()
        finally:
            self._tasks.discard(task)

    async def _stop(self) -> None:
        for listener in self._listeners.values():
            listener.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for waiting in self._waiting.values():
            for plug in waiting:
                plug.close()
