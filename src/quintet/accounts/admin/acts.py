"""What is done with accounts by others than their users, as plain functions of a transaction: the server's routes and the command line share them.

Every act that changed something stands in the audit, with who did it, in the same transaction.
"""

from dataclasses import dataclass

from quintet.accounts import audit
from quintet.accounts.by_letter import mail_tokens
from quintet.accounts.machines import api_keys
from quintet.accounts.people import users
from quintet.accounts.sessions import sessions
from quintet.errors import QuintetError
from quintet.scope import Identity
from quintet.store import Tx

__all__ = ["ROLES", "Actor", "check_still_admin", "disable", "enable", "end_session", "end_sessions", "set_role"]

ROLES = ("user", "admin")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it, and from where: an administrator, with the identity of their session, or a service. Nobody known: the server's host."""

    id: str | None = None
    address: str | None = None
    is_service: bool = False
    identity: Identity | None = None


def check_still_admin(tx: Tx, actor: Actor, now_ms: int) -> None:
    """Whoever acts is still an administrator, in a session that stands: it may have ended since the request came. Two who take each
    other's role at once would leave nobody: the second is refused. Raises QuintetError `forbidden`, `session_revoked`.

    Written and not read, so that the row is held: where writers run side by side, one of the two waits for the other.
    """
    held = "UPDATE users SET role = role WHERE id = ? AND role = 'admin' AND disabled_at IS NULL RETURNING id"
    if not actor.is_service and tx.sql(held, (actor.id,)).fetchone() is None:
        raise QuintetError("forbidden")
    if actor.identity is not None:
        sessions.check(tx, actor.identity, now_ms)


def disable(tx: Tx, user_id: str, actor: Actor, now_ms: int) -> bool:
    """Let the user in no more, and end whatever opens the account: sessions, API keys, letters. False where that was so already."""
    changed = users.set_disabled(tx, user_id, now_ms)
    _end(tx, user_id, "disabled", now_ms)
    api_keys.revoke_all(tx, user_id, now_ms)
    mail_tokens.forget(tx, user_id)
    tx.revoke(user_id)  # also where no session stands: whoever has read the user before looks again
    if changed:
        _record(tx, "disabled", user_id, actor, now_ms)
    return changed


def enable(tx: Tx, user_id: str, actor: Actor, now_ms: int) -> bool:
    """Let the user sign in again. What was ended stays ended: it may have been stolen. False where that was so already."""
    changed = users.set_disabled(tx, user_id, None)
    if changed:
        _record(tx, "enabled", user_id, actor, now_ms)
    return changed


def set_role(tx: Tx, user_id: str, role: str, actor: Actor, now_ms: int) -> bool:
    """Give the user a role of `ROLES`; from the commit on every request is judged by it. False where they had it."""
    query = "UPDATE users SET role = ? WHERE id = ? AND role <> ? AND role IN (?, ?) RETURNING id"
    changed = tx.sql(query, (role, user_id, role, *ROLES)).fetchone() is not None
    if changed:
        tx.revoke(user_id)
        audit.record(
            tx, "role_changed", now_ms, subject_id=user_id, actor_id=actor.id, address=actor.address, role=role
        )
    return changed


def end_sessions(tx: Tx, user_id: str, actor: Actor, now_ms: int) -> None:
    """End all sessions of the user."""
    _end(tx, user_id, "administrator", now_ms)
    _record(tx, "sessions_ended", user_id, actor, now_ms)


def end_session(tx: Tx, user_id: str, session_id: str, actor: Actor, now_ms: int) -> None:
    """End one. Raises QuintetError `not_found`."""
    if not sessions.end(tx, user_id, session_id, "administrator", now_ms):
        raise QuintetError("not_found")
    _record(tx, "sessions_ended", user_id, actor, now_ms)


def _end(tx: Tx, user_id: str, because: str, now_ms: int) -> None:
    sessions.end_all(tx, user_id, (row.id for row in sessions.live(tx, user_id, now_ms)), because, now_ms)


def _record(tx: Tx, action: str, user_id: str, actor: Actor, now_ms: int) -> None:
    audit.record(tx, action, now_ms, subject_id=user_id, actor_id=actor.id, address=actor.address)
