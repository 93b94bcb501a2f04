"""One transaction by an operator's command, on a connection of its own."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg

from quintet.store.postgres.dialing import Dialing, Raw
from quintet.store.postgres.transaction import PostgresTx
from quintet.store.reaching import UnreachableError

__all__ = ["LONG", "Alone", "alone"]

# One that sleeps for ever would keep the locks; a long statement is what this is about.
LONG = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = '30min'"


class Alone(NamedTuple):
    """The transaction, and the driver's connection under it."""

    tx: PostgresTx
    raw: Raw


@contextmanager
def alone(url: str, *, keep: bool = False, isolation: str = "READ COMMITTED", also: str = "") -> Iterator[Alone]:
    """Commits when the block has ended well; until then a kill leaves nothing. `also`: statements at its beginning.

    `keep`: as for the servers, see `Dialing`.

    Raises:
        quintet.store.reaching.UnreachableError: the database cannot be reached, or gives up.
    """
    raw, core = Dialing(url, keep=keep).dial()
    try:
        raw.execute(f"BEGIN ISOLATION LEVEL {isolation}".encode())
        raw.execute(f"{LONG}; {also}".encode())
        yield Alone(PostgresTx(raw, core), raw)
        raw.execute(b"COMMIT")
    except psycopg.OperationalError as error:  # also that somebody else held a lock for too long
        raise UnreachableError(str(error).strip()) from error
    finally:
        with contextlib.suppress(Exception):  # also of a connection that is gone
            core.close()
        raw.close()  # takes back what was not committed
