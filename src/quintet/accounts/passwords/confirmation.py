"""Whoever changes how an account is entered, or ends it, shows once more who they are: a stolen access token alone is not enough.

By the password. Who has none (another provider vouches) has to have signed in a moment ago.
"""

from quintet.accounts.config import AccountsConfig
from quintet.accounts.passwords.credentials import Credentials
from quintet.accounts.passwords.passwords import Passwords
from quintet.accounts.people import users
from quintet.accounts.people.users import User
from quintet.errors import QuintetError
from quintet.scope import Identity
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["Confirmation"]

_BEGAN = "SELECT created_at FROM sessions WHERE user_id = ? AND id = ?"


class Confirmation:
    """Confirms who acts."""

    def __init__(
        self, store: Store, sources: Sources, passwords: Passwords, credentials: Credentials, config: AccountsConfig
    ) -> None:
        self._store = store
        self._sources = sources
        self._passwords = passwords
        self._credentials = credentials
        self._recent_ms = config.recent_seconds * 1000

    async def confirm(self, identity: Identity, password: str | None) -> User:
        """The user, once they have shown who they are.

        Raises:
            QuintetError: `credentials_wrong`, `rate_limited`, `busy`; `forbidden` for one without a password whose sign-in is not recent.
        """

        def read(tx: Tx) -> tuple[User | None, int]:
            began = tx.sql(_BEGAN, (identity.user_id, identity.session_id)).fetchone()
            return users.by_id(tx, identity.user_id), 0 if began is None else began[0]

        user, began = await self._store.read(read)
        if user is None:
            raise QuintetError("invalid_token")
        if user.has_password:
            if password is None:
                raise QuintetError("credentials_wrong", "Enter the password.")
            form = self._passwords.normalised(password)
            await self._credentials.prove(user.email.casefold(), user.password_hash, form)
        elif self._sources.now_ms() - began > self._recent_ms:
            raise QuintetError("forbidden", "Sign in again first: this needs a sign-in of the last few minutes.")
        return user
