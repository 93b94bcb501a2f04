"""What a program may do, in words: the fewest that somebody really needs."""

from collections.abc import Iterable, Mapping

from quintet.errors import QuintetError

__all__ = ["OF_KEYS", "OF_SERVICES", "chosen", "written"]

OF_SERVICES: Mapping[str, str] = {
    "metrics:read": "Read /metrics, where the server asks who reads it",
    "users:read": "List the users and their sessions",
    "users:write": "Disable and enable users, and sign them out",
}
"""What a service may do, for nobody in particular. What belongs to a user is not among it."""

OF_KEYS: Mapping[str, str] = {"read": "Read and follow", "write": "Send, stop, change and delete"}
"""What an API key may do in its user's name."""


def chosen(asked: Iterable[str], allowed: Iterable[str]) -> tuple[str, ...]:
    """The words asked for, once each and in order. Raises QuintetError `invalid_scope` for one that is not allowed, or for none."""
    found = tuple(sorted(set(asked)))
    if not found or not set(found) <= set(allowed):
        raise QuintetError("invalid_scope")
    return found


def written(scopes: Iterable[str]) -> str:
    """As they are stored and sent (RFC 6749, 3.3)."""
    return " ".join(scopes)
