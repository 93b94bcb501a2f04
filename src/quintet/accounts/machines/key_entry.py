"""From an API key to an identity, and whether the identity still stands.

1. A mistyped key is refused by its checksum, before the database is asked.
2. A key speaks for its user as far as its scopes go, and never as an administrator.
"""

from contextlib import suppress

from quintet.accounts.machines import api_keys
from quintet.accounts.machines.api_keys import Standing
from quintet.accounts.machines.key_form import digest_of, is_key, looks_like_key
from quintet.errors import QuintetError
from quintet.scope import Identity, Kind
from quintet.sources import Sources
from quintet.store import Store

__all__ = ["KeyEntry"]

USED_MS = 60_000  # "last used" is as exact as this: a write for every request would be a commit for every request


class KeyEntry:
    """Recognises API keys."""

    kind: Kind = "key"

    def __init__(self, store: Store, sources: Sources) -> None:
        self._store = store
        self._sources = sources

    def knows(self, token: str) -> bool:
        """Whether it means to be an API key."""
        return looks_like_key(token)

    async def authenticate(self, key: str) -> Identity:
        """Whom the key speaks for.

        Raises:
            QuintetError: `invalid_token`, `token_expired`, `session_revoked`; `busy` and `unavailable` of the store.
        """
        if not is_key(key):
            raise QuintetError("invalid_token", "This is no API key; perhaps a character of it is missing.")
        digest = digest_of(key)
        found = await self._store.read(lambda tx: api_keys.by_digest(tx, digest))
        if found is None:
            raise QuintetError("invalid_token")
        if found.revoked:
            raise QuintetError("session_revoked", "This API key was revoked.")
        if found.expires_at <= self._sources.now_ms():
            raise QuintetError("token_expired", "This API key has expired.")
        await self._note(found)
        return Identity(
            found.user_id,
            found.id,
            found.expires_at // 1000,
            found.auth_rev,
            kind="key",
            scopes=frozenset(found.scopes.split()),
        )

    async def still_valid(self, identity: Identity) -> bool:
        """Whether the key has been neither revoked nor forgotten and its user is not disabled, by a new read."""
        found = await self._store.read(lambda tx: api_keys.by_id(tx, identity.user_id, identity.session_id))
        return found is not None and not found.revoked

    async def _note(self, found: Standing) -> None:
        now = self._sources.now_ms()
        if now - (found.used_at or 0) < USED_MS:
            return
        with suppress(QuintetError):  # a store that cannot just now is no reason to refuse
            await self._store.write(found.user_id, lambda tx: api_keys.used(tx, found.user_id, found.id, now))
