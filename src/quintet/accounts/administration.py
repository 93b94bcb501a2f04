"""Accounts as the operator of a server sees them: made without signing up, listed, disabled. Works beside a running server.

1. No secret is needed: nothing is signed and no session is opened.
2. Disabling ends every session and raises the user's revision in one transaction; servers notice it at their next look at the heads.
3. What was ended stays ended: enabling brings back no token, which somebody may have stolen.
"""

from base64 import b32encode
from typing import Any, NamedTuple

from sqlalchemy import and_, func, select

from quintet.accounts import sessions, users
from quintet.accounts.config import AccountsConfig
from quintet.accounts.emails import Address, address
from quintet.accounts.passwords import Passwords
from quintet.accounts.pool import BoundedPool
from quintet.accounts.users import User
from quintet.errors import QuintetError
from quintet.events import timestamp
from quintet.sources import Sources
from quintet.store import Store, Tx
from quintet.store.tables import sessions as session_rows
from quintet.store.tables import users as user_rows

__all__ = ["Administration", "Listed"]

_PAGE = 1000  # users in one read, so that no read lasts as long as the list is
_GENERATED = 24  # characters of five bits each


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


class Administration:
    """What an operator does with accounts. Every method also raises QuintetError `busy`, `unavailable` or `storage_full`."""

    def __init__(self, store: Store, sources: Sources, config: AccountsConfig) -> None:
        self._store = store
        self._sources = sources
        self._shortest = config.password_shortest
        self._pool = BoundedPool(config.hash_at_once, config.hash_waiting, config.hash_seconds)
        self._passwords = Passwords.configured(self._pool, sources, config)

    def close(self) -> None:
        """Stop the hashing threads."""
        self._pool.close()

    def generated(self) -> str:
        """A password of chance that every rule lets pass: letters and digits, at least 120 bits."""
        return b32encode(self._sources.token_bytes(40)).decode().lower()[: max(_GENERATED, self._shortest)]

    async def check(self, password: str) -> str:
        """The form of a password that may be used. Raises QuintetError `password_…`."""
        return await self._passwords.check(password)

    async def vacant(self, email: str) -> Address:
        """The parsed address, which no account has. Raises QuintetError `email_invalid` or `email_taken`."""
        parsed = address(email)
        if await self._store.read(lambda tx: users.by_email(tx, parsed.key)) is not None:
            raise QuintetError("email_taken")
        return parsed

    async def add(self, email: str, password: str, name: str | None = None, *, admin: bool = False) -> User:
        """Make an account, also where sign-up is closed. The operator vouches for the address.

        Raises:
            QuintetError: `email_invalid`, `email_taken`, `password_…`; `bad_message` for a name that cannot be shown.
        """
        parsed = await self.vacant(email)
        shown = None if name is None else _shown(name)
        stored = await self._passwords.hash(await self._passwords.check(password, shown, parsed.text))
        user = users.new_user(self._sources.new_id("usr"), parsed, shown, stored, self._sources.now_ms())
        user = user._replace(email_verified=True, role="admin" if admin else user.role)
        epoch = users.new_epoch(self._sources.token_bytes(6))
        await self._store.write(user.id, lambda tx: users.add(tx, user, parsed.key, epoch))
        return user

    async def users(self) -> list[Listed]:
        """All users, the oldest account first."""
        now = self._sources.now_ms()
        found: list[Listed] = []
        after = ""
        while page := await self._store.read(lambda tx, after=after: _page(tx, after, now)):  # type: ignore[misc]
            found += page
            after = page[-1].id
        return sorted(found, key=lambda user: (user.created_at, user.id))

    async def disable(self, who: str) -> tuple[User, bool]:
        """Disable the user of this address or id and end all sessions; the user as before, and whether that changed anything.

        Raises:
            QuintetError: `not_found`.
        """
        user = await self._user(who)
        now = self._sources.now_ms()

        def change(tx: Tx) -> bool:
            changed = users.set_disabled(tx, user.id, now)
            standing = (row.id for row in sessions.live(tx, user.id, now))
            sessions.end_all(tx, user.id, standing, "disabled", now)
            tx.revoke(user.id)  # also where no session stands: whoever has read the user before looks again
            return changed

        return user, await self._store.write(user.id, change)

    async def enable(self, who: str) -> tuple[User, bool]:
        """Let the user sign in again; the user as before, and whether that changed anything. Raises QuintetError `not_found`."""
        user = await self._user(who)
        return user, await self._store.write(user.id, lambda tx: users.set_disabled(tx, user.id, None))

    async def _user(self, who: str) -> User:
        """The user of an address or an id."""
        key = address(who).key if "@" in who else None
        user = await self._store.read(lambda tx: users.by_id(tx, who) if key is None else users.by_email(tx, key))
        if user is None:
            raise QuintetError("not_found", "There is no such user.")
        return user


def _page(tx: Tx, after: str, now: int) -> list[Listed]:
    u, s = user_rows.c, session_rows.c
    standing = and_(s.ended_at.is_(None), s.expires_at > now, u.disabled_at.is_(None))
    statement = (
        select(
            *(u[name] for name in Listed._fields[:7]),
            func.count(s.id).filter(standing),
            func.max(s.last_used_at),
        )
        .outerjoin(session_rows, s.user_id == u.id)
        .where(u.id > after)
        .group_by(u.id)
        .order_by(u.id)
        .limit(_PAGE)
    )
    return [Listed._make(row) for row in tx.core.execute(statement)]


def _shown(name: str) -> str:
    from pydantic import TypeAdapter, ValidationError

    from quintet.accounts.forms import ShownText

    try:
        shown: str = TypeAdapter(ShownText).validate_python(name)
    except ValidationError:
        raise QuintetError("bad_message", "The name must have 1 to 100 characters, all of them visible.") from None
    return shown
