"""Every way in ends here: a session is opened for somebody who has proven who they are, however they did.

1. Whether the account may be entered (there, not disabled, its address confirmed where that is asked for) is decided in the
   transaction that opens the session: the world went on while we hashed. What else the way in has to do or to check (spend a code, set
   a hash) happens in it, before that.
2. The audit has the sign-in in the same transaction.
3. What an access token says follows from the refresh token, so a repeated answer is the same one.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from quintet.accounts import audit
from quintet.accounts.config import AccountsConfig
from quintet.accounts.people import users
from quintet.accounts.people.users import User
from quintet.accounts.sessions import devices, refresh, sessions
from quintet.accounts.sessions.devices import NewDevice
from quintet.accounts.sessions.identities import Identities
from quintet.accounts.sessions.refresh import Found
from quintet.errors import QuintetError
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["Entering", "Pair", "SignedIn", "UnconfirmedError", "Visitor"]


class Visitor(NamedTuple):
    """Who is at the door: the name of the device as its client says it, the program (`User-Agent`), the address."""

    device: str | None = None
    program: str = ""
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """A session's two tokens."""

    session_id: str
    access_token: str
    refresh_token: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session and its user."""

    user: User
    pair: Pair


class UnconfirmedError(QuintetError):
    """The address has not been confirmed, and this server asks for that."""

    def __init__(self) -> None:
        super().__init__("forbidden", "Confirm your address first: we have sent you a letter with a link.")


def _nothing(_: Tx) -> None:
    pass


class Entering:
    """Opens sessions and issues their tokens. `keys` make the names of access tokens, the newest first."""

    def __init__(
        self, store: Store, sources: Sources, config: AccountsConfig, identities: Identities, keys: Sequence[bytes]
    ) -> None:
        self._store = store
        self._sources = sources
        self._config = config
        self._identities = identities
        self._keys = keys
        self._durations = refresh.Durations(
            idle=config.refresh_idle_seconds * 1000,
            parallel=config.refresh_parallel_seconds * 1000,
            repeat=config.refresh_repeat_seconds * 1000,
        )

    async def enter(
        self,
        user_id: str,
        visitor: Visitor,
        how: str,
        before: Callable[[Tx], None] = _nothing,
        *,
        vouched: str | None = None,
    ) -> SignedIn:
        """Open a session for a user who has proven who they are; `how`, a word for the audit. `before` runs first, in the same transaction.

        `vouched` is the key of an address that somebody else has confirmed: good for coming in, and for nothing beyond that.

        Raises:
            QuintetError: `credentials_wrong` for nobody; `forbidden` for a disabled user; what `before` raises.
            UnconfirmedError: the address has to be confirmed first.
        """
        now = self._sources.now_ms()
        ends = now + self._config.refresh_absolute_seconds * 1000
        session = sessions.Session(user_id, self._sources.new_id("ses"), visitor.device, now, ends)
        token = refresh.token_of(self._sources.token_bytes(refresh.TOKEN_BYTES))
        seen = devices.digests_of(self._keys, visitor.device, visitor.address)

        def open_session(tx: Tx) -> User:
            before(tx)
            user = self._admitted(tx, user_id, vouched)
            sessions.start(tx, session, self._config.sessions_per_user)
            refresh.add_first(tx, session, refresh.digest_of(token), self._durations)
            audit.record(
                tx, "signed_in", now, subject_id=user_id, address=visitor.address, how=how, device=visitor.device
            )
            if devices.remember(tx, user_id, seen, now):
                tx.publish(NewDevice(user_id, visitor.device, visitor.address, now))
            return user

        user = await self._store.write(user_id, open_session)
        return SignedIn(user, self.pair(Found(user_id, session.id), token, now))

    def pair(self, found: Found, refresh_token: str, made_ms: int, key: int = 0) -> Pair:
        """A session's tokens. `key` is the place of the one under which they were first given."""
        token_id = "tok_" + hmac.digest(self._keys[key], refresh_token.encode(), "sha256").hex()[:24]
        access = self._identities.issue(found.user_id, found.session_id, token_id, made_ms // 1000)
        return Pair(found.session_id, access, refresh_token)

    def _admitted(self, tx: Tx, user_id: str, vouched: str | None) -> User:
        user = users.by_id(tx, user_id)
        if user is None:
            raise QuintetError("credentials_wrong")
        if user.disabled_at is not None:
            raise QuintetError("forbidden", "This account has been disabled.")
        if self._config.verify_email and not user.email_verified and user.email.casefold() != vouched:
            raise UnconfirmedError
        return user
