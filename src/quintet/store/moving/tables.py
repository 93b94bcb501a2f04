"""What is moved, asked of the schema: every table but those that are about a database itself. A new table is moved with the rest."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Boolean, Table

from quintet.store.tables import metadata
from quintet.store.tables.base import LOCAL

__all__ = ["Row", "insertion", "moved_tables", "plain", "selection"]

Row = tuple[Any, ...]


def moved_tables() -> list[Table]:
    """What others refer to comes before them."""
    return [table for table in metadata.sorted_tables if LOCAL.items() - table.info.items()]


def selection(table: Table) -> str:
    """All of a table, in no order."""
    return f"SELECT {', '.join(table.c.keys())} FROM {table.name}"  # noqa: S608 - of the schema


def insertion(table: Table) -> str:
    """For one row."""
    return f"INSERT INTO {table.name} ({', '.join(table.c.keys())}) VALUES ({', '.join('?' * len(table.c))})"  # noqa: S608


def plain(table: Table, *, nul: bool) -> Callable[[Sequence[Any]], Row]:
    """Makes a row the same whatever the driver it came by. Without `nul` a text has U+FFFD in the place of that character."""
    flags = [at for at, column in enumerate(table.c) if isinstance(column.type, Boolean)]

    def made(row: Sequence[Any]) -> Row:
        values = list(row)
        for at in flags:
            values[at] = None if values[at] is None else bool(values[at])
        if not nul:
            values = [value.replace("\0", "\ufffd") if isinstance(value, str) else value for value in values]
        return tuple(values)

    return made
