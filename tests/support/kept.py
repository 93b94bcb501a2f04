"""What a server has kept: a copy of its database, read once into plain values. It shares no code with the product."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Head", "Kept", "Message", "Row", "Run", "read"]


class Head(NamedTuple):
    """The head of a user's log."""

    epoch: str
    seq: int
    digest: str
    kept_after: int


class Row(NamedTuple):
    """A row of a user's log; it stands for `first_seq..seq`."""

    seq: int
    first_seq: int
    run_id: str | None
    run_seq: int | None
    type: str
    digest: str
    final: bool
    body: bytes


class Run(NamedTuple):
    """A run as its own row tells it."""

    state: str
    run_seq: int
    first_seq: int


class Message(NamedTuple):
    """A user's message."""

    client_id: str
    run_id: str


class Kept(NamedTuple):
    """What a database holds, by user."""

    heads: dict[str, Head]
    rows: dict[str, list[Row]]
    runs: dict[str, dict[str, Run]]
    messages: dict[str, list[Message]]

    def find(self, user_id: str | None = None, **wanted: Any) -> list[Row]:
        """The rows of a user, or of all, whose columns have these values."""
        users = self.rows if user_id is None else [user_id]
        return [
            row
            for user in users
            for row in self.rows[user]
            if all(getattr(row, name) == value for name, value in wanted.items())
        ]


def read(path: Path) -> Kept:
    """Read a copy of the database, which must be sound."""
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA quick_check").fetchall() == [("ok",)], "the database is damaged"
        assert database.execute("PRAGMA foreign_key_check").fetchall() == [], "a row refers to what is not there"
        heads = {
            user_id: Head(*head)
            for user_id, *head in database.execute("SELECT user_id, epoch, seq, digest, kept_after FROM heads")
        }
        kept = Kept(heads, {user: [] for user in heads}, {user: {} for user in heads}, {user: [] for user in heads})
        for user_id, *row in database.execute(
            "SELECT user_id, seq, coalesce(first_seq, seq), run_id, run_seq, type, digest, final <> 0, body FROM events"
            " ORDER BY user_id, seq"
        ):
            kept.rows[user_id].append(Row(*row))
        for user_id, run_id, *run in database.execute("SELECT user_id, id, state, run_seq, first_seq FROM runs"):
            kept.runs[user_id][run_id] = Run(*run)
        for user_id, *message in database.execute(
            "SELECT user_id, client_id, run_id FROM messages WHERE role = 'user'"
        ):
            kept.messages[user_id].append(Message(*message))
        return kept
