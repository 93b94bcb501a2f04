"""Which web pages may speak to us, and under which names we answer.

1. Compare whole origins (scheme, host, port) for equality; never a prefix, suffix or substring.
2. `null` is nobody: sandboxed frames and files of any author send it.
3. Under `--dev` only loopback names are ours. A page of another site that points its own name at 127.0.0.1 (DNS rebinding) is
   stopped by the Host, and a page of another server on this machine by the port.
"""

import re
from collections.abc import Sequence
from ipaddress import ip_address
from typing import NamedTuple

__all__ = ["PROBES", "UNKNOWN_HOST", "OriginPolicy", "Place", "place_of_host", "place_of_origin"]

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})  # asked by address, by machines that know no name
UNKNOWN_HOST = "This server does not answer to the name it was called by."
LONGEST = 512
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?(?::(?P<port>[0-9]{1,5}))?"
_HOST_RULE = re.compile(_HOST)
_ORIGIN_RULE = re.compile(rf"(?P<scheme>https?)://{_HOST}")


class Place(NamedTuple):
    """A server as a browser names it. `scheme` is empty where it is not known, `port` None where it is the default."""

    scheme: str
    host: str
    port: int | None


def place_of_origin(text: str) -> Place | None:
    """The parsed `Origin`; None when it is `null` or no http(s) origin."""
    found = _ORIGIN_RULE.fullmatch(text.lower()) if len(text) <= LONGEST else None
    return _place(found, found["scheme"]) if found else None


def place_of_host(text: str) -> Place | None:
    """The parsed `Host`; None when it is malformed."""
    found = _HOST_RULE.fullmatch(text.lower()) if len(text) <= LONGEST else None
    return _place(found, "") if found else None


def _place(found: re.Match[str], scheme: str) -> Place:
    port = int(found["port"]) if found["port"] else None
    return Place(scheme, found["host"].strip("[]"), None if port == _DEFAULT_PORTS.get(scheme) else port)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _same_server(origin: Place, host: Place) -> bool:
    default = _DEFAULT_PORTS[origin.scheme]
    return origin.host == host.host and (origin.port or default) == (host.port or default)


class OriginPolicy:
    """The allow-list of origins and of `Host` names.

    `public_url` is the address people use, `allowed` further origins. With neither, only the same origin is let in; `dev` lets
    loopback names in, at the port the request came to.
    """

    def __init__(self, public_url: str | None, allowed: Sequence[str], dev: bool) -> None:
        """Raises ValueError when one of the addresses is not an http(s) origin."""
        listed = [_required(text) for text in (*((public_url,) if public_url else ()), *allowed)]
        self._origins = frozenset(listed)
        self._dev = dev

    def allows(self, origin: str, host: str) -> bool:
        """Whether a page of `origin` may speak to the server it calls `host`."""
        page, server = place_of_origin(origin), place_of_host(host)
        if page is None or server is None:
            return False
        if page in self._origins:
            return True
        if self._dev:
            ports = (page.port or _DEFAULT_PORTS[page.scheme], server.port or _DEFAULT_PORTS["http"])
            return _is_loopback(page.host) and _is_loopback(server.host) and ports[0] == ports[1]
        return not self._origins and _same_server(page, server)

    def allows_host(self, host: str) -> bool:
        """Whether a request may call the server `host`: under `dev` a loopback name or one of the list, else any well-formed name.

        In production the proxy in front decides which names reach us, and probes and neighbours call by address.
        """
        server = place_of_host(host)
        if server is None or not self._dev:
            return server is not None
        return _is_loopback(server.host) or any(_same_server(origin, server) for origin in self._origins)


def _required(text: str) -> Place:
    place = place_of_origin(text.rstrip("/"))
    if place is None:
        raise ValueError("an address is not an http(s) origin")
    return place
