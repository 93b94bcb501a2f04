"""The ways to ask a store for work: from an event loop or a plain thread, each an item in the inbox of whoever does it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from quintet.store.base import GatherFn, Store, Tx
from quintet.store.committer import Committer
from quintet.store.readers import Readers
from quintet.store.wakes import Wakes
from quintet.store.work import Item

__all__ = ["Asking"]

T = TypeVar("T")


class Asking:
    """What stores share. A store says who writes for a key, and has its readers."""

    shared = False
    _readers: Readers

    def __init__(self) -> None:
        self.wakes = Wakes()
        self._listeners: tuple[Callable[[Sequence[Any]], None], ...] = ()

    @property
    def in_touch(self) -> bool:
        """See `Store.in_touch`."""
        return True

    @property
    def cells(self) -> "Sequence[Store]":
        """See `Store.cells`."""
        return (self._as_store(),)

    def apart(self, user_id: str) -> "Store | None":
        """See `Store.apart`."""
        return None

    def of(self, user_id: str) -> "Store":
        """See `Store.of`."""
        return self._as_store()

    async def tend(self, taken: "Callable[[Store], Awaitable[None]]") -> None:
        """See `Store.tend`."""
        await taken(self._as_store())

    def _as_store(self) -> "Store":
        return self  # type: ignore[return-value]  # with what its kind adds

    def _writer(self, key: str) -> Committer:
        raise NotImplementedError

    def on_commit(self, listener: Callable[[Sequence[Any]], None]) -> None:
        """See `Store.on_commit`."""
        self._listeners = (*self._listeners, listener)

    def _publish(self, facts: Sequence[Any]) -> None:
        for listener in self._listeners:
            listener(facts)

    async def write(self, key: str, fn: Callable[[Tx], T]) -> T:
        """See `Store.write`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._writer(key).put(Item(fn, future, loop, key=key))
        return await future

    async def gather(self, key: str, apply: GatherFn, payload: Any) -> None:
        """See `Store.gather`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._writer(key).put(Item(None, future, loop, apply, payload, key))
        await future

    async def read(self, fn: Callable[[Tx], T]) -> T:
        """See `Store.read`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._readers.put(Item(fn, future, loop))
        return await future

    def submit(self, key: str, fn: Callable[[Tx], T]) -> "Future[T]":
        """See `Store.submit`."""
        future: Future[T] = Future()
        self._writer(key).put(Item(fn, future, None, key=key))
        return future

    def submit_read(self, fn: Callable[[Tx], T]) -> "Future[T]":
        """See `Store.submit_read`."""
        future: Future[T] = Future()
        self._readers.put(Item(fn, future, None))
        return future

    def submit_gather(self, key: str, apply: GatherFn, payload: Any) -> "Future[None]":
        """See `Store.submit_gather`."""
        future: Future[None] = Future()
        self._writer(key).put(Item(None, future, None, apply, payload, key))
        return future
