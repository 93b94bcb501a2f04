"""A letter as it is read: in two forms that say the same, with nothing in them that somebody else has chosen."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest

from quintet.accounts.letters import Letter, Wording
from quintet.accounts.letters.letter import composed

pytestmark = pytest.mark.l1

TO, TOKEN = "ada@example.com", "ql_" + "A" * 43
WORDS = Wording("https://chat.example.com")
LETTERS = (
    WORDS.verify(TO, TOKEN, 48),
    WORDS.reset(TO, TOKEN, 1),
    WORDS.again(TO, TOKEN, 48),
    WORDS.known(TO),
    WORDS.changed_password(TO),
    WORDS.change(TO, TOKEN, 48),
    WORDS.change_asked(TO),
    WORDS.changed(TO),
    WORDS.new_device(TO, "Firefox on Linux", "192.0.2.1", 1_800_000_000_000),
    WORDS.invite(TO, TOKEN, 7),
)


class Seen(HTMLParser):
    """What an HTML text would do when it is shown."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses |= {value or "" for name, value in attrs if name in {"href", "src", "srcset", "background"}}
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def received(letter: Letter) -> EmailMessage:
    """The letter after its way over the wire."""
    raw = composed(letter, "Quintet <quintet@example.com>", 1_800_000_000_000).as_bytes(policy=policy.SMTP)
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: letter.kind)
def test_a_letter_is_whole_and_loads_nothing(letter: Letter) -> None:
    """Both forms have every paragraph and the link, in the open; no picture, no style sheet, no script, no second address; plain lines
    are short enough to be sent as they are, and say what to do for whoever did not ask."""
    mail = received(letter)
    text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    plain, seen = str(text.get_content()), Seen(str(html.get_content()))
    for paragraph in letter.paragraphs:
        assert paragraph in " ".join(plain.split())
        assert paragraph in seen.text
    assert seen.tags <= {"html", "head", "meta", "title", "body", "div", "h1", "p", "a"}
    assert seen.addresses == ({letter.link} if letter.link else set())
    assert not letter.link or (letter.link in plain and letter.link in seen.text)
    assert text["Content-Transfer-Encoding"] == "7bit"
    assert max(len(line) for line in plain.splitlines() if line != letter.link) <= 72
    assert (mail["To"], mail["From"]) == (TO, "Quintet <quintet@example.com>")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert TOKEN not in str(mail["Subject"])


def test_what_a_client_calls_its_device_is_no_markup_no_link_and_no_header() -> None:
    """Letters, digits and a few signs stay of it."""
    letter = WORDS.new_device(TO, "<img src=//evil.test> &amp;\r\nBcc: x@evil.test", None, 0)
    assert "Device: img src evil test amp Bcc x evil test. Network address: unknown." in letter.paragraphs
    assert "<img" not in letter.html
    assert received(letter)["Bcc"] is None


def test_a_letter_escapes_what_it_is_given() -> None:
    """Whatever its words were."""
    letter = Letter("kind", TO, "<s>", ("<b>&",), "<w>", 'https://x/?a=1&b="', "<f>")
    seen = Seen(letter.html)
    assert not {"s", "b", "w", "f"} & seen.tags
    assert all(word in seen.text for word in ("<s>", "<b>&", "<w>", "<f>"))
    assert seen.addresses == {'https://x/?a=1&b="'}


def test_a_token_in_a_link_is_sent_to_no_server() -> None:
    """It stands behind the #, which browsers keep to themselves."""
    for letter in LETTERS:
        assert TOKEN not in letter.link.partition("#")[0]
