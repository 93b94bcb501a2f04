"""Everything a behaviour needs, ended with it: users and their devices at one server."""

import asyncio
from types import TracebackType
from typing import Any, Self

from quintet.testing.accounts.account import Account, register, register_many
from quintet.testing.loops import LoopThread
from quintet.testing.sockets.connecting import Connect
from quintet.testing.sockets.connection import Refused
from quintet.testing.sockets.device import Device
from quintet.testing.sockets.raw import RawSocket
from quintet.testing.sockets.stream import EVENTS, Stream
from support.server import Server

__all__ = ["World"]


class World:
    """The test kit's connections and accounts at one server, for tests that have several worlds. A rule that a device saw broken
    fails the behaviour."""

    def __init__(self, server: Server, *, strict: bool = True) -> None:
        """With `strict=False` devices take any frame: for seeing that a check of its own finds what is wrong."""
        self.server = server
        self.connect = Connect(LoopThread("a world's connections"))
        self._strict = strict

    async def user(self) -> Account:
        """A new user."""
        return await asyncio.to_thread(register, self.server)

    async def users(self, count: int) -> list[Account]:
        """Several new users."""
        return await asyncio.to_thread(register_many, self.server, count)

    async def again(self, account: Account) -> Account:
        """Another session of the same user."""
        return await asyncio.to_thread(account.again)

    async def device(self, account: Account, *, after: str | None = "0", name: str = "device", **how: Any) -> Device:
        """A device of the user that follows from `after` (None: does not follow yet)."""
        return await self.connect.device(self.server, account, after=after, name=name, strict=self._strict, **how)

    async def stranger(self, token: str | None, **how: Any) -> Device:
        """A device with any token or none, which need not become ready."""
        return await self.connect.device(self.server, token, after=None, wait_ready=False, **how)

    async def raw(self, account: Account | None, **options: Any) -> RawSocket:
        """A socket of bytes whose upgrade must succeed, and which has read `ready` if it is somebody's."""
        raw = await self.connect.raw(self.server, token=account, **options)
        assert raw.handshake.status == 101, raw.shown(f"the upgrade was answered {raw.handshake}")
        if account is not None:
            await raw.until("ready")
        return raw

    async def stream(self, account: Account | str | None, query: str = "", **options: Any) -> Stream:
        """A stream of server-sent events of a user, or with any token."""
        return await self.connect.stream(self.server, EVENTS + query, token=account, strict=self._strict, **options)

    async def stream_refused(self, account: Account | str | None, query: str = "", **options: Any) -> Refused:
        """A stream that must be refused."""
        return await self.connect.stream_refused(self.server, EVENTS + query, token=account, **options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _fault: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            await asyncio.to_thread(self.connect.end if kind else self.connect.finish)
        finally:
            await asyncio.to_thread(self.connect.loop.close)
