"""Everything a behaviour needs, ended with it: users and their devices at one server."""

import asyncio
from types import TracebackType
from typing import Any, Self

from support.raw import RawSocket
from support.server import Server
from support.socket import Device
from support.sse import Stream
from support.users import Account, register

__all__ = ["World"]


class World:
    """Makes users, devices and raw sockets, and closes all of them. A fault that a device noticed fails the behaviour."""

    def __init__(self, server: Server, *, strict: bool = True) -> None:
        """With `strict=False` devices take any frame: for seeing that a check of its own finds what is wrong."""
        self.server = server
        self._strict = strict
        self._accounts: list[Account] = []
        self._devices: list[Device] = []
        self._raw: list[RawSocket] = []
        self._streams: list[Stream] = []

    async def user(self) -> Account:
        """A new user."""
        account = await register(self.server)
        self._accounts.append(account)
        return account

    def adopt(self, account: Account) -> Account:
        """A user that was made before and outlives this world."""
        self._accounts.append(account)
        return account

    @property
    def first(self) -> Account:
        """The first user that was made."""
        return self._accounts[0]

    async def users(self, count: int) -> list[Account]:
        """Several new users."""
        return list(await asyncio.gather(*(self.user() for _ in range(count))))

    async def again(self, account: Account) -> Account:
        """Another session of the same user."""
        other = await account.again()
        self._accounts.append(other)
        return other

    async def device(self, account: Account, *, after: str | None = "0", name: str = "device", **how: Any) -> Device:
        """A device of the user that follows from `after` (None: does not follow yet)."""
        device = await Device.open(self.server, account.access_token, name=name, strict=self._strict, **how)
        self._devices.append(device)
        if after is not None:
            await device.following(after)
        return device

    async def stranger(self, token: str | None, **how: Any) -> Device:
        """A device with any token or none, which need not become ready."""
        device = await Device.open(self.server, token, wait_ready=False, **how)
        self._devices.append(device)
        return device

    async def raw(self, account: Account | None, **options: Any) -> RawSocket:
        """A raw socket."""
        raw = await RawSocket.open(self.server, account.access_token if account else None, **options)
        self._raw.append(raw)
        return raw

    async def stream(self, token: str, **options: Any) -> Stream:
        """A stream of server-sent events, asked for with this access token."""
        stream = await Stream.open(self.server, token, **options)
        self._streams.append(stream)
        return stream

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _fault: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(raw.cut() for raw in self._raw), *(stream.cut() for stream in self._streams))
        await asyncio.gather(*(device.close() for device in self._devices), return_exceptions=True)
        await asyncio.gather(*(account.close() for account in self._accounts))
        faults = [(device, fault) for device in self._devices if device.strict for fault in device.faults]
        if faults and kind is None:
            raise faults[0][0].fault(faults[0][1])
