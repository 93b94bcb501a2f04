"""Where a server is: one address for HTTP and the socket."""

from typing import NamedTuple
from urllib.parse import urlsplit

__all__ = ["DEFAULT_URL", "Address", "parse_address"]

DEFAULT_URL = "http://localhost:8750"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Address(NamedTuple):
    """`url` has no slash at its end. A `direct` one is on this machine, where no proxy may come between."""

    url: str
    direct: bool

    @property
    def socket(self) -> str:
        """The address of the socket."""
        return "ws" + self.url.removeprefix("http") + "/v1/ws"


def parse_address(url: str) -> Address:
    """The address in a text such as `http://localhost:8750`. Raises ValueError with a sentence that says how it should look."""
    text = url.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError(_complaint(text)) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(_complaint(text))
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("The address of a server has no user, query or fragment; a token does not belong into it.")
    host = parts.hostname
    return Address(text, host in _LOOPBACK or host.endswith(".localhost"))


def _complaint(text: str) -> str:
    shown = "" if "@" in text else f" {text!r}"
    return f"This is not the address of a server:{shown or ' (not shown)'}. It looks like {DEFAULT_URL}."
