"""The rows of the API keys.

1. A key is revoked once, and that raises its user's `auth_rev` in the same transaction, so its sockets close.
2. Whether a key stands is read in one statement with the user and the revision, so the three belong together.
"""

from typing import NamedTuple

from sqlalchemy import delete, func, insert, select, update

from quintet.store import Tx
from quintet.store.tables import api_keys

__all__ = ["ApiKey", "Standing", "add", "by_digest", "by_id", "count", "live", "revoke", "revoke_all", "used"]

KEPT_MS = 24 * 60 * 60 * 1000  # of a key that is over, so that its sockets learn why

_STANDING = """
    SELECT k.user_id, k.id, k.scopes, k.expires_at, k.revoked_at, k.used_at, u.disabled_at, h.auth_rev
    FROM api_keys k JOIN users u ON u.id = k.user_id JOIN heads h ON h.user_id = k.user_id
    WHERE
"""


class ApiKey(NamedTuple):
    """A key. Times are milliseconds since 1970."""

    user_id: str
    id: str
    name: str
    hint: str
    digest: bytes
    scopes: str
    created_at: int
    expires_at: int
    used_at: int | None = None


class Standing(NamedTuple):
    """What one read says of a key and its user."""

    user_id: str
    id: str
    scopes: str
    expires_at: int
    revoked_at: int | None
    used_at: int | None
    disabled_at: int | None
    auth_rev: int

    @property
    def revoked(self) -> bool:
        """Whether the key was revoked, or its user disabled."""
        return self.revoked_at is not None or self.disabled_at is not None


_COLUMNS = tuple(api_keys.c[name] for name in ApiKey._fields)


def add(tx: Tx, key: ApiKey) -> None:
    """Store a new key; forget those of the user that have long been over."""
    c, before = api_keys.c, key.created_at - KEPT_MS
    over = (c.expires_at < before) | (c.revoked_at < before)
    tx.core.execute(delete(api_keys).where(c.user_id == key.user_id, over))
    tx.core.execute(insert(api_keys).values(**key._asdict()))


def count(tx: Tx, user_id: str, now_ms: int) -> int:
    """How many keys of the user stand."""
    c = api_keys.c
    statement = select(func.count()).where(c.user_id == user_id, c.revoked_at.is_(None), c.expires_at > now_ms)
    return int(tx.core.execute(statement).scalar_one())


def live(tx: Tx, user_id: str, now_ms: int) -> list[ApiKey]:
    """The keys of the user that stand, the newest first."""
    c = api_keys.c
    statement = (
        select(*_COLUMNS)
        .where(c.user_id == user_id, c.revoked_at.is_(None), c.expires_at > now_ms)
        .order_by(c.created_at.desc(), c.id)
    )
    return [ApiKey._make(row) for row in tx.core.execute(statement)]


def by_digest(tx: Tx, digest: bytes) -> Standing | None:
    """The key of this digest."""
    row = tx.sql(_STANDING + "k.digest = ?", (digest,)).fetchone()
    return Standing._make(row) if row is not None else None


def by_id(tx: Tx, user_id: str, key_id: str) -> Standing | None:
    """The user's key of this id."""
    row = tx.sql(_STANDING + "k.user_id = ? AND k.id = ?", (user_id, key_id)).fetchone()
    return Standing._make(row) if row is not None else None


def revoke(tx: Tx, user_id: str, key_id: str, now_ms: int) -> bool:
    """End a key. False when the user has none of this id that stands."""
    c = api_keys.c
    ended = tx.core.execute(
        update(api_keys)
        .where(c.user_id == user_id, c.id == key_id, c.revoked_at.is_(None))
        .values(revoked_at=now_ms)
        .returning(c.id)
    )
    if ended.first() is None:
        return False
    tx.revoke(user_id)
    return True


def revoke_all(tx: Tx, user_id: str, now_ms: int) -> None:
    """End every key of the user: whoever changes a password may do so because of a thief, who may have made keys."""
    c = api_keys.c
    ended = tx.core.execute(
        update(api_keys).where(c.user_id == user_id, c.revoked_at.is_(None)).values(revoked_at=now_ms).returning(c.id)
    )
    if ended.first() is not None:
        tx.revoke(user_id)


def used(tx: Tx, user_id: str, key_id: str, now_ms: int) -> None:
    """Note that it has come."""
    tx.core.execute(
        update(api_keys).where(api_keys.c.user_id == user_id, api_keys.c.id == key_id).values(used_at=now_ms)
    )
