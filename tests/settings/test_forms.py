"""The forms of single values."""

from collections.abc import Callable
from typing import Any

import pytest

from quintet.settings import forms
from quintet.settings.faults import UnfitError

pytestmark = pytest.mark.l1

TAKEN: list[tuple[Callable[[Any], Any], str, object]] = [
    (forms.origin, "https://Chat.Example.com/", "https://chat.example.com"),
    (forms.origin, "https://chat.example.com:443", "https://chat.example.com"),
    (forms.origin, "http://[::1]:3000", "http://[::1]:3000"),
    (
        forms.origins,
        "https://a.example, https://b.example:8443 https://a.example",
        ("https://a.example", "https://b.example:8443"),
    ),
    (forms.host, "[::1]", "::1"),
    (forms.host, "my-host.internal", "my-host.internal"),
    (forms.proxies, "10.0.0.7,10.1.2.3/8", ("10.0.0.7/32", "10.0.0.0/8")),
    (forms.modules, "mine.agents  other", ("mine.agents", "other")),
    (forms.database, "sqlite:////var/lib/quintet/q.db", "sqlite:////var/lib/quintet/q.db"),
    (forms.database, "postgres://u:p@db:5432/q", "postgresql://u:p@db:5432/q"),
    (forms.database, "postgres://u:p@a:5432,b:5433,c/q?x=y", "postgresql://u:p@a:5432,b:5433,c/q?x=y"),
    (forms.database, "postgresql://u%40d:%25:%2f%3F@[::1]:5432/q", "postgresql://u%40d:%25:%2f%3F@[::1]:5432/q"),
    (forms.smtp, "smtps://u:p@mail.example:465", "smtps://u:p@mail.example:465"),
    (forms.switch(), "ON", True),
    (forms.choice("open", "closed"), "CLOSED", "closed"),
    (forms.sender, "quintet@example.com", "quintet@example.com"),
    (forms.sender, "Quintet <quintet@example.com>", "Quintet <quintet@example.com>"),
]
REFUSED: list[tuple[Callable[[Any], Any], str]] = [
    *(
        (forms.origin, text)
        for text in ("chat.example.com", "ftp://chat.example.com", "https://", "https://a b", "null")
    ),
    *(
        (forms.origin, text)
        for text in ("https://a.example/chat", "https://u@a.example", "https://a.example?x", "https://a:99999")
    ),
    *(
        (forms.origins, text)
        for text in ("*", "https://*.example.com", "null", "https://a.example, b", "['https://a.example']")
    ),
    *((forms.origins, text) for text in (" ".join(f"https://h{n}.example" for n in range(101)),)),
    *((forms.host, text) for text in ("a b", "-x", "http://localhost", "a" * 64, "999.1.1.1/8")),
    *((forms.proxies, text) for text in ("*", "0.0.0.0/0", "::/0", "proxy.internal", "10.0.0.0/33")),
    *((forms.modules, text) for text in ("./agents", "agents.py/x", "a..b", "a-b")),
    *(
        (forms.database, text)
        for text in (
            "sqlite://",
            "sqlite:///:memory:",
            "mysql://h/q",
            "postgresql:///q",
            "postgresql://a:5432,b:x/q",
            "q.db",
            "//[x",
            "postgresql://h\n/q",
            "postgresql://\udcff@h/q",
        )
    ),
    *((forms.database, f"postgresql://u:{secret}@h/q") for secret in ("a@b", "a#b", "a%b", "a%00b", "a@h/b", "a@h?b")),
    *((forms.smtp, text) for text in ("mail.example", "http://mail.example", "smtp://")),
    *((forms.agent, text) for text in ("two words", "", "9lives", "a" * 65)),
    *((forms.switch(), text) for text in ("maybe", "2", "open")),
    *((forms.choice("open", "closed"), text) for text in ("maybe", "1", "")),
    *(
        (forms.sender, text)
        for text in ("nobody", "a@b c", "A <a@b", "a@b\r\nBcc: c@d", "ä@example.com", "a,b@c <d@e>")
    ),
    (forms.folder, "~/quintet"),
]


@pytest.mark.parametrize(("read", "text", "value"), TAKEN)
def test_a_right_value_has_one_form(read: Callable[[Any], Any], text: str, value: object) -> None:
    """Different spellings of the same thing give the same value, so that comparing them is enough."""
    assert read(text) == value
    assert read(read(text)) == value


@pytest.mark.parametrize(("read", "text"), REFUSED)
def test_a_wrong_value_is_refused_without_being_shown(read: Callable[[Any], Any], text: str) -> None:
    """A value of another form is refused with a reason and a fix that do not repeat it."""
    with pytest.raises(UnfitError) as caught:
        read(text)
    assert caught.value.fix.endswith(".")
    assert "/" not in text.strip("/:") or text not in f"{caught.value.what} {caught.value.fix}"


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("localhost", True),
        ("127.9.0.1", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("localhost.evil.example", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(name: str, answer: bool) -> None:
    """Neither a wildcard address nor a name that looks local passes for loopback."""
    assert forms.is_loopback(name) is answer
