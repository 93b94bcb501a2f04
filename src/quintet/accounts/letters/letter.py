"""One letter: said once, written twice, as plain text and as HTML.

1. Every word is escaped where the HTML is made; nothing that somebody chose can become markup or a header.
2. Nothing is loaded from anywhere: no picture, no style sheet, so that opening a letter tells nobody.
3. The link stands as text in both, so that whoever reads sees where it leads.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from html import escape
from textwrap import fill

__all__ = ["Letter", "composed"]

_WIDTH = 72

_PAGE = """\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>{subject}</title></head>
<body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif">
<div style="max-width:34em;margin:0 auto">
{inside}
</div>
</body>
</html>
"""
_TITLE = '<h1 style="font-size:20px;line-height:1.3;margin:0 0 16px">{}</h1>'
_TEXT = '<p style="margin:0 0 16px">{}</p>'
_BUTTON = (
    '<p style="margin:24px 0 8px"><a href="{link}" style="display:inline-block;padding:12px 20px;border-radius:10px;'
    'background:#1f6f54;color:#ffffff;text-decoration:none;font-weight:600">{word}</a></p>'
    '<p style="margin:0 0 24px;font-size:14px;word-break:break-all"><a href="{link}">{link}</a></p>'
)
_FOOT = '<p style="margin:24px 0 0;padding-top:16px;border-top:1px solid #99999955;font-size:14px">{}</p>'


@dataclass(frozen=True, slots=True)
class Letter:
    """`kind` is a word for figures and the log, which have neither the address nor what is said."""

    kind: str
    to: str
    subject: str
    paragraphs: tuple[str, ...]
    word: str = ""
    link: str = ""
    foot: str = ""

    @property
    def text(self) -> str:
        """As plain text."""
        action = (f"{self.word}:\n{self.link}",) if self.link else ()
        foot = (f"-- \n{fill(self.foot, _WIDTH)}",) if self.foot else ()
        return "\n\n".join((*(fill(told, _WIDTH) for told in self.paragraphs), *action, *foot)) + "\n"

    @property
    def html(self) -> str:
        """As HTML that stands alone."""
        inside = [_TITLE.format(escape(self.subject)), *(_TEXT.format(escape(told)) for told in self.paragraphs)]
        if self.link:
            inside.append(_BUTTON.format(link=escape(self.link), word=escape(self.word)))
        if self.foot:
            inside.append(_FOOT.format(escape(self.foot)))
        return _PAGE.format(subject=escape(self.subject), inside="\n".join(inside))


def composed(letter: Letter, sender: str, now_ms: int) -> EmailMessage:
    """The message as it is sent. `sender` may have a name in front: `Quintet <quintet@example.com>`."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(now_ms / 1000, UTC))
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].strip("> ") or None)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday answers to it
    message.set_content(
        letter.text, cte="7bit" if letter.text.isascii() else None
    )  # a link is never broken by an encoding
    message.add_alternative(letter.html, subtype="html")
    return message
