"""What is moved, asked of the schema: every table but those that are about a database itself. A new table is moved with the rest."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Boolean, Column, Table

from quintet.store.tables import events, metadata
from quintet.store.tables.base import LOCAL

__all__ = ["Row", "insertion", "moved_columns", "moved_tables", "plain", "selection"]

Row = tuple[Any, ...]


def moved_tables() -> list[Table]:
    """What others refer to comes before them."""
    return [table for table in metadata.sorted_tables if LOCAL.items() - table.info.items()]


def moved_columns(table: Table) -> list[Column[Any]]:
    """Those that are not about the database itself."""
    return [column for column in table.c if LOCAL.items() - column.info.items()]


def selection(table: Table, heads: str = "heads") -> str:
    """All of a table, in no order. Of events what can be read, as `heads` says: the rest waits for the end of its segment."""
    names = ", ".join(column.name for column in moved_columns(table))
    kept = f"(SELECT kept_after FROM {heads} AS h WHERE h.user_id = events.user_id)"  # noqa: S608 - of constants
    readable = f"segment = 0 OR seq > {kept}" if table is events else "true"
    return f"SELECT {names} FROM {table.name} WHERE ({readable})"  # noqa: S608 - of the schema


def insertion(table: Table) -> str:
    """For one row."""
    names = [column.name for column in moved_columns(table)]
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608


def plain(table: Table, *, nul: bool) -> Callable[[Sequence[Any]], Row]:
    """Makes a row the same whatever the driver it came by. Without `nul` a text has U+FFFD in the place of that character."""
    flags = [at for at, column in enumerate(moved_columns(table)) if isinstance(column.type, Boolean)]

    def made(row: Sequence[Any]) -> Row:
        values = list(row)
        for at in flags:
            values[at] = None if values[at] is None else bool(values[at])
        if not nul:
            values = [value.replace("\0", "\ufffd") if isinstance(value, str) else value for value in values]
        return tuple(values)

    return made
