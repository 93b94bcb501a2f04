"""Refresh tokens: opaque, each good for one use, all of a session one family.

1. The database has SHA-256 digests only. The token is 256 bits of chance, so the digest needs no salt.
2. A use marks the token and adds its successor in one transaction; of parallel uses one wins.
3. A used token that comes again, later, was stolen from somebody: the session ends, whoever holds it.
4. A repeat of the same attempt is a client that lost the answer. Its successor is derived (HMAC of token and attempt), so it can
   be said again without being stored; under each secret of the server, for the answer may have been given under an older one.
5. Used tokens are kept while their session lives, or a thief who refreshes often would make the owner's token look unknown.
   Their number has a bound far above what honest use needs.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import delete, insert, select, update

from quintet.accounts.sessions import sessions
from quintet.errors import QuintetError
from quintet.store import Tx
from quintet.store.tables import refresh_tokens, users
from quintet.store.tables import sessions as session_rows

__all__ = [
    "Durations",
    "Found",
    "Made",
    "Use",
    "add_first",
    "digest_of",
    "find",
    "is_token",
    "rotate",
    "successor",
    "token_of",
]

PREFIX = "qr_"
TOKEN_BYTES = 32
KEPT = 5_000  # thirty days of one refresh every nine minutes

_SHAPE = re.compile(r"qr_[A-Za-z0-9_-]{43}")


class Found(NamedTuple):
    """Whose token it is."""

    user_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class Durations:
    """In milliseconds: how long an unused token lives, how long uses count as parallel, how long an attempt may be repeated."""

    idle: int
    parallel: int
    repeat: int


class Use(NamedTuple):
    """One use of a token: everything that chance, the clock and the secret have to say about it."""

    digest: bytes
    successors: tuple[bytes, ...]
    attempt: bytes | None
    now: int


class Made(NamedTuple):
    """A token's successor: when it was made, and which of the possible ones it is."""

    at: int
    successor: int


def token_of(random: bytes) -> str:
    """The token made of 32 random bytes."""
    return PREFIX + urlsafe_b64encode(random).decode("ascii").rstrip("=")


def successor(key: bytes, token: str, attempt_id: str) -> str:
    """The token that follows `token` in this attempt, always the same."""
    return token_of(hmac.digest(key, f"{token}\n{attempt_id}".encode(), "sha256"))


def is_token(text: str) -> bool:
    """Whether the text has the form of a refresh token."""
    return _SHAPE.fullmatch(text) is not None


def digest_of(text: str) -> bytes:
    """What is kept of a token or an attempt."""
    return sha256(text.encode()).digest()


def add_first(tx: Tx, session: sessions.Session, digest: bytes, durations: Durations) -> None:
    """The first token of a session."""
    _add(tx, Found(session.user_id, session.id), digest, 1, session.created_at, durations)


def find(tx: Tx, digest: bytes) -> Found | None:
    """Whose token it is; None for one we never gave or have forgotten."""
    c = refresh_tokens.c
    row = tx.core.execute(select(c.user_id, c.session_id).where(c.digest == digest)).first()
    return Found(*row) if row else None


def rotate(tx: Tx, found: Found, use: Use, durations: Durations) -> Made | None:
    """Use a token. Answers its successor; None: it was used before, and the session has been ended for it.

    Raises:
        QuintetError: `invalid_token`, `token_expired`, `session_revoked`, `refresh_conflict`.
    """
    token = _token(tx, found, use)
    if token is None:
        raise QuintetError("invalid_token")
    if token.ended_at is not None or token.disabled_at is not None:
        raise QuintetError("session_revoked")
    if token.used_at is not None:
        return _used_again(tx, found, token, use, durations)
    if min(token.idle_until, token.expires_at) <= use.now:
        raise QuintetError("token_expired")
    _mark_used(tx, found, use)
    _add(tx, found, use.successors[0], token.generation + 1, use.now, durations)
    return Made(use.now, 0)


class _Token(NamedTuple):
    generation: int
    idle_until: int
    used_at: int | None
    attempt_digest: bytes | None
    ended_at: int | None
    expires_at: int
    disabled_at: int | None


def _token(tx: Tx, found: Found, use: Use) -> _Token | None:
    t, s = refresh_tokens.c, session_rows.c
    row = tx.core.execute(
        select(t.generation, t.idle_until, t.used_at, t.attempt_digest, s.ended_at, s.expires_at, users.c.disabled_at)
        .join(session_rows, (s.user_id == t.user_id) & (s.id == t.session_id))
        .join(users, users.c.id == t.user_id)
        .where(t.user_id == found.user_id, t.session_id == found.session_id, t.digest == use.digest)
    ).first()
    return _Token(*row) if row else None


def _used_again(tx: Tx, found: Found, token: _Token, use: Use, durations: Durations) -> Made | None:
    assert token.used_at is not None
    age = max(0, use.now - token.used_at)
    same_attempt = use.attempt is not None and use.attempt == token.attempt_digest
    if same_attempt and age <= durations.repeat:
        given = next((place for place, digest in enumerate(use.successors) if find(tx, digest) == found), None)
        if given is not None:
            return Made(token.used_at, given)
    if age <= durations.parallel:
        raise QuintetError("refresh_conflict")
    sessions.end(tx, found.user_id, found.session_id, "refresh_reused", use.now)
    return None


def _mark_used(tx: Tx, found: Found, use: Use) -> None:
    t, s = refresh_tokens.c, session_rows.c
    tx.core.execute(
        update(refresh_tokens)
        .where(t.user_id == found.user_id, t.digest == use.digest)
        .values(used_at=use.now, attempt_digest=use.attempt)
    )
    tx.core.execute(
        update(session_rows).where(s.user_id == found.user_id, s.id == found.session_id).values(last_used_at=use.now)
    )


def _add(tx: Tx, found: Found, digest: bytes, generation: int, now: int, durations: Durations) -> None:
    c = refresh_tokens.c
    tx.core.execute(
        insert(refresh_tokens).values(
            **found._asdict(), digest=digest, generation=generation, created_at=now, idle_until=now + durations.idle
        )
    )
    tx.core.execute(
        delete(refresh_tokens).where(
            c.user_id == found.user_id, c.session_id == found.session_id, c.generation <= generation - KEPT
        )
    )
