"""Statements with `?` placeholders as PostgreSQL wants them, each translated once.

Many rows go in by one statement over arrays: a row costs a third of what it costs alone, and the statement is prepared once
whatever the number of rows. The arrays' types are those of the table's columns.
"""

import re
from collections.abc import Sequence
from functools import cache

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from quintet.store.tables import metadata

__all__ = ["numbered", "over_arrays"]

_INSERT = re.compile(r"INSERT INTO (\w+) \(([\w, ]+)\) VALUES \(\?(?:, \?)*\)")
_UPDATE = re.compile(r"UPDATE (\w+) SET ((?:\w+ = \?(?:, )?)+) WHERE ((?:\w+ = \?(?: AND )?)+)")
_NAMES = re.compile(r"(\w+) = \?")
_dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]


@cache
def numbered(statement: str) -> bytes:
    """With `$1`, `$2`… in the places of the question marks. No literal of ours holds one."""
    first, *rest = statement.split("?")
    return "".join([first, *(f"${number}{part}" for number, part in enumerate(rest, 1))]).encode()


@cache
def over_arrays(statement: str) -> bytes | None:
    """An insert or an update of one row, as one of many from an array a column; None for any other statement."""
    if found := _INSERT.fullmatch(statement):
        table, names = found[1], found[2].split(", ")
        return f"INSERT INTO {table} ({found[2]}) SELECT * FROM {_arrays(table, names)}".encode()  # noqa: S608 - of constants
    if found := _UPDATE.fullmatch(statement):
        table = found[1]
        changed, keys = _NAMES.findall(found[2]), _NAMES.findall(found[3])
        sets = ", ".join(f"{name} = v.{name}_" for name in changed)
        where = " AND ".join(f"{table}.{name} = v.{name}_" for name in keys)
        columns = ", ".join(f"{name}_" for name in (*changed, *keys))
        given = f"{_arrays(table, (*changed, *keys))} AS v ({columns})"
        return f"UPDATE {table} SET {sets} FROM {given} WHERE {where}".encode()  # noqa: S608 - of constants
    return None


def _arrays(table: str, names: Sequence[str]) -> str:
    columns = metadata.tables[table].c
    kinds = (f"${at}::{columns[name].type.compile(_dialect)}[]" for at, name in enumerate(names, 1))
    return f"unnest({', '.join(kinds)})"
