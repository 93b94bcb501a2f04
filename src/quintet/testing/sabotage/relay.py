"""The relay itself: a listener for each server that the tests speak to, and the connections to those servers."""

import asyncio
import contextlib
import socket
from collections import deque

from quintet.testing.contracts import Mapping
from quintet.testing.loops import LoopThread
from quintet.testing.sabotage.defects import ALL, Defect
from quintet.testing.sabotage.exchange import Exchange
from quintet.testing.sabotage.plan import Ends
from quintet.testing.sabotage.scene import Scene
from quintet.testing.wire.tcp import Listener, opened

__all__ = ["Relay"]

LIMIT = 1 << 16
SEND_BUFFER = 1 << 16  # bytes: what a client does not read must be felt by the server
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
        self._listeners: dict[Place, tuple[Listener, Place]] = {}
        self._waiting: dict[Place, deque[socket.socket]] = {}

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
            listener = Listener(lambda reader, writer: self._accept(place, Ends(reader, writer)), LIMIT)
            self._listeners[place] = listener, await listener.open(host)
            self.ports.add(self._listeners[place][1][1])
        return self._listeners[place][1]

    async def _accept(self, place: Place, client: Ends) -> None:
        client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        server = Ends(*await opened(self._waiting[place].popleft(), LIMIT))
        with contextlib.suppress(OSError):
            await Exchange(self, place, client, server).carry()

    async def _stop(self) -> None:
        for listener, _ in self._listeners.values():
            await listener.stop()
        for waiting in self._waiting.values():
            for plug in waiting:
                plug.close()
