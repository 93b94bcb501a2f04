"""A database that is somewhere else may not be there."""

__all__ = ["EncodingError", "LentError", "UnreachableError"]


class UnreachableError(Exception):
    """No connection to a database that takes writes. The text says why, and holds no password."""


class LentError(UnreachableError):
    """Whoever answers does not give a connection to keep."""


class EncodingError(UnreachableError):
    """The database keeps text in another encoding than UTF-8."""
