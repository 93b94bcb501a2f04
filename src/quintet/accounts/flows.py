"""The sign-in flows: register, login, refresh, logout.

1. What is refused for its form costs nothing.
2. Chance, clock and hashes come before the transaction; it decides by what it reads, since the world went on while we hashed.
"""

import hmac
from dataclasses import dataclass

from quintet.accounts import refresh, sessions, users
from quintet.accounts.config import AccountsConfig
from quintet.accounts.credentials import Credentials
from quintet.accounts.emails import address
from quintet.accounts.identities import Identities
from quintet.accounts.own import OwnAccount
from quintet.accounts.passwords import Passwords
from quintet.accounts.pool import BoundedPool
from quintet.accounts.refresh import Found
from quintet.accounts.sealing import Secrets
from quintet.accounts.users import User
from quintet.edge.limits import Throttle
from quintet.errors import QuintetError
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["Accounts", "Pair", "SignedIn"]

_NO_SESSION = frozenset({"invalid_token", "token_expired", "session_revoked"})


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


class Accounts:
    """Everything about who speaks. `start` comes before use; `own` is what a signed-in user does with their account.

    Besides the codes named, every method raises QuintetError `busy`, `unavailable` or `storage_full` of the store and the pool.
    """

    def __init__(self, store: Store, sources: Sources, secret: Secrets, config: AccountsConfig) -> None:
        self.config = config
        self.identities = Identities(store, sources, secret, config)
        self.authenticate = self.identities.authenticate
        self.still_valid = self.identities.still_valid
        self._store = store
        self._sources = sources
        self._pool = BoundedPool(config.hash_at_once, config.hash_waiting, config.hash_seconds)
        self._passwords = Passwords.configured(self._pool, sources, config)
        failures = Throttle(config.failures_per_account, sources.monotonic)
        self._credentials = Credentials(self._passwords, failures)
        self._attempt_keys = secret.derived("refresh attempts")
        self._durations = refresh.Durations(
            idle=config.refresh_idle_seconds * 1000,
            parallel=config.refresh_parallel_seconds * 1000,
            repeat=config.refresh_repeat_seconds * 1000,
        )
        self.own = OwnAccount(store, sources, self._passwords, self._credentials)

    async def start(self) -> None:
        """Read the signing keys, or make the first, and follow them from now on."""
        await self.identities.load()
        self.identities.watching.start()

    async def close(self) -> None:
        """Stop the hashing threads, and what is done again and again."""
        await self.identities.watching.close()
        self._pool.close()

    async def register(self, email: str, password: str, name: str | None, device: str | None) -> SignedIn:
        """Make an account and its first session.

        Raises:
            QuintetError: `email_invalid`, `email_taken`, `password_…`; `forbidden` when sign-up is closed.
        """
        if not self.config.sign_up:
            raise QuintetError("forbidden", "Signing up is closed on this server.")
        parsed = address(email)
        form = await self._passwords.check(password)
        if await self._store.read(lambda tx: users.by_email(tx, parsed.key)) is not None:
            raise QuintetError("email_taken")
        stored = await self._passwords.hash(form)
        user = users.new_user(self._sources.new_id("usr"), parsed, name, stored, self._sources.now_ms())
        epoch = users.new_epoch(self._sources.token_bytes(6))
        session, token = self._new_session(user.id, device)

        def add(tx: Tx) -> None:
            users.add(tx, user, parsed.key, epoch)
            self._open(tx, session, token)

        await self._store.write(user.id, add)
        return SignedIn(user, self._pair(Found(user.id, session.id), token, session.created_at))

    async def login(self, email: str, password: str, device: str | None) -> SignedIn:
        """Open a session.

        Raises:
            QuintetError: `credentials_wrong`, `rate_limited`, `email_invalid`; `forbidden` for a disabled user.
        """
        parsed = address(email)
        form = self._passwords.normalised(password)
        user = await self._store.read(lambda tx: users.by_email(tx, parsed.key))
        await self._credentials.prove(parsed.key, user.password_hash if user else None, form)
        if user is None:
            raise QuintetError("credentials_wrong")
        known = user.password_hash
        fresh = await self._passwords.hash(form) if self._passwords.is_outdated(known) else known
        session, token = self._new_session(user.id, device)

        def add(tx: Tx) -> User:
            if not users.set_password(tx, session.user_id, known, fresh):
                raise QuintetError("credentials_wrong")
            current = users.by_id(tx, session.user_id)
            if current is None or current.disabled_at is not None:
                raise QuintetError("forbidden", "This account has been disabled.")
            self._open(tx, session, token)
            return current

        current = await self._store.write(user.id, add)
        return SignedIn(current, self._pair(Found(user.id, session.id), token, session.created_at))

    async def refresh(self, token: str, attempt_id: str | None) -> Pair:
        """Use a refresh token. The same token in the same attempt gives the same answer again, for a minute.

        Raises:
            QuintetError: `invalid_token`, `token_expired`, `session_revoked`, `refresh_conflict`, `refresh_reused`.
        """
        found = await self._owner(token)
        if found is None:
            raise QuintetError("invalid_token")
        if attempt_id is None:
            following, attempt = [refresh.token_of(self._sources.token_bytes(refresh.TOKEN_BYTES))], None
        else:
            following = [refresh.successor(key, token, attempt_id) for key in self._attempt_keys]
            attempt = refresh.digest_of(attempt_id)
        digests = tuple(map(refresh.digest_of, following))
        use = refresh.Use(refresh.digest_of(token), digests, attempt, self._sources.now_ms())
        made = await self._store.write(found.user_id, lambda tx: refresh.rotate(tx, found, use, self._durations))
        if made is None:
            raise QuintetError("refresh_reused")  # outside, so that the ending of the session is kept
        return self._pair(found, following[made.successor], made.at, self._attempt_keys[made.successor])

    async def logout(self, access_token: str | None, refresh_token: str | None) -> None:
        """End the sessions of whatever valid tokens are given; none at all is fine."""
        found = {await self._session_of(access_token) if access_token else None}
        found.add(await self._owner(refresh_token) if refresh_token else None)
        for session in sorted(found - {None}, key=str):
            assert session is not None
            await self.own.end_session(session.user_id, session.session_id)

    async def _session_of(self, access_token: str) -> Found | None:
        try:
            identity = await self.authenticate(access_token)
        except QuintetError as refusal:
            if refusal.code not in _NO_SESSION:  # the store's trouble must not look like a sign-out
                raise
            return None
        return Found(identity.user_id, identity.session_id)

    async def _owner(self, token: str) -> Found | None:
        if not refresh.is_token(token):
            return None
        digest = refresh.digest_of(token)
        return await self._store.read(lambda tx: refresh.find(tx, digest))

    def _new_session(self, user_id: str, device: str | None) -> tuple[sessions.Session, str]:
        now = self._sources.now_ms()
        ends = now + self.config.refresh_absolute_seconds * 1000
        session = sessions.Session(user_id, self._sources.new_id("ses"), device, now, ends)
        return session, refresh.token_of(self._sources.token_bytes(refresh.TOKEN_BYTES))

    def _open(self, tx: Tx, session: sessions.Session, token: str) -> None:
        sessions.start(tx, session, self.config.sessions_per_user)
        refresh.add_first(tx, session, refresh.digest_of(token), self._durations)

    def _pair(self, found: Found, refresh_token: str, made_ms: int, key: bytes | None = None) -> Pair:
        """A session's tokens. What the access token says follows from the refresh token, so a repeated answer is the same one;
        `key` is that of the secret under which it was first given."""
        key = key or self._attempt_keys[0]
        token_id = "tok_" + hmac.digest(key, refresh_token.encode(), "sha256").hex()[:24]
        access = self.identities.issue(found.user_id, found.session_id, token_id, made_ms // 1000)
        return Pair(found.session_id, access, refresh_token)
