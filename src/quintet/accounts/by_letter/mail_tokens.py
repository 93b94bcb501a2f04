"""The tokens in letters: each proves that somebody reads an address, for one purpose, once, for a bounded time.

1. 256 bits of chance; the database has the SHA-256 alone, which says nothing about the token and needs no salt.
2. One a user and purpose: a newer one takes the place of the older.
3. Spending one deletes it in the transaction of what it allows, so of two at once one does it.
"""

import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Literal, NamedTuple

from sqlalchemy import delete, insert, select

from quintet.errors import QuintetError
from quintet.store import Tx
from quintet.store.tables import mail_tokens

__all__ = [
    "GONE",
    "HOUR_MS",
    "TOKEN_BYTES",
    "Held",
    "Purpose",
    "digest_of",
    "find",
    "forget",
    "put",
    "spend",
    "token_of",
]

Purpose = Literal["verify", "reset", "address"]

TOKEN_BYTES = 32
HOUR_MS = 3_600_000
PREFIX = "ql_"
_SHAPE = re.compile(r"ql_[A-Za-z0-9_-]{43}")
GONE = "This link has been used already, or a newer letter has taken its place."
_OLD = "This link is too old. Ask for another one."


class Held(NamedTuple):
    """What is known of a token: whose it is, what for, and the address whose reader has it."""

    user_id: str
    purpose: str
    email: str
    expires_at: int


def token_of(random: bytes) -> str:
    """The token made of `TOKEN_BYTES` random bytes."""
    return PREFIX + urlsafe_b64encode(random).decode("ascii").rstrip("=")


def digest_of(token: str) -> bytes:
    """What is kept of a token. Raises QuintetError `invalid_token` for a text that is none."""
    if _SHAPE.fullmatch(token) is None:
        raise QuintetError("invalid_token", GONE)
    return sha256(token.encode("ascii")).digest()


def put(tx: Tx, token: str, held: Held, now_ms: int) -> None:
    """Keep a token; the user's earlier one for this purpose is worth nothing from now on."""
    forget(tx, held.user_id, held.purpose)
    tx.core.execute(insert(mail_tokens).values(**held._asdict(), digest=digest_of(token), created_at=now_ms))


def find(tx: Tx, digest: bytes, now_ms: int) -> Held:
    """What is known of a token. Raises QuintetError `invalid_token` or `token_expired`."""
    c = mail_tokens.c
    columns = (c.user_id, c.purpose, c.email, c.expires_at)
    row = tx.core.execute(select(*columns).where(c.digest == digest)).first()
    if row is None:
        raise QuintetError("invalid_token", GONE)
    held = Held._make(row)
    if held.expires_at <= now_ms:
        raise QuintetError("token_expired", _OLD)
    return held


def spend(tx: Tx, digest: bytes, now_ms: int, *purposes: Purpose) -> Held:
    """Use a token up. Raises QuintetError `invalid_token`, also for one of another purpose, or `token_expired`."""
    held = find(tx, digest, now_ms)
    if held.purpose not in purposes:
        raise QuintetError("invalid_token", GONE)
    c = mail_tokens.c
    if tx.core.execute(delete(mail_tokens).where(c.digest == digest).returning(c.digest)).first() is None:
        raise QuintetError("invalid_token", GONE)  # where writers run side by side, another was quicker
    return held


def forget(tx: Tx, user_id: str, *purposes: str) -> None:
    """Let the user's tokens for these purposes be worth nothing; all of them where none is named."""
    c = mail_tokens.c
    chosen = (c.purpose.in_(purposes),) if purposes else ()
    tx.core.execute(delete(mail_tokens).where(c.user_id == user_id, *chosen))
