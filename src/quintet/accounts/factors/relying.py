"""Whom passkeys are made for: the name and the page of this server (WebAuthn's relying party).

An address of digits cannot hold a passkey, and no browser would make one: the refusal says so. In production both come from the public
URL alone. In development, where nobody has written one, `localhost` at the port of the request.
"""

from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from quintet.errors import QuintetError

__all__ = ["Page", "RelyingParty"]

_DIGITS = (
    "Passkeys need a name in the address, such as localhost or chat.example.com. An address of digits cannot hold one."
)


class Page(NamedTuple):
    """The name that a passkey is bound to, and the origin that its answers must come from."""

    name: str
    origin: str


class RelyingParty:
    """`public_url` is the address people open; None only in development."""

    def __init__(self, public_url: str | None) -> None:
        self._public_url = public_url

    def page(self, host: str) -> Page:
        """The page that is meant, by a request's `Host` where no public URL is set. Raises QuintetError `forbidden` for digits."""
        origin = self._public_url or f"http://{host}"
        name = urlsplit(origin).hostname or ""
        if self._public_url is None and name != "localhost" and not name.endswith(".localhost"):
            raise QuintetError("forbidden", _DIGITS)
        if _is_digits(name):
            raise QuintetError("forbidden", _DIGITS)
        return Page(name, origin)


def _is_digits(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
