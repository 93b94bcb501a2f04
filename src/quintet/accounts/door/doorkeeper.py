"""Who is at the door, and how often they may knock: the throttles per address."""

from fastapi import Request

from quintet.accounts.config import AccountsConfig
from quintet.accounts.sessions.entering import Visitor
from quintet.edge.limits import AddressOf, Throttle
from quintet.sources import Sources

__all__ = ["Doorkeeper"]

PROGRAM = 300  # characters of a `User-Agent` that are looked at


class Doorkeeper:
    """Counts per address, unless the configuration says that everybody has the same one (development)."""

    def __init__(self, config: AccountsConfig, sources: Sources) -> None:
        self._address_of = AddressOf(config.trusted_proxies)
        self._off = not config.per_address
        self._sign_ins = Throttle(config.sign_ins_per_address, sources.monotonic)
        self._letters = Throttle(config.letters_per_address, sources.monotonic)
        self._registrations = Throttle(config.registrations_per_address, sources.monotonic)

    def address(self, request: Request) -> str:
        """Where the request comes from, by the word of trusted proxies where there are any. Also a dependency of routes."""
        return self._address_of.whole(request.scope)

    def visitor(self, request: Request, device: str | None) -> Visitor:
        """Who sends the request."""
        return Visitor(device, request.headers.get("user-agent", "")[:PROGRAM], self.address(request))

    def sign_in(self, request: Request) -> None:
        """Count a sign-in. Raises QuintetError `rate_limited`."""
        self._count(self._sign_ins, request)

    def registration(self, request: Request) -> None:
        """Count a registration. Raises QuintetError `rate_limited`."""
        self._count(self._registrations, request)

    def letter(self, request: Request) -> None:
        """Count what makes us write a letter, or what comes of one. Raises QuintetError `rate_limited`."""
        self._count(self._letters, request)

    def _count(self, throttle: Throttle, request: Request) -> None:
        if not self._off:
            throttle.take(self._address_of(request.scope))
