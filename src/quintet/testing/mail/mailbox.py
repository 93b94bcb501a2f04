"""What has reached the mail server, read as mails. Every wait has a deadline, and its error lists what did come."""

import asyncio
import re
import time
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from threading import Event

from quintet.testing.mail.server import FROM, TO

__all__ = ["Mail", "MailMissing", "Mailbox"]

WAIT_SECONDS = 10.0
LOOK_SECONDS = 0.02
_LINK = re.compile(r"https?://[^\s<>\"']+")
_TRAILING = ".,;:!?)]}"


class MailMissing(AssertionError):  # noqa: N818 - it is what a reader of a test looks for
    """No such mail came in time; the text lists those that did."""


class _Hrefs(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep where a link leads."""
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


@dataclass(frozen=True)
class Mail:
    """One mail. `to` are the envelope's recipients; `text` and `html` are decoded, empty where there is no such part."""

    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str
    raw: bytes = field(repr=False)

    @property
    def links(self) -> list[str]:
        """Every address of the web in it, once, in order: those of the text, then where links of the HTML lead."""
        hrefs = _Hrefs()
        hrefs.feed(self.html)
        plain = [found.rstrip(_TRAILING) for found in _LINK.findall(self.text)]
        return list(dict.fromkeys([*plain, *(h for h in hrefs.found if h.startswith(("http://", "https://")))]))

    @classmethod
    def parse(cls, raw: bytes) -> "Mail":
        """From a kept file."""
        mail = message_from_bytes(raw, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        to = tuple(part.strip() for part in str(mail[TO] or "").split(",") if part.strip())
        return cls(
            str(mail[FROM] or ""), to, str(mail["Subject"] or ""), _part(mail, "plain"), _part(mail, "html"), raw
        )


class Mailbox:
    """The mails that came since it was opened."""

    def __init__(self, folder: Path, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.url = f"smtp://{host}:{port}"
        self._folder = folder
        self._old = set(self._files())
        self._read: dict[str, Mail] = {}

    @property
    def mails(self) -> list[Mail]:
        """All of them, in the order in which they came."""
        return [self._mail(name) for name in self._files() if name not in self._old]

    def wait(
        self, to: str | None = None, subject: str | None = None, within: float = WAIT_SECONDS, *, nth: int = 1
    ) -> Mail:
        """The n-th mail to this address whose subject contains this text, waited for here. Raises `MailMissing`."""
        deadline, pause = time.monotonic() + within, Event()
        while len(found := [mail for mail in self.mails if _fits(mail, to, subject)]) < nth:
            if time.monotonic() >= deadline:
                raise MailMissing(self._vain(to, subject, within))
            pause.wait(LOOK_SECONDS)
        return found[nth - 1]

    async def arrived(
        self, to: str | None = None, subject: str | None = None, within: float = WAIT_SECONDS, *, nth: int = 1
    ) -> Mail:
        """The same, awaited. Raises `MailMissing`."""
        return await asyncio.to_thread(self.wait, to, subject, within, nth=nth)

    def _vain(self, to: str | None, subject: str | None, within: float) -> str:
        wanted = f"a mail{f' to {to}' if to else ''}{f' about {subject!r}' if subject else ''}"
        came = [f"  {mail.sender} to {', '.join(mail.to)}: {mail.subject}" for mail in self.mails]
        return "\n".join([f"waited {within:g} s in vain for {wanted}; {len(came)} came:", *came])

    def _files(self) -> list[str]:
        return sorted(file.name for file in self._folder.glob("*.eml"))

    def _mail(self, name: str) -> Mail:
        if name not in self._read:
            self._read[name] = Mail.parse((self._folder / name).read_bytes())
        return self._read[name]


def _fits(mail: Mail, to: str | None, subject: str | None) -> bool:
    addressed = to is None or to.lower() in {address.lower() for address in mail.to}
    return addressed and (subject is None or subject in mail.subject)


def _part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body(preferencelist=(kind,))
    return "" if body is None else str(body.get_content())
