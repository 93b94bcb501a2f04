"""Whoever changes how an account is entered, or ends it, shows once more who they are: a stolen access token alone is not enough.

1. By the password. Who has none (another provider vouches) has to have signed in a moment ago.
2. A hash takes long, and meanwhile the owner may have chosen another password or ended the session of whoever asks. So what is then done
   is done in a transaction that begins with `Confirmed.check`.
"""

from hashlib import sha256
from typing import NamedTuple

from quintet.accounts.config import AccountsConfig
from quintet.accounts.passwords.credentials import Credentials
from quintet.accounts.passwords.passwords import Passwords
from quintet.accounts.people import users
from quintet.accounts.people.users import User
from quintet.accounts.sessions import sessions
from quintet.errors import QuintetError
from quintet.scope import Identity
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["Confirmation", "Confirmed", "check_proof", "proof_of"]

_BEGAN = "SELECT created_at FROM sessions WHERE user_id = ? AND id = ?"


def proof_of(password_hash: str) -> str:
    """Which password was right. Of the hash, so that another one, or the same one set again, is not it."""
    return sha256(password_hash.encode()).hexdigest()


def check_proof(tx: Tx, user_id: str, proof: str | None) -> None:
    """Raises QuintetError `credentials_wrong` where the password is not the one that was right."""
    user = users.by_id(tx, user_id)
    if user is None or proof_of(user.password_hash) != proof:
        raise QuintetError("credentials_wrong", "The password has been changed meanwhile. Begin again.")


class Confirmed(NamedTuple):
    """Who has just shown who they are, and when (milliseconds since 1970)."""

    user: User
    identity: Identity
    at: int

    @property
    def proof(self) -> str:
        """Which password was right; kept where the act has a second step."""
        return proof_of(self.user.password_hash)

    def check(self, tx: Tx) -> None:
        """Raises QuintetError `session_revoked` or `credentials_wrong` where the session or the password has come to its end since."""
        sessions.check(tx, self.identity, self.at)
        check_proof(tx, self.user.id, self.proof)


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

    async def confirm(self, identity: Identity, password: str | None) -> Confirmed:
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
        return Confirmed(user, identity, self._sources.now_ms())
