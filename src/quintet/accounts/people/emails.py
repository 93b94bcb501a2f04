"""Addresses, checked by form only and strictly.

ASCII only: letters of another alphabet that look like ours would make a second account look like the first. An international
domain is written in its `xn--` form, which cannot be mistaken for another.
"""

from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email

from quintet.errors import QuintetError

__all__ = ["Address", "address"]

LONGEST = 254  # RFC 5321


class Address(NamedTuple):
    """An address as it is shown, and the case-folded key under which one person has one account."""

    text: str
    key: str


def address(text: str) -> Address:
    """The parsed address. Raises QuintetError `email_invalid`. No look-up is made."""
    if len(text) > LONGEST or not text.isascii():
        raise QuintetError("email_invalid")
    try:
        found = validate_email(
            text, allow_smtputf8=False, strict=True, check_deliverability=False, test_environment=True
        ).ascii_email
    except (EmailNotValidError, ValueError):
        raise QuintetError("email_invalid") from None
    if found is None or "." not in found.rpartition("@")[2]:
        raise QuintetError("email_invalid")
    return Address(found, found.casefold())
