"""The proxy as a test holds it: plain calls, in force when they return, also on connections that are open."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

from quintet.testing.faults.conditions import Conditions, Counts, How, Tally, Way
from quintet.testing.faults.conditions import Cut as _Cut
from quintet.testing.faults.link import Link
from quintet.testing.loops import LoopThread
from quintet.testing.targets import Target
from quintet.testing.wire.tcp import Listener, reset

__all__ = ["PORTS", "Faults", "Proxy"]

CONNECT_SECONDS = 10.0
WAIT_SECONDS = 15.0
MOST_LINKS = 2_000
PORTS: set[int] = set()  # on which proxies of this process listen


class Proxy:
    """Listens on a free port of loopback and carries every connection to `target`.

    It has what a handle of a service has (`name`, `host`, `port`, `url`, the log), so it can be given wherever a service can.
    Directions: `down` is from the server to the client, `up` the other, `both`.
    """

    def __init__(self, target: Any, loop: LoopThread) -> None:
        self.target = Target.of(target)
        self.host = "127.0.0.1"
        self.port = 0
        self._loop = loop
        self._ways = {"down": Conditions(), "up": Conditions()}
        self._tally = Tally()
        self._links: set[Link] = set()
        self._listener = Listener(self._accept)
        self._place: socket.socket | None = None  # keeps the port while nobody listens

    # --- what it is ---------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The target's name."""
        return self.target.name

    @property
    def url(self) -> str:
        """The target's URL, with this address in it."""
        return self.target.moved(self.host, self.port).url

    @property
    def counts(self) -> Counts:
        """What it has done so far."""
        return self._tally.counts()

    def log_size(self) -> int:
        """Of the target's log."""
        return self.target.log.log_size() if self.target.log else 0

    def logged(self, since: int = 0) -> str:
        """The target's log."""
        return self.target.log.logged(since) if self.target.log else ""

    # --- conditions ---------------------------------------------------------------------------------------------------

    def latency(self, seconds: float, jitter: float = 0.0, way: Way = "both") -> None:
        """Every byte arrives so much later, plus up to `jitter` more by chance; the order is kept."""
        self._set(way, latency=seconds, jitter=jitter)

    def slow(self, bytes_per_second: float, way: Way = "both") -> None:
        """No more than so many bytes a second."""
        if bytes_per_second <= 0:
            raise ValueError("a rate is above 0; `stall` passes nothing")
        self._set(way, rate=bytes_per_second)

    def stall(self, way: Way = "both") -> None:
        """Connections stay open and nothing passes, until `clear`."""
        self._set(way, stalled=True)

    def cut(self, after: int, how: How = "reset", way: Way = "down") -> None:
        """End each connection after so many bytes more: by a reset, a close, or `silence` (open, and the rest is swallowed).

        On a connection made later all bytes count, those of a handshake too.
        """
        self._set(way, cut=_Cut(how, after=after))

    def cut_inside_frame(self, number: int = 1, how: How = "reset", way: Way = "down") -> None:
        """End each WebSocket in the middle of the n-th data frame from now on."""
        self._set(way, cut=_Cut(how, frame=number))

    def clear(self) -> None:
        """Fair weather, and connections are accepted again; what waited flows on."""
        self._loop.call(self._clear())

    # --- acts ---------------------------------------------------------------------------------------------------------

    def reset(self) -> int:
        """Reset all open connections; returns how many."""
        return self._loop.call(self._reset())

    def half_close(self, way: Way = "down") -> int:
        """End one direction of all open connections, the other goes on; returns how many."""
        return self._loop.call(self._half_close(way))

    def refuse(self) -> None:
        """New connections are refused as if nobody listened, until `clear`; open ones go on."""
        self._loop.call(self._refuse())

    def wait(self, what: Callable[[Counts], bool], within: float = WAIT_SECONDS) -> Counts:
        """Wait here until the figures are so; for plain tests. Raises `AssertionError` with the figures."""
        return self._loop.call(self._until(what, within), within + 5)

    async def until(self, what: Callable[[Counts], bool], within: float = WAIT_SECONDS) -> Counts:
        """Wait until the figures are so. Raises `AssertionError` with the figures."""
        return await self._loop.run(self._until(what, within))

    # --- its life -----------------------------------------------------------------------------------------------------

    def start(self) -> "Proxy":
        """Listen."""
        self._loop.call(self._listen())
        return self

    def stop(self) -> None:
        """Stop listening and end every connection."""
        self._loop.call(self._stop())

    async def _listen(self) -> None:
        if self._place is not None:
            self._place.close()
            self._place = None
        _, self.port = await self._listener.open(self.host, self.port)
        PORTS.add(self.port)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._links) >= MOST_LINKS:
            reset(writer)
            return
        self._tally.add("connections")
        self._tally.add("open")
        try:
            await self._carry(reader, writer)
        finally:
            self._tally.add("open", -1)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            opening = asyncio.open_connection(self.target.host, self.target.port, limit=1 << 16)
            server = await asyncio.wait_for(opening, CONNECT_SECONDS)
        except (OSError, TimeoutError):
            reset(writer)  # the nearest to a refusal that is left once a connection was accepted
            return
        link = Link((reader, writer), server, (self._ways["down"], self._ways["up"]), self._tally)
        self._links.add(link)
        try:
            await link.carry()
        except asyncio.CancelledError:
            link.abort()
            raise
        finally:
            self._links.discard(link)

    def _set(self, way: Way, **values: Any) -> None:
        self._loop.call(self._change(way, values))

    async def _change(self, way: Way, values: dict[str, Any]) -> None:
        for name in _ways(way):
            conditions = self._ways[name]
            for key, value in values.items():
                setattr(conditions, key, value)
            if "cut" in values:
                for link in self._links:
                    (link.down if name == "down" else link.up).arm(values["cut"])
            conditions.pulse.beat()

    async def _clear(self) -> None:
        for conditions in self._ways.values():
            conditions.clear()
        for link in self._links:
            link.down.arm(None)
            link.up.arm(None)
        if not self._listener.listening:
            await self._listen()

    async def _reset(self) -> int:
        links = list(self._links)
        for link in links:
            await link.end("reset")
        return len(links)

    async def _half_close(self, way: Way) -> int:
        links = list(self._links)
        for link in links:
            for name in _ways(way):
                link.half_close(name)
        return len(links)

    async def _refuse(self) -> None:
        if not self._listener.listening:
            return
        await self._listener.deafen()
        self._place = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind((self.host, self.port))

    async def _until(self, what: Callable[[Counts], bool], within: float) -> Counts:
        deadline = time.monotonic() + within
        while not what(counts := self._tally.counts()):
            if time.monotonic() >= deadline:
                raise AssertionError(f"waited {within} s in vain for the proxy to {self.name}: {counts}")
            await self._tally.pulse.wait(deadline - time.monotonic())
        return counts

    async def _stop(self) -> None:
        await self._listener.stop()
        if self._place is not None:
            self._place.close()
            self._place = None
        PORTS.discard(self.port)


class Faults:
    """Makes proxies, and ends them with the test."""

    def __init__(self, loop: LoopThread) -> None:
        self._loop = loop
        self._made: list[Proxy] = []

    def __call__(self, target: Any) -> Proxy:
        """A proxy in front of a service, a URL, `host:port`, or a port of this machine."""
        proxy = Proxy(target, self._loop)
        self._made.append(proxy.start())
        return proxy

    def __iter__(self) -> Iterator[Proxy]:
        return iter(self._made)

    def close(self) -> None:
        """End all of them."""
        for proxy in self._made:
            proxy.stop()


def _ways(way: Way) -> tuple[str, ...]:
    return ("down", "up") if way == "both" else (way,)
