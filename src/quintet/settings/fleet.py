"""The forms of what a fleet shares beside its database. Each takes the text and gives the value or raises `UnfitError`."""

from .faults import UnfitError
from .forms import split

__all__ = ["valkey"]


def valkey(text: str) -> str:
    """The URL of a Valkey or Redis."""
    parts, _ = split(text)
    if parts.scheme not in {"redis", "rediss", "valkey", "valkeys"} or not parts.hostname:
        raise UnfitError(
            "must be a Valkey or Redis", "Set it to redis://user:password@host:6379, or rediss:// for TLS."
        )
    return text
