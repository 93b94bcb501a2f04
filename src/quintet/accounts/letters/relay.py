"""The mail server that the settings name: `smtps://` is TLS from the first byte, `smtp://` turns to it (STARTTLS).

1. Without TLS nothing is sent, but to this very machine: neither a password nor a token crosses a network in the clear.
2. A reply of 5xx is for good, all else may be tried again (RFC 5321, 4.2.1).
3. The library is loaded with the first letter, in a thread: most starts never send one.
"""

import asyncio
from dataclasses import dataclass, field
from email.utils import parseaddr
from functools import partial
from importlib import import_module
from typing import Any
from urllib.parse import unquote, urlsplit

from quintet.accounts.letters.courier import Delivery, Refused
from quintet.accounts.letters.letter import Letter, composed
from quintet.sources import Sources

__all__ = ["Relay", "relay_of"]

SECONDS = 30.0  # for one letter, connecting and all
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"smtps": 465, "smtp": 587}
_PERMANENT = 500


@dataclass(frozen=True, slots=True)
class Relay(Delivery):
    """One mail server, and in whose name letters are sent."""

    sender: str
    sources: Sources
    host: str
    port: int
    tls: bool = False  # from the first byte
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    async def bring(self, letter: Letter) -> None:
        """See `Delivery`."""
        smtp: Any = await asyncio.to_thread(partial(import_module, "aiosmtplib"))
        message = composed(letter, self.sender, self.sources.now_ms())
        try:
            async with asyncio.timeout(SECONDS):
                await smtp.send(
                    message,
                    sender=parseaddr(self.sender)[1],
                    recipients=[letter.to],
                    hostname=self.host,
                    port=self.port,
                    username=self.username,
                    password=self.password,
                    use_tls=self.tls,
                    start_tls=not self.tls and self.host not in LOOPBACK,
                    local_hostname="localhost",  # a look-up of one's own name may take seconds
                    timeout=SECONDS,
                )
        except smtp.SMTPRecipientsRefused as refusal:
            raise _judged(refusal.recipients[0].code if refusal.recipients else 0, refusal) from None
        except smtp.SMTPResponseException as refusal:
            raise _judged(refusal.code, refusal) from None

    async def close(self) -> None:
        """There is a connection for each letter, so nothing is open."""


def relay_of(url: str, sender: str, sources: Sources) -> Relay:
    """The mail server of an URL such as `smtp://user:password@mail.example.com:587`. Raises ValueError: it is none."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("not the URL of a mail server")
    port = parts.port or _PORTS[parts.scheme]
    username, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
    return Relay(sender, sources, parts.hostname, port, parts.scheme == "smtps", username, password)


def _judged(code: int, error: Exception) -> Exception:
    return Refused(code) if code >= _PERMANENT else error
