"""The way to one server: opens sockets and makes calls with a token that counts, and knows when to give up.

A token that the server does not take is renewed once. What passes is tried again, with growing waits, until nothing has worked for as
long as the caller's patience.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from quintet.client.address import Address
from quintet.client.faults import ClientError, LineLostError, RefusedError, SignedOutError, UnreachableError
from quintet.client.http import Http
from quintet.client.line import Line
from quintet.client.session import Access, Credentials
from quintet.client.waiting import Backoff

__all__ = ["Door"]

T = TypeVar("T")


class Door:
    """Sockets and calls of one user at one server."""

    def __init__(self, address: Address, credentials: Credentials, patience: float) -> None:
        """`patience`: seconds without any success after which `UnreachableError` is raised."""
        self.address = address
        self.credentials = credentials
        self.http = Http(address)
        self.patience = patience

    async def open(self) -> tuple[Line, Access]:
        """A new socket, one attempt, and the access token it was opened with."""
        return await self._authorised(self._open)

    async def call(self, method: str, path: str, *, body: Any = None, **query: Any) -> Any:
        """An HTTP call, one attempt."""

        async def once(access: Access) -> Any:
            return await self.http.call(method, path, body=body, token=access.token, **query)

        return await self._authorised(once)

    async def get(self, path: str, **query: Any) -> Any:
        """An HTTP GET, repeated until it is answered or patience ends."""
        trial = Trial(self.patience)
        while True:
            try:
                return await self.call("GET", path, **query)
            except ClientError as fault:
                await trial.failed(fault)

    async def close(self) -> None:
        """Let a renewal end and give the connections back."""
        await self.credentials.settle()
        await self.http.close()

    async def _open(self, access: Access) -> tuple[Line, Access]:
        return await Line.open(self.address, access.token), access

    async def _authorised(self, attempt: Callable[[Access], Awaitable[T]]) -> T:
        access = await self.credentials.access(self.http)
        try:
            return await attempt(access)
        except SignedOutError:
            raise
        except RefusedError as refusal:
            if refusal.status != 401:
                raise
        access = await self.credentials.access(self.http, stale=access.token)
        try:
            return await attempt(access)
        except RefusedError as refusal:
            if refusal.status != 401:
                raise
            raise SignedOutError(refusal.code, refusal.message) from None


class Trial:
    """Failures in a row."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._backoff = Backoff(random.random)
        self._since: float | None = None

    def worked(self) -> None:
        """There was a success."""
        self._since = None
        self._backoff.reset()

    async def failed(self, fault: ClientError, wait: float | None = None) -> None:
        """Wait before the next attempt; `wait` is what the server asked for. Raises `fault` where no attempt makes sense any more."""
        if not _passes(fault):
            raise fault
        now = time.monotonic()
        self._since = self._since or now
        # What a drain asks for is jittered by the server; a `Retry-After` is the same number for everybody.
        pause = wait or self._backoff.next() + float(getattr(fault, "retry_after", None) or 0)
        if now + pause - self._since > self._patience:
            raise UnreachableError(f"gave up after {now - self._since:.0f} s: {fault}") from fault
        await asyncio.sleep(pause)


def _passes(fault: ClientError) -> bool:
    if isinstance(fault, RefusedError):
        return fault.passes or fault.status >= 500
    return isinstance(fault, (UnreachableError, LineLostError))
