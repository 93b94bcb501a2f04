"""A row of every owned table for a user, with a word of theirs wherever a word can be: made from the schema, so a new table is filled too."""

from typing import Any

from sqlalchemy import LargeBinary, String, Table, insert

from quintet.store import Tx
from quintet.store.tables import metadata

__all__ = ["counts", "fill", "owned"]

_REFERS = {"thread_id": "threads", "message_id": "messages", "attachment_id": "attachments", "session_id": "sessions"}


def owned() -> list[Table]:
    """Every table with a user."""
    return [table for table in metadata.sorted_tables if "user_id" in table.c]


def fill(tx: Tx, user_id: str, word: str, rows: dict[str, int] | None = None) -> None:
    """One row in each, or as many as `rows` says; what a user has from the beginning is left as it is."""
    for table in owned():
        if table.name == "heads":
            continue
        for number in range((rows or {}).get(table.name, 1)):
            tx.core.execute(insert(table).values(_row(table, user_id, word, number)))


def counts(tx: Tx, user_id: str) -> dict[str, int]:
    """How many rows of each table are the user's."""
    return {
        table.name: tx.sql(f"SELECT count(*) FROM {table.name} WHERE user_id = ?", (user_id,)).fetchone()[0]
        for table in owned()
    }


def _row(table: Table, user_id: str, word: str, number: int) -> dict[str, Any]:
    return {column.name: _value(table, column.name, column.type, user_id, word, number) for column in table.c}


def _value(table: Table, name: str, kind: Any, user_id: str, word: str, number: int) -> Any:
    refers = _REFERS.get(name)
    if name == "user_id":
        return user_id
    if name == "id" or refers:
        return f"{(refers or table.name)[:4]}-{word}-{0 if refers else number}"
    if isinstance(kind, LargeBinary):
        return f"{word} {table.name} {name} {number}".encode()
    if isinstance(kind, String):
        return f"{word}{number}"[: kind.length or 100] if name != "error" else None
    return {"final": 0, "ended_at": None}.get(name, 1 + number)
