"""A database that is somewhere else may not be there."""

__all__ = ["LentError", "UnreachableError"]


class UnreachableError(Exception):
    """No connection to a database that takes writes. The text says why, and holds no password."""


class LentError(UnreachableError):
    """Whoever answers does not give a connection to keep."""
