"""Throttles: how often somebody may try something, in this process.

1. Counted on a clock that never goes back, so a jump of the wall clock neither locks nor unlocks anybody.
2. The number of keys is bounded; when it is full the one untouched for longest goes, so a flood of names costs no memory.
3. An address is what the transport says. A forwarded one is believed only from a proxy that was named.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from limits import parse
from limits.storage import MovingWindowSupport, Storage
from limits.strategies import MovingWindowRateLimiter
from starlette.types import Scope

from quintet.errors import QuintetError

__all__ = ["AddressOf", "Throttle"]

KEYS = 10_000
FORWARDED_HOPS = 20


class _Windows(Storage, MovingWindowSupport):
    """Bounded memory on our own clock. (The library's memory storage is neither, and starts a thread to forget.)"""

    STORAGE_SCHEME = None

    def __init__(self, clock: Callable[[], float], keys: int) -> None:
        super().__init__()
        self._clock = clock
        self._keys = keys
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        times = self._recent(key, expiry)
        if len(times) + amount > limit:
            return False
        times.extend([self._clock()] * amount)
        self._times[key] = times
        self._times.move_to_end(key)
        while len(self._times) > self._keys:
            self._times.popitem(last=False)
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        times = self._recent(key, expiry)
        return (times[0], len(times)) if times else (self._clock(), 0)

    def _recent(self, key: str, expiry: int) -> deque[float]:
        times = self._times.get(key, deque())
        oldest = self._clock() - expiry
        while times and times[0] <= oldest:
            times.popleft()
        return times

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        raise NotImplementedError

    def get(self, key: str) -> int:
        return len(self._times.get(key, ()))

    def get_expiry(self, key: str) -> float:
        raise NotImplementedError

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        forgotten = len(self._times)
        self._times.clear()
        return forgotten

    def clear(self, key: str) -> None:
        self._times.pop(key, None)


class Throttle:
    """So many in a sliding window for each key, e.g. `Throttle("10 per 1 minute", sources.monotonic)`. For one thread."""

    def __init__(self, rate: str, clock: Callable[[], float], *, keys: int = KEYS) -> None:
        self._item = parse(rate)
        self._clock = clock
        self._limiter = MovingWindowRateLimiter(_Windows(clock, keys))

    def take(self, key: str) -> None:
        """Count one. Raises QuintetError `rate_limited`, with the seconds to wait, when there is none left."""
        if not self._limiter.hit(self._item, key):
            raise self._refusal(key)

    def check(self, key: str) -> None:
        """Raise QuintetError `rate_limited` when there is none left; count nothing."""
        if not self._limiter.test(self._item, key):
            raise self._refusal(key)

    def _refusal(self, key: str) -> QuintetError:
        free_at = self._limiter.get_window_stats(self._item, key).reset_time
        return QuintetError("rate_limited", retry_after=max(1, math.ceil(free_at - self._clock())))


class AddressOf:
    """The address a request comes from, as a throttle's key. `trusted` are the proxies (networks) whose word is taken."""

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        """Raises ValueError when one of `trusted` is no network."""
        self._trusted = tuple(ip_network(network, strict=False) for network in trusted)

    def __call__(self, scope: Scope) -> str:
        """The key: an IPv4 address, or the /64 of an IPv6 one, since a single home has that many addresses."""
        address = self._of(scope)
        return "unknown" if address is None else _key(address)

    def whole(self, scope: Scope) -> str:
        """The address itself, to be told to a person."""
        return str(self._of(scope) or "unknown")

    def _of(self, scope: Scope) -> IPv4Address | IPv6Address | None:
        client = scope.get("client")
        address = _parsed(client[0]) if client else None
        if address is None or not self._is_trusted(address):
            return address
        return self._behind_proxies(address, scope)

    def _behind_proxies(self, proxy: IPv4Address | IPv6Address, scope: Scope) -> IPv4Address | IPv6Address:
        """Right to left: the first address that is not a proxy of ours. Everything left of it is the caller's invention."""
        lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
        nearest = proxy
        for text in reversed(",".join(lines).split(",")[-FORWARDED_HOPS:]):
            address = _parsed(text.strip())
            if address is None:
                break
            nearest = address
            if not self._is_trusted(address):
                break
        return nearest

    def _is_trusted(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._trusted)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _key(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False).network_address)
    return str(address)
