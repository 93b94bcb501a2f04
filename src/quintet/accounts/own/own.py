"""What a signed-in user does with their own account. Every method's first argument says whose it is."""

from quintet.accounts import audit
from quintet.accounts.by_letter import mail_tokens
from quintet.accounts.machines import api_keys
from quintet.accounts.passwords.credentials import Credentials
from quintet.accounts.passwords.passwords import Passwords
from quintet.accounts.people import users
from quintet.accounts.people.users import User
from quintet.accounts.sessions import sessions
from quintet.accounts.sessions.sessions import SessionRow
from quintet.errors import QuintetError
from quintet.scope import Identity
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["OwnAccount"]

_NOT_BEING_ADDED = "DELETE FROM totps WHERE user_id = ? AND confirmed_at IS NULL"


class OwnAccount:
    """The profile, the sessions and the password of whoever asks."""

    def __init__(self, store: Store, sources: Sources, passwords: Passwords, credentials: Credentials) -> None:
        self._store = store
        self._sources = sources
        self._passwords = passwords
        self._credentials = credentials

    async def me(self, user_id: str) -> User:
        """The user. Raises QuintetError `invalid_token` when the account is gone."""
        return _there(await self._store.read(lambda tx: users.by_id(tx, user_id)))

    async def rename(self, user_id: str, name: str) -> User:
        """Set the name, and answer the user."""

        def change(tx: Tx) -> User | None:
            users.rename(tx, user_id, name)
            return users.by_id(tx, user_id)

        return _there(await self._store.write(user_id, change))

    async def sessions(self, user_id: str) -> list[SessionRow]:
        """The sessions that stand, the last used first."""
        now = self._sources.now_ms()
        return await self._store.read(lambda tx: sessions.live(tx, user_id, now))

    async def end_session(self, user_id: str, session_id: str) -> bool:
        """End one session. False when the user has none of this id that stands."""
        now = self._sources.now_ms()
        return await self._store.write(user_id, lambda tx: sessions.end(tx, user_id, session_id, "logout", now))

    async def activity(self, user_id: str, before: int | None, limit: int) -> list[audit.Entry]:
        """What happened to the account, the newest first; `before` is the id of the last entry seen."""
        return await self._store.read(lambda tx: audit.of_user(tx, user_id, before=before, limit=limit))

    async def end_others(self, identity: Identity) -> None:
        """End all sessions but the one that asks."""
        now = self._sources.now_ms()
        await self._store.write(identity.user_id, lambda tx: _end_others(tx, identity, "logout", now))

    async def change_password(self, identity: Identity, current: str, new: str, address: str | None = None) -> None:
        """Set another password and end all other sessions.

        Raises:
            QuintetError: `credentials_wrong`, `rate_limited`, `password_…`, `busy`.
        """
        user = await self.me(identity.user_id)
        await self._credentials.prove(user.email.casefold(), user.password_hash, self._passwords.normalised(current))
        fresh = await self._passwords.hash(await self._passwords.check(new, user.name, user.email))
        now = self._sources.now_ms()

        def change(tx: Tx) -> None:
            sessions.check(tx, identity, now)
            if not users.set_password(tx, user.id, user.password_hash, fresh):
                raise QuintetError("credentials_wrong")
            _end_others(tx, identity, "password_changed", now)
            api_keys.revoke_all(tx, user.id, now)
            mail_tokens.forget(tx, user.id, "reset", "address")  # of a thief whom this shuts out
            tx.sql(_NOT_BEING_ADDED, (user.id,))
            audit.record(tx, "password_changed", now, subject_id=user.id, address=address)

        await self._store.write(user.id, change)


def _there(user: User | None) -> User:
    if user is None:
        raise QuintetError("invalid_token")
    return user


def _end_others(tx: Tx, identity: Identity, because: str, now: int) -> None:
    standing = sessions.live(tx, identity.user_id, now)
    others = (row.id for row in standing if row.id != identity.session_id)
    sessions.end_all(tx, identity.user_id, others, because, now)
