"""What an administrator sees: users, and work that is open. Never a text, a title, a file or an event of a user."""

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import and_, func, or_, select, tuple_

from quintet.accounts.own.erasing import DELETED
from quintet.errors import QuintetError
from quintet.events import timestamp
from quintet.store import Tx
from quintet.store.tables import sessions as session_rows
from quintet.store.tables import users as user_rows

__all__ = ["LISTED", "Listed", "OpenRun", "addresses", "counted", "found", "known_run", "of_id", "open_runs"]

_RUNS = (
    "SELECT r.id, r.user_id, '' AS email, r.agent, r.state, r.cancelled, r.created_at, r.started_at FROM runs r"
    " WHERE r.state IN ('queued', 'running') ORDER BY r.created_at, r.id LIMIT ?"
)
_COUNTS = (
    "SELECT (SELECT count(*) FROM users WHERE role <> ?), (SELECT count(*) FROM users WHERE disabled_at IS NOT NULL AND role <> ?),"
    " (SELECT count(*) FROM sessions WHERE ended_at IS NULL AND expires_at > ?)"
)


class Listed(NamedTuple):
    """A user in the list. `sessions` are those that stand; times are milliseconds since 1970."""

    id: str
    email: str
    email_verified: bool
    name: str | None
    role: str
    created_at: int
    disabled_at: int | None
    sessions: int
    last_used_at: int | None

    def view(self) -> dict[str, Any]:
        """The user as JSON; what is not there is left out."""
        times = {name: getattr(self, name) for name in ("created_at", "disabled_at", "last_used_at")}
        shown = {**self._asdict(), **{name: at if at is None else timestamp(at) for name, at in times.items()}}
        return {key: value for key, value in shown.items() if value is not None}


LISTED = Listed._fields[:7]


class OpenRun(NamedTuple):
    """A run that is queued or running: whose, by which agent, since when."""

    id: str
    user_id: str
    email: str
    agent: str
    state: str
    cancelled: str | None
    created_at: int
    started_at: int | None

    def view(self) -> dict[str, Any]:
        """The run as JSON."""
        shown = {**self._asdict(), "created_at": timestamp(self.created_at), "cancelled": self.cancelled is not None}
        shown["started_at"] = None if self.started_at is None else timestamp(self.started_at)
        return {key: value for key, value in shown.items() if value is not None}


def found(tx: Tx, search: str, after: str | None, limit: int, now_ms: int) -> list[Listed]:
    """Users whose address or name holds `search`, or whose id it is, the newest account first; `after` is the id of the last one seen."""
    u = user_rows.c
    statement = _listing(now_ms).order_by(u.created_at.desc(), u.id.desc()).limit(limit)
    if search:
        word = search.casefold()
        held = or_(u.email_key.contains(word, autoescape=True), func.lower(u.name).contains(word, autoescape=True))
        statement = statement.where(or_(held, u.id == search))
    if after is not None:
        last = tx.core.execute(select(u.created_at).where(u.id == after)).scalar()
        statement = statement.where(tuple_(u.created_at, u.id) < (0 if last is None else last, after))
    return [Listed._make(row) for row in tx.core.execute(statement)]


def of_id(tx: Tx, user_id: str, now_ms: int) -> Listed | None:
    """The user of this id."""
    row = tx.core.execute(_listing(now_ms).where(user_rows.c.id == user_id)).first()
    return None if row is None else Listed._make(row)


def addresses(tx: Tx, users: Collection[str]) -> dict[str, str]:
    """The address of each user that is there."""
    found = tx.core.execute(select(user_rows.c.id, user_rows.c.email).where(user_rows.c.id.in_(users)))
    return {row.id: row.email for row in found}


def open_runs(tx: Tx, limit: int) -> list[OpenRun]:
    """Open runs of everybody, the oldest first; the address is told with the accounts."""
    return [OpenRun(*row) for row in tx.sql(_RUNS, (limit,)).fetchall()]


def known_run(tx: Tx, user_id: str, run_id: str) -> None:
    """Raises QuintetError `not_found` when there is no such run."""
    if tx.sql("SELECT 1 FROM runs WHERE user_id = ? AND id = ?", (user_id, run_id)).fetchone() is None:
        raise QuintetError("not_found")


def counted(tx: Tx, now_ms: int) -> dict[str, int]:
    """How many users there are, how many of them are disabled, and how many sessions stand."""
    row = tx.sql(_COUNTS, (DELETED, DELETED, now_ms)).fetchone()
    return dict(zip(("users", "disabled", "sessions"), map(int, row), strict=True))


def _listing(now_ms: int) -> Any:
    u, s = user_rows.c, session_rows.c
    standing = and_(s.ended_at.is_(None), s.expires_at > now_ms, u.disabled_at.is_(None))
    columns = (*(u[name] for name in LISTED), func.count(s.id).filter(standing), func.max(s.last_used_at))
    return select(*columns).outerjoin(session_rows, s.user_id == u.id).where(u.role != DELETED).group_by(u.id)
