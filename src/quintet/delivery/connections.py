"""Who is connected here, counted: the bounds on sockets, and the figures of the metrics.

A socket counts until its TCP connection is closed, not until we wish it were: a peer that never answers a close holds memory.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Protocol

__all__ = ["Closable", "Connections"]


class Closable(Protocol):
    """A connection as the registry sees it."""

    def drain(self, after: float) -> None:
        """Say goodbye: reconnect after so many seconds."""


class Behind(Protocol):
    """A feed as the registry sees it: how many committed events its connection has not been handed yet."""

    @property
    def behind(self) -> int: ...


class Connections:
    """The sockets of this process. `per_user` and `per_address` are the bounds."""

    def __init__(self, per_user: int, per_address: int) -> None:
        self.draining = False
        self.delivered = 0  # events, since the start
        self.counted: Counter[str] = Counter()  # closes by reason, since the start
        self.streams = 0  # of all connections, those that are answers to HTTP requests
        self._per_user = per_user
        self._per_address = per_address
        self.feeds: set[Behind] = set()
        self.told: Callable[[str, int], None] | None = (
            None  # who wants to know what a user was handed, and up to which seq
        )
        self._all: set[Closable] = set()
        self._users: Counter[str] = Counter()
        self._addresses: Counter[str] = Counter()
        self._empty: asyncio.Event = asyncio.Event()

    def add(self, connection: Closable) -> None:
        """A connection was upgraded."""
        self._all.add(connection)

    def remove(self, connection: Closable) -> None:
        """Its TCP connection is closed."""
        self._all.discard(connection)
        if not self._all:
            self._empty.set()

    def take_address(self, address: str) -> bool:
        """Count an unauthenticated socket of `address`; False when there are as many as may be."""
        return _take(self._addresses, address, self._per_address)

    def leave_address(self, address: str) -> None:
        """It has authenticated itself, or is gone."""
        _leave(self._addresses, address)

    def take_user(self, user_id: str) -> bool:
        """Count a socket of this user; False when there are as many as may be."""
        return _take(self._users, user_id, self._per_user)

    def leave_user(self, user_id: str) -> None:
        """One of them is gone."""
        _leave(self._users, user_id)

    def everyone(self) -> tuple[Closable, ...]:
        """All connections, as of now."""
        return tuple(self._all)

    async def emptied(self, within: float) -> bool:
        """Wait until the last connection is gone; False when that took longer than `within` seconds."""
        self._empty.clear()
        if not self._all:
            return True
        try:
            await asyncio.wait_for(self._empty.wait(), within)
        except TimeoutError:
            return False
        return True

    def snapshot(self) -> dict[str, int]:
        """Figures for the metrics: sockets, users, unauthenticated ones, and everything counted since the start."""
        return {
            "sockets": len(self._all) - self.streams,
            "streams": self.streams,
            "users": len(self._users),
            "unauthenticated": self._addresses.total(),
            "events": self.delivered,
            "behind": max((feed.behind for feed in self.feeds), default=0),
            **self.counted,
        }


def _take(counts: Counter[str], key: str, most: int) -> bool:
    if counts[key] >= most:
        return False
    counts[key] += 1
    return True


def _leave(counts: Counter[str], key: str) -> None:
    counts[key] -= 1
    if counts[key] <= 0:
        del counts[key]
