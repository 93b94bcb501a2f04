"""Steps of a sign-in that is under way: what the server remembers between two requests of somebody who is not signed in yet.

1. The client holds 256 bits of chance, the table their digest: who reads the table cannot go on with anything.
2. A challenge is good for one kind of step, once, for minutes.
3. Bounded: so many of one user (the oldest goes), so many of people who are not known yet (then `busy`, for them alone: a flood of
   strangers keeps nobody from a second step); what has expired goes with the next one made.
"""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from quintet.errors import QuintetError
from quintet.store import Tx

__all__ = ["TOKEN_BYTES", "Challenge", "amend", "digest_of", "find", "put", "spend", "token_of"]

TOKEN_BYTES = 32
MOST_OF_USER = 5
MOST = 20_000
_SWEPT = 100

_SWEEP = "DELETE FROM challenges WHERE digest IN (SELECT digest FROM challenges WHERE expires_at <= ? LIMIT ?)"
_TRIM = (
    "DELETE FROM challenges WHERE user_id = ? AND kind = ? AND digest NOT IN"
    " (SELECT digest FROM challenges WHERE user_id = ? AND kind = ? ORDER BY created_at DESC, digest LIMIT ?)"
)
_INSERT = (
    "INSERT INTO challenges (digest, kind, user_id, data, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING"
)
_STRANGERS = "SELECT count(*) FROM challenges WHERE user_id IS NULL"
_FIND = "SELECT user_id, data FROM challenges WHERE digest = ? AND kind = ? AND expires_at > ?"


class Challenge(NamedTuple):
    """What was remembered. `user_id` is there where it is known whose step it is."""

    user_id: str | None
    data: dict[str, Any]


def token_of(random: bytes) -> str:
    """What the client holds, of 32 random bytes."""
    return "qc_" + urlsafe_b64encode(random).decode("ascii").rstrip("=")


def digest_of(token: str) -> bytes:
    """What is kept of it. Any text is a token; most are nobody's."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def put(
    tx: Tx, kind: str, digest: bytes, data: dict[str, Any], now_ms: int, seconds: int, user_id: str | None = None
) -> None:
    """Remember a step for so many seconds. Raises QuintetError `busy` when too many are under way."""
    tx.sql(_SWEEP, (now_ms, _SWEPT))
    if user_id is None and tx.sql(_STRANGERS).fetchone()[0] >= MOST:
        raise QuintetError("busy", retry_after=60)
    tx.sql(_INSERT, (digest, kind, user_id, msgspec.json.encode(data), now_ms, now_ms + seconds * 1000))
    if user_id is not None:
        tx.sql(_TRIM, (user_id, kind, user_id, kind, MOST_OF_USER))


def find(tx: Tx, kind: str, digest: bytes, now_ms: int) -> Challenge | None:
    """The step of this digest, which stays; None for one of another kind, spent, expired, or never made."""
    row = tx.sql(_FIND, (digest, kind, now_ms)).fetchone()
    return None if row is None else Challenge(row[0], msgspec.json.decode(row[1]))


def amend(tx: Tx, digest: bytes, data: dict[str, Any]) -> None:
    """Remember something else of the same step."""
    tx.sql("UPDATE challenges SET data = ? WHERE digest = ?", (msgspec.json.encode(data), digest))


def spend(tx: Tx, kind: str, digest: bytes, now_ms: int) -> Challenge | None:
    """The step of this digest, which is over with it."""
    found = find(tx, kind, digest, now_ms)
    if found is not None:
        tx.sql("DELETE FROM challenges WHERE digest = ?", (digest,))
    return found
