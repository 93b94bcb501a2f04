"""An SMTP server that keeps what it is given, one file a mail, so that any process of a test run can read it.

1. A mail is there whole or not at all: it is written aside and renamed.
2. Any sign-in is taken: the server under test may be set up with a user and a password.
3. The envelope's addresses are kept on top of the mail, for a blind copy stands nowhere else.
"""

import asyncio
import itertools
import os
import socket
import time
from pathlib import Path
from typing import Any, Final

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from quintet.testing.loops import LoopThread

__all__ = ["FROM", "TO", "MailServer", "listen"]

FROM: Final = "X-Envelope-From"
TO: Final = "X-Envelope-To"
HOST: Final = "127.0.0.1"
LONGEST = 16 * 1024 * 1024  # bytes of a mail
MOST = 10_000  # mails of a run


class _Keep:
    """What aiosmtpd calls for each mail."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's word
        number = next(self._numbers)
        if number > MOST:
            return f"452 more than {MOST} mails in one run"
        head = f"{FROM}: {envelope.mail_from}\r\n{TO}: {', '.join(envelope.rcpt_tos)}\r\n"
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        name = f"{time.time_ns():020d}-{os.getpid()}-{number}"
        aside = self._folder / f".{name}"
        aside.write_bytes(head.encode() + content)
        aside.rename(self._folder / f"{name}.eml")
        return "250 kept"


def _welcome(*_told: Any) -> AuthResult:
    return AuthResult(success=True)


def _made(folder: Path) -> _Keep:
    folder.mkdir(parents=True, exist_ok=True)
    return _Keep(folder)


async def listen(folder: Path, port: int = 0, plug: socket.socket | None = None) -> asyncio.Server:
    """Serve on this loop, keeping mails in `folder`."""
    keep = _made(folder)

    def connection() -> SMTP:
        return SMTP(
            keep,
            data_size_limit=LONGEST,
            enable_SMTPUTF8=True,
            hostname="localhost",  # a name look-up could take seconds
            auth_require_tls=False,
            authenticator=_welcome,
        )

    loop = asyncio.get_running_loop()
    if plug is not None:
        return await loop.create_server(connection, sock=plug)
    return await loop.create_server(connection, HOST, port)


class MailServer:
    """One in a thread of this process, for tests that have asked for no service."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = HOST
        self.port = 0
        self._loop = LoopThread("quintet mail")
        self._server: asyncio.Server | None = None

    def start(self) -> "MailServer":
        """Listen on a free port."""
        self._server = self._loop.call(listen(self.folder))
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def stop(self) -> None:
        """Stop listening, end what is open."""

        async def close() -> None:
            if self._server is not None:
                self._server.close()

        self._loop.call(close())
        self._loop.close()
