"""What an error of PostgreSQL means to a caller."""

import psycopg
from sqlalchemy.exc import DBAPIError

from quintet.errors import QuintetError
from quintet.store.reaching import UnreachableError

__all__ = ["AgainError", "OutcomeUnknownError", "cause_of", "is_again", "translated"]

_FULL = {"53100"}  # disk_full
_AGAIN = {"40001", "40P01"}  # serialization_failure, deadlock_detected: nobody's fault, and nothing of it is stored
_HELD = {"55P03", "57014"}  # a lock or a statement took longer than it may


class AgainError(Exception):
    """The database took a function back for its own reasons; run again it will do."""


class OutcomeUnknownError(Exception):
    """The connection was lost during a commit, and it could not be found out whether that took place. Whoever asks again may act twice."""


def cause_of(error: BaseException) -> BaseException:
    """The driver's own error."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def is_again(error: BaseException) -> bool:
    """Whether the same function would do, run once more."""
    cause = cause_of(error)
    if isinstance(cause, QuintetError) and cause.__cause__ is not None:  # translated already
        cause = cause_of(cause.__cause__)
    return isinstance(cause, AgainError) or getattr(cause, "sqlstate", None) in _AGAIN


def translated(error: Exception) -> Exception:
    """The refusal that an error means. What a constraint says, or a fault of ours, stays as it is."""
    cause = cause_of(error)
    code = getattr(cause, "sqlstate", None) or ""
    if isinstance(cause, UnreachableError | OutcomeUnknownError):
        refusal = QuintetError("unavailable", retry_after=5)
    elif isinstance(cause, psycopg.DataError) and "NUL" in str(cause):
        refusal = QuintetError("bad_message", "The character NUL cannot be stored.")
    elif not isinstance(cause, psycopg.Error) or isinstance(
        cause, psycopg.IntegrityError | psycopg.ProgrammingError | psycopg.DataError
    ):
        return error
    elif code in _FULL:
        refusal = QuintetError("storage_full", retry_after=10)
    elif code in _AGAIN | _HELD:
        refusal = QuintetError("busy", retry_after=1)
    else:
        refusal = QuintetError("unavailable", retry_after=5)
    refusal.__cause__ = error
    return refusal
