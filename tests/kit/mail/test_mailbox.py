"""Mails really travel by SMTP, are read whole, and are waited for with a deadline."""

import smtplib
import subprocess
import sys
import threading
from email.message import EmailMessage
from pathlib import Path

import pytest

from quintet.testing.mail.mailbox import Mailbox, MailMissing

pytestmark = pytest.mark.l3


def _send(mailbox: Mailbox, to: list[str], subject: str = "Welcome", text: str = "Hello") -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "shop@example.com", to[0], subject
    mail.set_content(text)
    mail.add_alternative(
        '<p>Go <a href="https://example.com/x?a=1&amp;b=2">there</a>, <a href="mailto:a@b">no</a></p>', "html"
    )
    with smtplib.SMTP(mailbox.host, mailbox.port, timeout=10) as smtp:
        smtp.ehlo()
        smtp.login("anybody", "anything")
        smtp.send_message(mail, to_addrs=to)


def test_a_mail_is_read_whole(mailbox: Mailbox) -> None:
    """Sender, every recipient of the envelope, subject and text in any script, both bodies, the links, the bytes."""
    _send(
        mailbox,
        ["ann@example.com", "hidden@example.com"],
        "Grüße 👋",
        "Confirm: https://example.com/verify?t=abc.\n.dot",
    )
    mail = mailbox.wait(to="ANN@example.com", subject="Grüße")
    assert (mail.sender, mail.to) == ("shop@example.com", ("ann@example.com", "hidden@example.com"))
    assert mail.subject == "Grüße 👋"
    assert mail.text.splitlines() == ["Confirm: https://example.com/verify?t=abc.", ".dot"]
    assert mail.links == ["https://example.com/verify?t=abc", "https://example.com/x?a=1&b=2"]
    assert b"multipart/alternative" in mail.raw


async def test_a_mail_that_is_not_there_yet_is_waited_for(mailbox: Mailbox) -> None:
    """The second one to the same address; who waits does not block the loop."""
    later = threading.Timer(0.1, _send, (mailbox, ["bob@example.com"], "Second"))
    _send(mailbox, ["bob@example.com"], "First")
    later.start()
    assert (await mailbox.arrived(to="bob@example.com", nth=2)).subject == "Second"
    later.join()


def test_waiting_in_vain_lists_what_came(mailbox: Mailbox) -> None:
    """A mail to somebody else does not count, and the error names it."""
    _send(mailbox, ["carol@example.com"])
    with pytest.raises(
        MailMissing, match=r"(?s)0.1 s in vain for a mail to dave@example.com; 1 came:.*carol@example.com: Welc"
    ):
        mailbox.wait(to="dave@example.com", within=0.1)


def test_a_mailbox_sees_what_came_since_it_was_opened(tmp_path: Path) -> None:
    """The server may be a process of its own, shared by a run; each test sees its own mails."""
    line = [sys.executable, "-m", "quintet.testing.mail", "--folder", str(tmp_path)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline().rpartition(" ")[2])
            first = Mailbox(tmp_path, "127.0.0.1", port)
            _send(first, ["one@example.com"])
            first.wait(to="one@example.com")
            second = Mailbox(tmp_path, "127.0.0.1", port)
            assert second.mails == []
            _send(first, ["two@example.com"])
            assert second.wait().to == ("two@example.com",)
            assert len(first.mails) == 2
        finally:
            process.kill()
