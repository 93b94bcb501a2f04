"""From an access token to an identity, and whether the identity still stands.

The signature is checked before the database is asked, and then once: session, user and revision in one read.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from quintet.accounts import keys
from quintet.accounts.config import AccountsConfig
from quintet.accounts.keys import KeyRing, Periods, rotation, rows
from quintet.accounts.keys.loading import PURPOSE
from quintet.accounts.keys.sealing import Box, Secrets
from quintet.accounts.sessions import sessions
from quintet.accounts.sessions.tokens import Claims, Tokens, UnknownKeyError, payload, signed
from quintet.errors import QuintetError
from quintet.periodic import Periodic
from quintet.scope import Identity, Kind
from quintet.sources import Sources
from quintet.store import Store

__all__ = ["Door", "Identities"]

T = TypeVar("T")

RELOAD_SECONDS = 5.0  # tokens of unknown keys cost one read in this time, however many come
LOOK_SECONDS = 2.0  # between two looks at the table of keys, which others rotate


class Door(Protocol):
    """Another way to speak for a user than by a session of ours."""

    kind: Kind

    def knows(self, token: str) -> bool:
        """Whether the token means to come in here; then it comes in nowhere else."""
        ...

    async def authenticate(self, token: str) -> Identity:
        """Whom it speaks for. Raises QuintetError, as `Identities.authenticate`."""
        ...

    async def still_valid(self, identity: Identity) -> bool:
        """Whether what spoke still may, by a new read."""
        ...


class Identities:
    """Issues access tokens and recognises them, and by `doors` what else speaks for a user.

    `load` comes first; `watching` follows what becomes of the keys.
    """

    def __init__(
        self, store: Store, sources: Sources, secrets: Secrets, config: AccountsConfig, doors: Sequence[Door] = ()
    ) -> None:
        self._store = store
        self._sources = sources
        self._secrets = secrets
        self._periods = Periods.of(config.access_seconds, config.leeway_seconds, config.key_rotation_days)
        self.watching = Periodic("looking at the signing keys", self.look, LOOK_SECONDS, at_once=False)
        self._tokens = Tokens(config.issuer, config.audience, config.access_seconds, config.leeway_seconds)
        self._doors = doors
        self._ring: KeyRing | None = None
        self._stamp: tuple[object, ...] = ()
        self._loaded_at = 0.0

    async def load(self) -> None:
        """Read the signing keys; the first start makes them."""
        self._loaded_at = self._sources.monotonic()
        stamp = await self._store.read(rows.stamp)
        self._ring = await keys.load(self._store, self._sources, self._secrets, self._periods)
        self._stamp = stamp  # of before: what changed meanwhile is found at the next look

    async def look(self) -> None:
        """Take the steps of the keys that are due, and load them where somebody has changed them."""
        found = await self._store.read(rows.all_of)
        now = self._sources.now_ms()
        if rotation.is_due(found, now, self._periods):
            fresh = rows.made(Box(self._secrets, PURPOSE), self._sources, "next")
            await self._store.write("signing_keys", lambda tx: rotation.age(tx, fresh, now, self._periods))
        if await self._store.read(rows.stamp) != self._stamp:
            await self.load()

    def jwks(self) -> dict[str, Any]:
        """The public keys (RFC 7517)."""
        return self.ring.jwks(self._sources.now_ms())

    @property
    def ring(self) -> KeyRing:
        """The keys in use."""
        if self._ring is None:
            raise QuintetError("unavailable")
        return self._ring

    @property
    def seconds(self) -> int:
        """The life of an access token."""
        return self._tokens.seconds

    def issue(self, user_id: str, session_id: str, token_id: str, now: int) -> str:
        """An access token for a session, from `now` (Unix seconds)."""
        return self._tokens.issue(self.ring, user_id, session_id, token_id, now)

    def signed(self, claims: bytes) -> str:
        """A token of these claims, signed with the key in use."""
        return signed(self.ring, claims)

    async def payload(self, token: str) -> bytes:
        """The claims of a token that we have signed, not looked at yet. Raises QuintetError `invalid_token`."""
        return await self._known(lambda now: payload(self.ring, token, now))

    async def authenticate(self, token: str) -> Identity:
        """Who the access token speaks for.

        Raises:
            QuintetError: `invalid_token`, `token_expired`, `session_revoked`; `busy` and `unavailable` of the store.
        """
        for door in self._doors:
            if door.knows(token):
                return await door.authenticate(token)
        claims = await self._verify(token)
        now = self._sources.now_ms()
        found = await self._store.read(lambda tx: sessions.standing(tx, claims.sub, claims.sid, now))
        if found is None:
            raise QuintetError("invalid_token")
        if not found.stands:
            raise QuintetError("session_revoked")
        return Identity(claims.sub, claims.sid, claims.exp, found.auth_rev, found.role)

    async def still_valid(self, identity: Identity) -> bool:
        """Whether the identity's session has not ended and its user is not disabled, by a new read."""
        for door in self._doors:
            if door.kind == identity.kind:
                return await door.still_valid(identity)
        now = self._sources.now_ms()
        found = await self._store.read(lambda tx: sessions.standing(tx, identity.user_id, identity.session_id, now))
        return found is not None and found.stands

    async def _verify(self, token: str) -> Claims:
        return await self._known(lambda now: self._tokens.verify(self.ring, token, now))

    async def _known(self, verify: Callable[[int], T]) -> T:
        """What `verify` answers; again after a look at the table, where it did not know the key."""
        now = self._sources.now_ms() // 1000
        try:
            return verify(now)
        except UnknownKeyError:
            if self._sources.monotonic() - self._loaded_at < RELOAD_SECONDS:
                raise
        await self.load()
        return verify(now)
