"""The fixture `mailbox`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from quintet.testing.mail.mailbox import Mailbox

__all__ = ["mailbox"]


@pytest.fixture
def mailbox(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Mailbox]":
    """The mails that come during this test: at the run's mail server where the project has asked for one, else at one of its own.

    Its `url` is what a server under test is to be given.
    """
    from quintet.testing import services
    from quintet.testing.mail.mailbox import Mailbox

    running = services.current()
    handles = running.values() if running is not None else ()
    handle = next((one for one in handles if getattr(one, "kind", "") == "smtp"), None)
    if handle is not None:
        yield Mailbox(handle.folder, handle.host, handle.port)
        return
    from quintet.testing.mail.server import MailServer

    server = MailServer(tmp_path_factory.mktemp("mail")).start()
    try:
        yield Mailbox(server.folder, server.host, server.port)
    finally:
        server.stop()
