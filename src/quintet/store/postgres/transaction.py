"""One transaction on PostgreSQL: the driver's statements with numbered placeholders."""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg import RawCursor

from quintet.store.base import Tx
from quintet.store.postgres.statements import numbered, over_arrays

__all__ = ["PostgresTx"]

_FEW = 2  # rows; for fewer the arrays cost more than they save


class PostgresTx(Tx):
    """See `Tx`."""

    __slots__ = ()
    shared = True

    def sql(self, statement: str, params: Sequence[Any] = ()) -> Any:
        """See `Tx.sql`. A text cannot hold NUL here: whoever said one finds U+FFFD in its place, and the bytes of events as they were."""
        try:
            return RawCursor(self._raw).execute(numbered(statement), params)
        except psycopg.DataError:
            if not any(isinstance(value, str) and "\0" in value for value in params):
                raise
        # The driver has refused it, nothing was sent. An ending that can never be stored would leave a run open for ever.
        told = [value.replace("\0", "\ufffd") if isinstance(value, str) else value for value in params]
        return RawCursor(self._raw).execute(numbered(statement), told)

    def numbered(self, statement: str, params: Sequence[Any] = ()) -> Any:
        """`sql` for a statement that has numbers already."""
        return RawCursor(self._raw).execute(statement.encode(), params)

    def many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """See `Tx.many`. One round trip, whatever the number of rows."""
        listed = list(rows)
        arrays = over_arrays(statement) if len(listed) >= _FEW else None
        if arrays is not None:
            RawCursor(self._raw).execute(arrays, [list(column) for column in zip(*listed, strict=True)])
        elif len(listed) == 1:
            self.sql(statement, listed[0])
        elif listed:
            RawCursor(self._raw).executemany(numbered(statement), listed)
