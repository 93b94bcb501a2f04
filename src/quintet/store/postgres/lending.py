"""Whether a connection is a session of PostgreSQL, or a pooler lends one for each transaction: then settings that promises rest on, such as
synchronous commits and time limits, are somebody else's in the next one, prepared statements are gone, and no notice is ever heard.

1. A pooler greets with a process number of its own. Where the number is the server's there is none, and nothing more is asked.
2. While one connection of ours is open, another can only be on its server process where that was lent. A busy pooler may hide it.
"""

from contextlib import ExitStack, closing

import psycopg

from quintet.store.postgres.dialing import Dialing, Raw
from quintet.store.reaching import LentError, UnreachableError

__all__ = ["refuse_lent"]

_OTHERS = 3


def refuse_lent(dialing: Dialing) -> None:
    """Look at what answers.

    Raises:
        LentError: a pooler in transaction or statement mode.
        UnreachableError: nobody answers.
    """
    try:
        with closing(dialing.plain()) as one, ExitStack() as stack:
            if _process(one) == one.info.backend_pid:
                return
            for _ in range(_OTHERS):
                other = stack.enter_context(closing(dialing.plain()))
                mine = _process(one)
                with other.transaction():
                    if _process(other) == mine or _process(one) != mine:
                        raise LentError("a pooler before it lends a connection for one transaction only")
    except psycopg.Error as error:
        raise UnreachableError(str(error).strip()) from error


def _process(raw: Raw) -> int:
    row = raw.execute("SELECT pg_backend_pid()", prepare=False).fetchone()
    assert row is not None
    return int(row[0])
