"""Statements with `?` placeholders as PostgreSQL wants them, each translated once.

Many rows go in by one statement over arrays: a row costs a third of what it costs alone, and the statement is prepared once
whatever the number of rows. The arrays' types are those of the table's columns.
"""

import re
from functools import cache

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from quintet.store.tables import metadata

__all__ = ["numbered", "over_arrays"]

_INSERT = re.compile(r"INSERT INTO (\w+) \(([\w, ]+)\) VALUES \(\?(?:, \?)*\)")
_dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]


@cache
def numbered(statement: str) -> bytes:
    """With `$1`, `$2`… in the places of the question marks. No literal of ours holds one."""
    first, *rest = statement.split("?")
    return "".join([first, *(f"${number}{part}" for number, part in enumerate(rest, 1))]).encode()


@cache
def over_arrays(statement: str) -> bytes | None:
    """A plain insert of one row, as an insert of many from one array a column; None for any other statement."""
    found = _INSERT.fullmatch(statement)
    if found is None:
        return None
    table, names = metadata.tables[found[1]], found[2].split(", ")
    arrays = (f"${at}::{table.c[name].type.compile(_dialect)}[]" for at, name in enumerate(names, 1))
    return f"INSERT INTO {table.name} ({found[2]}) SELECT * FROM unnest({', '.join(arrays)})".encode()  # noqa: S608 - of constants
