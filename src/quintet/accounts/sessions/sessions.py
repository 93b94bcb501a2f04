"""Sessions: one per sign-in, twenty per user, and what stands of them.

1. A session ends once, with a reason, and its ending raises the user's `auth_rev` and stands in the audit, in the same transaction.
2. Whether a session stands is read in one statement with the user and the revision, so the three belong together.
3. The least recently used makes room for a new one; what ended a day ago is deleted, since no access token lives as long.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import delete, insert, select, update

from quintet.accounts import audit
from quintet.errors import QuintetError
from quintet.scope import Identity
from quintet.store import Tx
from quintet.store.tables import sessions

__all__ = ["Session", "SessionRow", "Standing", "check", "end", "end_all", "live", "standing", "start"]

KEPT_MS = 24 * 60 * 60 * 1000

_ACTIONS = {"logout": "signed_out", "refresh_reused": "refresh_reused"}

_STANDING = """
    SELECT s.ended_at, s.expires_at, u.disabled_at, u.role, h.auth_rev
    FROM sessions s JOIN users u ON u.id = s.user_id JOIN heads h ON h.user_id = s.user_id
    WHERE s.user_id = ? AND s.id = ?
"""


class Session(NamedTuple):
    """A session to be made. Times are milliseconds since 1970."""

    user_id: str
    id: str
    device: str | None
    created_at: int
    expires_at: int


class SessionRow(NamedTuple):
    """A session that stands."""

    id: str
    device: str | None
    created_at: int
    last_used_at: int


class Standing(NamedTuple):
    """What one read says of a session and its user."""

    stands: bool
    role: str
    auth_rev: int


def start(tx: Tx, session: Session, most: int) -> None:
    """Make a session. When the user has `most`, the least recently used ends."""
    forgotten = session.created_at - KEPT_MS
    mine = sessions.c.user_id == session.user_id
    tx.core.execute(
        delete(sessions).where(mine, (sessions.c.ended_at < forgotten) | (sessions.c.expires_at < forgotten))
    )
    others = live(tx, session.user_id, session.created_at)
    end_all(tx, session.user_id, (row.id for row in others[most - 1 :]), "limit", session.created_at)
    tx.core.execute(insert(sessions).values(**session._asdict(), last_used_at=session.created_at))


def live(tx: Tx, user_id: str, now_ms: int) -> list[SessionRow]:
    """The sessions of a user that stand, the last used first."""
    c = sessions.c
    statement = (
        select(c.id, c.device, c.created_at, c.last_used_at)
        .where(c.user_id == user_id, c.ended_at.is_(None), c.expires_at > now_ms)
        .order_by(c.last_used_at.desc(), c.created_at.desc(), c.id)
    )
    return [SessionRow(*row) for row in tx.core.execute(statement)]


def end(tx: Tx, user_id: str, session_id: str, because: str, now_ms: int) -> bool:
    """End a session and revoke. `because` is a word for the audit. False when there is none, or it has ended before."""
    ended = tx.core.execute(
        update(sessions)
        .where(sessions.c.user_id == user_id, sessions.c.id == session_id, sessions.c.ended_at.is_(None))
        .values(ended_at=now_ms, ended_because=because)
        .returning(sessions.c.id)
    )
    if ended.first() is None:
        return False
    tx.revoke(user_id)
    audit.record(tx, _ACTIONS.get(because, "session_revoked"), now_ms, subject_id=user_id, because=because)
    return True


def end_all(tx: Tx, user_id: str, session_ids: Iterable[str], because: str, now_ms: int) -> None:
    """End several."""
    for session_id in list(session_ids):
        end(tx, user_id, session_id, because, now_ms)


def standing(tx: Tx, user_id: str, session_id: str, now_ms: int) -> Standing | None:
    """Whether the session stands and its user is not disabled, with the user's revision. None when there is no such session."""
    row = tx.sql(_STANDING, (user_id, session_id)).fetchone()
    if row is None:
        return None
    ended_at, expires_at, disabled_at, role, auth_rev = row
    return Standing(ended_at is None and disabled_at is None and expires_at > now_ms, role, auth_rev)


def check(tx: Tx, identity: Identity, now_ms: int) -> None:
    """For a transaction that changes the account: between the request's beginning and its commit the session may have ended.

    Raises:
        QuintetError: `session_revoked`.
    """
    found = standing(tx, identity.user_id, identity.session_id, now_ms)
    if found is None or not found.stands:
        raise QuintetError("session_revoked")
