"""What the fixture `connect` gives: connections of every kind, ended with the test, and a test that fails if one broke its rules."""

import contextlib
import inspect
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Keyed
from typing import Any
from urllib.parse import urlsplit

from quintet.testing.contracts import Mapping, Story
from quintet.testing.loops import LoopThread
from quintet.testing.sockets.connection import Connection, Credential, How, Refused
from quintet.testing.sockets.device import PATH, SUBPROTOCOL, Device
from quintet.testing.sockets.raw import RawSocket
from quintet.testing.sockets.reading import STEP_SECONDS, Reader
from quintet.testing.sockets.stream import EVENTS, Stream
from quintet.testing.targets import Target

__all__ = ["Connect", "ConnectNow"]

MOST = 5_000  # connections of a test


class Connect:
    """Makes connections. A token is text, a `Credential`, or an account with an `access_token`."""

    def __init__(self, loop: LoopThread, mapping: Mapping | None = None) -> None:
        self.loop = loop
        self.mapping = mapping or Mapping.quintet()
        self.open: list[Reader] = []
        self._raw: list[RawSocket] = []

    async def __call__(
        self,
        target: Any,
        path: str | None = None,
        *,
        token: Any = None,
        how: How = "header",
        headers: Keyed[str, str] | None = None,
        subprotocols: Sequence[str] = (),
        origin: str | None = None,
        name: str = "",
        mapping: Mapping | None = None,
        strict: bool = True,
        within: float = STEP_SECONDS,
    ) -> Connection:
        """A WebSocket at a service (`path` says where) or a URL; without any path at Quintet's. Raises `Refused`.

        `strict=False` takes events in any order: for a backend whose numbers have holes, or for a check of its own.
        """
        place = Target.of(target)
        made = Connection(name or self._name(), place, self.loop, mapping or self.mapping, strict=strict)
        with self._keeping(made):
            await made.open(
                _url(place, "ws", path, PATH),
                _credential(token, how),
                headers=headers,
                subprotocols=subprotocols,
                origin=origin,
                within=within,
            )
        return made

    async def device(
        self,
        server: Any,
        token: Any,
        *,
        after: str | None = "0",
        how: How = "header",
        origin: str | None = None,
        name: str = "",
        strict: bool = True,
        wait_ready: bool = True,
    ) -> Device:
        """A device of a user at a Quintet server, which follows from the cursor `after` (None: not yet). Raises `Refused`."""
        made = Device(name or self._name(), Target.of(server), self.loop, Mapping.quintet(), strict=strict)
        with self._keeping(made):
            await made.greeted(_credential(token, how), origin=origin, wait_ready=wait_ready)
        if after is not None:
            await made.following(after)
        return made

    async def stream(
        self,
        target: Any,
        path: str | None = None,
        *,
        token: Any = None,
        how: How = "header",
        name: str = "",
        mapping: Mapping | None = None,
        strict: bool = True,
        **asked: Any,
    ) -> Stream:
        """A stream of server-sent events; `asked` as `Stream.open` has it (`last_id`, `method`, `body`, …). Raises `Refused`."""
        place = Target.of(target)
        made = Stream(name or self._name(), place, self.loop, mapping or self.mapping, strict=strict)
        with self._keeping(made):
            await made.open(_url(place, "http", path, EVENTS), _credential(token, how), **asked)
        return made

    async def raw(
        self,
        target: Any,
        path: str = PATH,
        *,
        token: Any = None,
        subprotocol: str | None = SUBPROTOCOL,
        origin: str | None = None,
        headers: Keyed[str, str | None] | None = None,
        **asked: Any,
    ) -> RawSocket:
        """A socket of bytes; look at its `handshake` first. `asked` as `RawSocket.open` has it (`method`, `upgrade`, …)."""
        shown = _credential(token, "header")
        made = RawSocket(Target.of(target), self.loop)
        self._raw.append(made)
        protocol = {"Sec-WebSocket-Protocol": subprotocol} if asked.get("upgrade", True) else {}
        fields = {**protocol, "Origin": origin, **(shown.headers() if shown else {}), **(headers or {})}
        await made.open(path, fields, **asked)
        return made

    async def refused(
        self, target: Any, path: str | None = None, *, within: float = STEP_SECONDS, **how: Any
    ) -> Refused:
        """A socket that must not open: refused with an HTTP status, or closed by the server (`status` is then the close code).

        Raises `ConnectionFault`: it stays open.
        """
        try:
            made = await self(target, path, within=within, **how)
        except Refused as refusal:
            return refusal
        code, reason = await made.closed(within)
        return Refused(made.told(), code, {}, reason.encode())

    async def stream_refused(self, target: Any, path: str | None = None, **how: Any) -> Refused:
        """A stream that must not open. Raises `ConnectionFault`: it does."""
        try:
            made = await self.stream(target, path, **how)
        except Refused as refusal:
            return refusal
        raise made.fault("the stream is open, a refusal was due")

    @property
    def stories(self) -> list[Story]:
        """Of all connections, in the order in which they were made."""
        return [reader.story for reader in self.open]

    def finish(self) -> None:
        """`end`; then raise the first rule that one of them saw broken and that no step has told."""
        self.end()
        for reader in self.open:
            if reader.strict and reader.faults and not reader.told_fault:
                raise reader.fault(reader.faults[0])

    def end(self) -> None:
        """End all that is open."""
        if self.open or self._raw:
            self.loop.call(self._end())

    async def _end(self) -> None:
        for raw in self._raw:
            await raw.cut()
        for reader in self.open:
            if isinstance(reader, (Connection, Stream)):
                await reader.cut()

    @contextlib.contextmanager
    def _keeping(self, made: Reader) -> Iterator[None]:
        """What is being opened is ended with the rest, whatever happens; what was refused was never open."""
        assert len(self.open) < MOST, f"a test opens at most {MOST} connections"
        self.open.append(made)
        try:
            yield
        except Refused:
            self.open.remove(made)
            raise

    def _name(self) -> str:
        return f"connection {len(self.open) + 1}"


class ConnectNow:
    """The same for plain functions: every step of what it gives waits here instead of being awaited."""

    def __init__(self, connect: Any) -> None:
        self._inner = connect

    def __getattr__(self, name: str) -> Any:
        return self._blocking(getattr(self._inner, name))

    def __call__(self, *args: Any, **options: Any) -> "ConnectNow":
        """As `Connect` has it."""
        told: ConnectNow = self._blocking(self._inner.__call__)(*args, **options)
        return told

    def _blocking(self, attribute: Any) -> Any:
        if not inspect.iscoroutinefunction(attribute):
            return attribute

        def now(*args: Any, **options: Any) -> Any:
            told = self._loop.call(attribute(*args, **options), None)
            return ConnectNow(told) if isinstance(told, (Reader, RawSocket)) else told

        return now

    @property
    def _loop(self) -> LoopThread:
        inner = self._inner
        loop: LoopThread = inner.loop if isinstance(inner, Connect) else inner._loop
        return loop


def _url(place: Target, scheme: str, path: str | None, usual: str) -> str:
    named = path is not None or urlsplit(place.url).path
    return place.at(scheme, path if named else usual)


def _credential(token: Any, how: How) -> Credential | None:
    if token is None or isinstance(token, Credential):
        return token
    return Credential(token if isinstance(token, str) else str(token.access_token), how)
