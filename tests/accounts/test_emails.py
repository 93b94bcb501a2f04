"""Addresses are checked by form, strictly, and one person has one account."""

import pytest

from quintet.accounts.people.emails import address
from quintet.errors import QuintetError

pytestmark = pytest.mark.l1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "someone",
        "someone@",
        "@example.com",
        "a@b",
        "a@test",
        "a b@example.com",
        " a@example.com",
        "a@example.com ",
        "a@example.com\n",
        "a@example.com\r\nBcc: b@example.com",
        "a\nb@example.com",
        "a\0@example.com",
        "a@exam\0ple.com",
        "a@[127.0.0.1]",
        "a@[IPv6:::1]",
        "a@127.0.0.1",
        "a@foo.123",
        "x" * 65 + "@example.com",
        "a@" + "d" * 64 + ".com",
        "a@" + "d." * 130 + "com",
        "a..b@example.com",
        ".a@example.com",
        "a@example..com",
        "a@-example.com",
        "a@exam_ple.com",
        "a@localhost",
        '"a b"@example.com',
        "A <a@example.com>",
        "a@example.com,b@example.com",
        "а@example.com",
        "ａ@example.com",
        "a@gооgle.com",
        "a@аррӏе.com",
        "a@exampIé.com",
        "a@example.com\u200b",
        "a\ud800@example.com",
        "a@xn--.com",
        "a" * 100_000,
    ],
)
def test_a_malformed_or_deceptive_address_is_refused(text: str) -> None:
    """Line breaks, NUL, addresses of machines, look-alike letters, parts that are too long: `email_invalid`."""
    with pytest.raises(QuintetError) as refused:
        address(text)
    assert refused.value.code == "email_invalid"


@pytest.mark.parametrize(
    ("text", "shown", "key"),
    [
        ("someone@example.com", "someone@example.com", "someone@example.com"),
        ("Some.One+tag@Example.COM", "Some.One+tag@example.com", "some.one+tag@example.com"),
        ("x" * 64 + "@example.com", "x" * 64 + "@example.com", "x" * 64 + "@example.com"),
        ("a@xn--mnchen-3ya.de", "a@xn--mnchen-3ya.de", "a@xn--mnchen-3ya.de"),
        ("o'hara@sub.example.co.uk", "o'hara@sub.example.co.uk", "o'hara@sub.example.co.uk"),
        ("a@example.test", "a@example.test", "a@example.test"),
    ],
)
def test_a_good_address_keeps_its_form_and_folds_its_key(text: str, shown: str, key: str) -> None:
    """It is shown as it was written; letter case makes no second account. No look-up is made."""
    assert address(text) == (shown, key)
