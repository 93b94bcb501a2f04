"""Accounts as the operator of a server sees them: made without signing up, listed, disabled. Works beside a running server.

1. No secret is needed: nothing is signed and no session is opened.
2. Disabling ends every session and raises the user's revision in one transaction; servers notice it at their next look at the heads.
3. What was ended stays ended: enabling brings back no token, which somebody may have stolen.
"""

from base64 import b32encode

from quintet.accounts import audit
from quintet.accounts.admin import acts
from quintet.accounts.admin.acts import Actor
from quintet.accounts.admin.looking import Listed, found
from quintet.accounts.audit import Entry
from quintet.accounts.config import AccountsConfig
from quintet.accounts.own.erasing import DELETED, Erasing
from quintet.accounts.passwords.passwords import Passwords
from quintet.accounts.passwords.pool import BoundedPool
from quintet.accounts.people import users
from quintet.accounts.people.emails import Address, address
from quintet.accounts.people.users import User
from quintet.errors import QuintetError
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["Administration", "Listed"]

_PAGE = 1000  # users in one read, so that no read lasts as long as the list is
_GENERATED = 24  # characters of five bits each


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

        def make(tx: Tx) -> None:
            users.add(tx, user, parsed.key, epoch)
            audit.record(tx, "registered", user.created_at, subject_id=user.id, by="operator")

        await self._store.write(user.id, make)
        return user

    async def users(self) -> list[Listed]:
        """All users, the oldest account first."""
        now = self._sources.now_ms()
        every: list[Listed] = []
        after: str | None = None
        while page := await self._store.read(lambda tx, after=after: found(tx, "", after, _PAGE, now)):  # type: ignore[misc]
            every += page
            after = page[-1].id
        return sorted(every, key=lambda user: (user.created_at, user.id))

    async def disable(self, who: str) -> tuple[User, bool]:
        """Disable the user of this address or id and end all sessions; the user as before, and whether that changed anything.

        Raises:
            QuintetError: `not_found`.
        """
        user, now = await self.user(who), self._sources.now_ms()
        return user, await self._store.write(user.id, lambda tx: acts.disable(tx, user.id, Actor(), now))

    async def enable(self, who: str) -> tuple[User, bool]:
        """Let the user sign in again; the user as before, and whether that changed anything. Raises QuintetError `not_found`."""
        user, now = await self.user(who), self._sources.now_ms()
        return user, await self._store.write(user.id, lambda tx: acts.enable(tx, user.id, Actor(), now))

    async def delete(self, who: str) -> User:
        """Delete the account as its owner could: nothing of the user is left when this returns; as they were before.

        Raises:
            QuintetError: `not_found`. Of the store's once it was begun: a server finishes it at its next start, or within minutes.
        """
        user = await self.user(who)
        await Erasing(self._store, self._sources).erase(user.id)
        return user

    async def set_role(self, who: str, role: str) -> tuple[User, bool]:
        """Give the user a role; the user as before, and whether that changed anything. Raises QuintetError `not_found`, `bad_message`."""
        if role not in acts.ROLES:
            raise QuintetError("bad_message", f"There are the roles {' and '.join(acts.ROLES)}.")
        user, now = await self.user(who), self._sources.now_ms()
        return user, await self._store.write(user.id, lambda tx: acts.set_role(tx, user.id, role, Actor(), now))

    async def audit(self, who: str | None, limit: int) -> list[Entry]:
        """What happened, the newest first: to the user of an address or id, also one who is gone, or to anybody."""
        if who is None:
            return await self._store.read(lambda tx: audit.everything(tx, limit=limit))
        subject = (await self.user(who)).id if "@" in who else who
        return await self._store.read(lambda tx: audit.of_user(tx, subject, limit=limit))

    async def user(self, who: str) -> User:
        """The user of an address or an id. Raises QuintetError `not_found`."""
        key = address(who).key if "@" in who else None
        user = await self._store.read(lambda tx: users.by_id(tx, who) if key is None else users.by_email(tx, key))
        if user is None or user.role == DELETED:
            raise QuintetError("not_found", "There is no such user.")
        return user


def _shown(name: str) -> str:
    from pydantic import TypeAdapter, ValidationError

    from quintet.accounts.door.forms import ShownText

    try:
        shown: str = TypeAdapter(ShownText).validate_python(name)
    except ValidationError:
        raise QuintetError("bad_message", "The name must have 1 to 100 characters, all of them visible.") from None
    return shown
