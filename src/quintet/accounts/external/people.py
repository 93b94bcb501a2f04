"""What somebody else says about a person, read with care."""

from collections.abc import Mapping
from typing import Any

from quintet.accounts.people.emails import Address, address
from quintet.errors import QuintetError

__all__ = ["confirmed_address"]


def confirmed_address(claims: Mapping[str, Any]) -> Address | None:
    """The address, where it is said to be confirmed. One that is only claimed could be anybody's."""
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str):
        return None
    try:
        return address(email)
    except QuintetError:
        return None
