"""Valkey or Redis as who carries notices, by publish and subscribe. Needs the extra `valkey`; imported only when a setting asks for it.

1. Nothing is kept there and nothing is read from it but wake-ups: without it everything goes on, later by a slow poll.
2. The library tries nothing again by itself: whoever tells or hears decides when, and for how long.
3. Each side is probed within seconds: a network that swallows everything looks like silence.
"""

import select
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from quintet.store.notices import PROBE, CutOffError

__all__ = ["ValkeyChannel"]

_ANSWER = 2.0  # seconds in which it answers, or is gone
_LOOK = 0.5  # seconds between two looks whether to end
_SCHEME = "valkey"


class ValkeyChannel:
    """See `Channel`. `name` tells the installations apart that share one Valkey; it may change when the database does."""

    most = 60_000  # bytes

    def __init__(self, url: str, name: Callable[[], str]) -> None:
        self._name = name
        told = url.replace(_SCHEME, "redis", 1) if url.startswith(_SCHEME) else url
        make = partial(
            redis.Redis.from_url,
            told,
            client_name="quintet",
            socket_timeout=_ANSWER,
            socket_connect_timeout=_ANSWER,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),
        )
        self._client = make()
        self._hearing = make()  # connections of its own: closing the one must not disturb the other's thread

    def tell(self, payload: str) -> None:
        """See `Channel`."""
        try:
            self._client.publish(self._name(), payload)
        except redis.RedisError as error:
            raise CutOffError(_words(error)) from error

    def listen(self) -> "ValkeyEar":
        """See `Channel`."""
        return ValkeyEar(self._hearing, self._name)

    def close(self) -> None:
        """See `Channel`."""
        self._client.close()


class ValkeyEar:
    """See `Ear`."""

    def __init__(self, client: "redis.Redis", name: Callable[[], str]) -> None:
        self._subscribed, self._name = name(), name
        self._silence = 0.0
        self._asked = False
        self._client = client
        self._messages = client.pubsub()  # type: ignore[no-untyped-call]
        try:
            self._messages.subscribe(self._subscribed)
        except (redis.RedisError, OSError) as error:
            self.close()
            raise CutOffError(_words(error)) from error

    def hear(self, ended: socket.socket) -> Sequence[str]:
        """See `Ear`."""
        if select.select([ended], [], [], 0)[0]:
            return ()
        message = self._next()
        if message is None:
            self._probe()
            return ()
        self._silence, self._asked = 0.0, False
        return (message["data"].decode(errors="replace"),) if message["type"] == "message" else ()

    def _next(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] | None = self._messages.get_message(timeout=_LOOK)
        except (redis.RedisError, OSError) as error:
            raise CutOffError(_words(error)) from error
        return found

    def _probe(self) -> None:
        """Ask after a while of silence, and take a longer one for the end."""
        self._silence += _LOOK
        if self._subscribed != self._name():
            raise CutOffError("the database is another cluster than before, which notices by another name")
        if self._silence >= PROBE + _ANSWER:
            raise CutOffError("it has not answered")
        if self._silence >= PROBE and not self._asked:
            self._asked = True
            try:
                self._messages.ping()
            except (redis.RedisError, OSError) as error:
                raise CutOffError(_words(error)) from error

    def close(self) -> None:
        """See `Ear`."""
        self._messages.close()
        self._client.close()


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
