"""The rows of passkeys, as plain functions of a transaction."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from quintet.events import timestamp
from quintet.store import Tx

__all__ = ["MOST", "Passkey", "add", "by_credential", "count", "of_user", "remove", "rename", "used"]

MOST = 20

_COLUMNS = "SELECT user_id, id, credential, public_key, sign_count, transports, name, created_at, used_at FROM passkeys"


class Passkey(NamedTuple):
    """A passkey. `sign_count` is the authenticator's own count, 0 where it has none; times are milliseconds since 1970."""

    user_id: str
    id: str
    credential: bytes
    public_key: bytes
    sign_count: int
    transports: str
    name: str
    created_at: int
    used_at: int | None = None

    def view(self) -> dict[str, Any]:
        """What its user is shown."""
        shown = {"id": self.id, "name": self.name, "created_at": timestamp(self.created_at)}
        return shown if self.used_at is None else {**shown, "used_at": timestamp(self.used_at)}


def of_user(tx: Tx, user_id: str) -> list[Passkey]:
    """A user's, the oldest first."""
    rows = tx.sql(f"{_COLUMNS} WHERE user_id = ? ORDER BY created_at, id", (user_id,)).fetchall()
    return [Passkey(*row) for row in rows]


def by_credential(tx: Tx, credential: bytes) -> Passkey | None:
    """The one of this credential: an answer does not say whose it is before it is verified."""
    row = tx.sql(f"{_COLUMNS} WHERE credential = ?", (credential,)).fetchone()
    return None if row is None else Passkey(*row)


def count(tx: Tx, user_id: str) -> int:
    """How many a user has."""
    return int(tx.sql("SELECT count(*) FROM passkeys WHERE user_id = ?", (user_id,)).fetchone()[0])


def add(tx: Tx, passkey: Passkey) -> None:
    """Store one."""
    values: Sequence[Any] = passkey[:-1]
    tx.sql(
        "INSERT INTO passkeys (user_id, id, credential, public_key, sign_count, transports, name, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )


def used(tx: Tx, passkey: Passkey, sign_count: int, now_ms: int) -> None:
    """Note a use, and the count that came with it."""
    tx.sql(
        "UPDATE passkeys SET sign_count = ?, used_at = ? WHERE user_id = ? AND id = ?",
        (sign_count, now_ms, passkey.user_id, passkey.id),
    )


def rename(tx: Tx, user_id: str, passkey_id: str, name: str) -> bool:
    """Give it another name. False where the user has none of this id."""
    found = tx.sql(
        "UPDATE passkeys SET name = ? WHERE user_id = ? AND id = ? RETURNING id", (name, user_id, passkey_id)
    )
    return found.fetchone() is not None


def remove(tx: Tx, user_id: str, passkey_id: str) -> bool:
    """Take it away. False where the user has none of this id."""
    found = tx.sql("DELETE FROM passkeys WHERE user_id = ? AND id = ? RETURNING id", (user_id, passkey_id))
    return found.fetchone() is not None
