"""How letters leave this server: by the mail server of the settings, or in development into a folder that can be read.

Development has a real mail server too, on loopback, made with the first letter: what works there works in production.
"""

import asyncio
import logging
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import unquote, urlsplit

from quintet.accounts.letters import Courier, Delivery, Letter, Relay, relay_of
from quintet.settings import Settings
from quintet.sources import Sources

__all__ = ["Mailbox", "courier", "mail_folder", "sender_of"]

logger = logging.getLogger(__name__)


def courier(settings: Settings, sources: Sources) -> Courier | None:
    """The courier of these settings; none where no mail server is set, outside development. Needs a running loop."""
    if settings.smtp_url is not None:
        return Courier(relay_of(settings.smtp_url.get_secret_value(), sender_of(settings), sources))
    if settings.dev:
        return Courier(Mailbox(mail_folder(settings), sender_of(settings), sources))
    return None


def mail_folder(settings: Settings) -> Path:
    """Where development keeps its letters, one file each."""
    return settings.data / "mail"


def sender_of(settings: Settings) -> str:
    """In whose name letters are sent: as set, else the mail server's user where that is an address, else one at the public host."""
    if settings.mail_from:
        return settings.mail_from
    user = unquote(urlsplit(settings.smtp_url.get_secret_value()).username or "") if settings.smtp_url else None
    if user and "." in parseaddr(user)[1].rpartition("@")[2]:
        return f"Quintet <{user}>"
    return f"Quintet <quintet@{urlsplit(settings.public_url or '').hostname or 'localhost'}>"


class Mailbox(Delivery):
    """A mail server of our own on loopback, which keeps what it is given in `folder`."""

    def __init__(self, folder: Path, sender: str, sources: Sources) -> None:
        self._folder = folder
        self._sender = sender
        self._sources = sources
        self._starting = asyncio.Lock()
        self._server: asyncio.Server | None = None
        self._relay: Relay | None = None

    async def bring(self, letter: Letter) -> None:
        """See `Delivery`."""
        async with self._starting:
            relay = self._relay = self._relay or await self._started()
        await relay.bring(letter)

    async def close(self) -> None:
        """See `Delivery`."""
        if self._server is not None:
            self._server.close()

    async def _started(self) -> Relay:
        from quintet.testing.mail.server import listen

        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)  # in a data folder that anybody may look into, letters let in whoever reads them
        self._server = await listen(self._folder)
        host, port = self._server.sockets[0].getsockname()[:2]
        logger.info("letters are kept in %s", self._folder)
        return Relay(self._sender, self._sources, host, port)
