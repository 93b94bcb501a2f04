"""The audit: what was done with accounts, by whom, from where. Appended in the transaction of the act itself, so neither is without the other.

1. Only actions named here, and details that are short and no secrets: a detail whose name says secret is a mistake of ours, and raises.
2. A row is never changed. One thing is taken away: of a deleted account its rows keep ids and actions, the rest is erased. Triggers of the
   database know these two exceptions and refuse whatever else (`store/tables/append_only.py`).
3. The address is in the table alone; the log line, written after the commit, has ids and the action.
4. Every row takes at most two with it that are older than `KEPT_MS`, so the table does not grow for ever and nothing has to sweep it.
   They are that old by the server's clock and by the database's: one clock that is wrong loses nothing.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from quintet.events import timestamp
from quintet.redaction import show
from quintet.store import Tx
from quintet.store.nodes import now_in

__all__ = ["ACTIONS", "Entry", "Recorded", "erase", "everything", "of_user", "record"]

KEPT_MS = 400 * 24 * 60 * 60 * 1000
DETAIL_BYTES = 1000

ACTIONS: Mapping[str, str] = {
    "registered": "Account made",
    "signed_in": "Signed in",
    "sign_in_failed": "A sign-in failed",
    "signed_out": "Signed out",
    "session_revoked": "A session was ended",
    "refresh_reused": "A used refresh token came again; its session was ended",
    "password_changed": "Password changed",
    "password_reset_asked": "A letter to reset the password was asked for",
    "password_reset": "Password reset",
    "email_verified": "Address confirmed",
    "email_change_asked": "Another address was asked for",
    "email_changed": "Address changed",
    "invited": "Invitation made",
    "factor_added": "Second factor switched on",
    "factor_removed": "Second factor switched off",
    "factor_failed": "A wrong code of the second factor",
    "recovery_code_used": "Recovery code used",
    "recovery_codes_made": "New recovery codes made",
    "passkey_added": "Passkey added",
    "passkey_renamed": "Passkey renamed",
    "passkey_removed": "Passkey removed",
    "passkey_refused": "A passkey was refused: its counter went back, so it may have been copied",
    "identity_linked": "Another provider's account linked",
    "identity_unlinked": "Another provider's account unlinked",
    "api_key_made": "API key made",
    "api_key_revoked": "API key revoked",
    "service_added": "Service client added",
    "service_disabled": "Service client disabled",
    "service_enabled": "Service client enabled",
    "keys_rotated": "Signing keys changed over",
    "exported": "Account exported",
    "deletion": "Account deleted",
    "disabled": "Account disabled",
    "enabled": "Account enabled",
    "role_changed": "Role changed",
    "sessions_ended": "All sessions ended",
    "run_cancelled": "A run was stopped by an administrator",
}
"""Every action, and its words for the user it happened to."""

_INSERT = "INSERT INTO audit (at, action, subject_id, actor_id, address, detail) VALUES (?, ?, ?, ?, ?, ?)"
_FIRST = "SELECT id, at FROM audit ORDER BY id LIMIT 2"
_TRIM = "DELETE FROM audit WHERE id IN (?, ?) AND at < ?"
_COLUMNS = "SELECT id, at, action, subject_id, actor_id, address, detail FROM audit"
_ERASE = "UPDATE audit SET address = NULL, detail = NULL WHERE subject_id = ? OR actor_id = ?"


class Entry(NamedTuple):
    """A row. `at` is in milliseconds since 1970; `actor_id` is absent where the subject did it, or nobody who is known."""

    id: int
    at: int
    action: str
    subject_id: str | None
    actor_id: str | None
    address: str | None
    detail: Mapping[str, Any]

    def view(self) -> dict[str, Any]:
        """The row as JSON; what is not there is left out."""
        shown: dict[str, Any] = {**self._asdict(), "at": timestamp(self.at), "detail": dict(self.detail)}
        return {key: value for key, value in shown.items() if value not in (None, {})}


class Recorded(NamedTuple):
    """A fact published with the commit, for the log line."""

    action: str
    subject_id: str | None
    actor_id: str | None


def record(
    tx: Tx,
    action: str,
    now_ms: int,
    *,
    subject_id: str | None = None,
    actor_id: str | None = None,
    address: str | None = None,
    **detail: str | int | bool | None,
) -> None:
    """Append what is being done in this transaction. `subject_id` is whom it happens to, `actor_id` who does it where that is somebody else.

    Raises:
        ValueError: an unknown action, or a detail that is too long or named like a secret.
    """
    if action not in ACTIONS:
        raise ValueError(f"no action of the audit: {action}")
    text = _encoded(detail)
    tx.sql(_INSERT, (now_ms, action, subject_id, actor_id, address, text))
    _trim(tx, now_ms)
    tx.publish(Recorded(action, subject_id, actor_id))


def of_user(tx: Tx, user_id: str, *, before: int | None = None, limit: int = 50) -> list[Entry]:
    """What happened to a user, the newest first; `before` is the id of the last entry seen."""
    where = "WHERE subject_id = ? AND id < ? ORDER BY id DESC LIMIT ?"
    return _entries(tx, where, (user_id, _NEWEST if before is None else before, limit))


def everything(tx: Tx, *, before: int | None = None, limit: int = 50) -> list[Entry]:
    """What happened to anybody, the newest first."""
    return _entries(tx, "WHERE id < ? ORDER BY id DESC LIMIT ?", (_NEWEST if before is None else before, limit))


def erase(tx: Tx, user_id: str) -> None:
    """Of a deleted account: ids and actions stay, addresses and details go."""
    tx.sql(_ERASE, (user_id, user_id))


_NEWEST = (1 << 63) - 1


def _trim(tx: Tx, now_ms: int) -> None:
    first = tx.sql(_FIRST).fetchall()
    if min(at for _, at in first) < now_ms - KEPT_MS:
        tx.sql(_TRIM, (first[0][0], first[-1][0], min(now_ms, now_in(tx)) - KEPT_MS))


def _entries(tx: Tx, where: str, params: tuple[Any, ...]) -> list[Entry]:
    rows = tx.sql(f"{_COLUMNS} {where}", params).fetchall()
    return [Entry._make((*row[:6], json.loads(row[6]) if row[6] else {})) for row in rows]


def _encoded(detail: Mapping[str, str | int | bool | None]) -> str | None:
    said = {name: value for name, value in detail.items() if value is not None}
    if not said:
        return None
    if show(said).value != said:
        raise ValueError(f"a detail named like a secret, or not encodable: {sorted(said)}")
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > DETAIL_BYTES:
        raise ValueError(f"too long for the audit: {sorted(said)}")
    return text
