"""A record with the checks as methods."""

from .record import Record

__all__ = ["Story"]


class Story(Record):
    """What one reader received, and the contracts that can be held against it."""
