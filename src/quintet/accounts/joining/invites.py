"""Invitations: whoever has one may make an account where strangers may not, once, within its time.

1. Kept is the SHA-256 of 256 bits of chance. An invitation for an address lets nobody else in.
2. It is used up in the transaction that makes the account.
3. Unknown, used, expired and somebody else's get the same answer.
"""

import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import delete, insert, select, update

from quintet.errors import QuintetError
from quintet.store import Tx
from quintet.store.tables import invites

__all__ = ["TOKEN_BYTES", "Invite", "add", "check", "digest_of", "token_of", "use"]

TOKEN_BYTES = 32
KEPT_MS = 30 * 24 * 60 * 60 * 1000  # what is over is deleted a month later, when another is made
_SHAPE = re.compile(r"qi_[A-Za-z0-9_-]{43}")


class Invite(NamedTuple):
    """An invitation as it is kept. `email_key` is the case-folded address it is for, or None for anybody. Times in milliseconds."""

    digest: bytes
    email_key: str | None
    role: str
    created_at: int
    expires_at: int


def token_of(random: bytes) -> str:
    """The invitation made of `TOKEN_BYTES` random bytes."""
    return "qi_" + urlsafe_b64encode(random).decode("ascii").rstrip("=")


def digest_of(token: str) -> bytes:
    """What is kept of it. Raises QuintetError `forbidden` for a text that is none."""
    if _SHAPE.fullmatch(token) is None:
        raise _refusal()
    return sha256(token.encode("ascii")).digest()


def add(tx: Tx, invite: Invite) -> None:
    """Keep an invitation."""
    c = invites.c
    tx.core.execute(delete(invites).where(c.expires_at < invite.created_at - KEPT_MS))
    tx.core.execute(insert(invites).values(**invite._asdict()))


def check(tx: Tx, digest: bytes, email_key: str, now_ms: int) -> str:
    """The role that it gives to this address. Raises QuintetError `forbidden`."""
    c = invites.c
    found = tx.core.execute(
        select(c.role).where(
            c.digest == digest,
            c.used_at.is_(None),
            c.expires_at > now_ms,
            c.email_key.is_(None) | (c.email_key == email_key),
        )
    ).first()
    if found is None:
        raise _refusal()
    return str(found[0])


def use(tx: Tx, digest: bytes, email_key: str, now_ms: int) -> str:
    """Use it up; answers the role. Whom it was for is forgotten with that. Raises QuintetError `forbidden`."""
    role = check(tx, digest, email_key, now_ms)
    c = invites.c
    used = update(invites).where(c.digest == digest, c.used_at.is_(None)).values(used_at=now_ms, email_key=None)
    if tx.core.execute(used.returning(c.digest)).first() is None:
        raise _refusal()  # where writers run side by side, another was quicker
    return role


def _refusal() -> QuintetError:
    return QuintetError(
        "forbidden", "This invitation cannot be used: it is not known, for another address, used or too old."
    )
