"""What a signed-in user does with their API keys."""

from collections.abc import Iterable
from typing import Any

from quintet.accounts import audit
from quintet.accounts.machines import api_keys
from quintet.accounts.machines.api_keys import ApiKey
from quintet.accounts.machines.key_form import KEY_BYTES, digest_of, hint_of, key_of
from quintet.accounts.machines.scopes import OF_KEYS, chosen, written
from quintet.accounts.passwords.confirmation import Confirmed
from quintet.errors import QuintetError
from quintet.events import timestamp
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["MOST_DAYS", "MOST_KEYS", "OwnKeys", "shown"]

MOST_KEYS = 50
MOST_DAYS = 366
DAY_MS = 24 * 60 * 60 * 1000


class OwnKeys:
    """The keys of whoever asks. Every method's first argument says whose they are."""

    def __init__(self, store: Store, sources: Sources) -> None:
        self._store = store
        self._sources = sources

    async def make(self, confirmed: Confirmed, name: str, scopes: Iterable[str], days: int) -> tuple[ApiKey, str]:
        """A new key that is good for so many days; with it its text, which is kept nowhere.

        Raises:
            QuintetError: `invalid_scope`; `conflict` when the user has too many; what is no longer `confirmed`.
        """
        user_id = confirmed.user.id
        text = key_of(self._sources.token_bytes(KEY_BYTES))
        now = self._sources.now_ms()
        key = ApiKey(
            user_id,
            self._sources.new_id("key"),
            name,
            hint_of(text),
            digest_of(text),
            written(chosen(scopes, OF_KEYS)),
            now,
            now + days * DAY_MS,
        )

        def store(tx: Tx) -> None:
            confirmed.check(tx)
            if api_keys.count(tx, user_id, now) >= MOST_KEYS:
                raise QuintetError("conflict", f"You have {MOST_KEYS} keys. Revoke one first.")
            api_keys.add(tx, key)
            audit.record(tx, "api_key_made", now, subject_id=user_id, name=name, scopes=key.scopes, days=days)

        await self._store.write(user_id, store)
        return key, text

    async def keys(self, user_id: str) -> list[ApiKey]:
        """The keys that stand, the newest first."""
        now = self._sources.now_ms()
        return await self._store.read(lambda tx: api_keys.live(tx, user_id, now))

    async def revoke(self, user_id: str, key_id: str) -> bool:
        """End a key, and close its connections. False when the user has none of this id that stands."""
        now = self._sources.now_ms()

        def end(tx: Tx) -> bool:
            ended = api_keys.revoke(tx, user_id, key_id, now)
            if ended:
                audit.record(tx, "api_key_revoked", now, subject_id=user_id, id=key_id)
            return ended

        return await self._store.write(user_id, end)


def shown(key: ApiKey) -> dict[str, Any]:
    """A key as its user sees it."""
    times = {"created_at": key.created_at, "expires_at": key.expires_at, "last_used_at": key.used_at}
    return {
        "id": key.id,
        "name": key.name,
        "hint": key.hint,
        "scopes": key.scopes.split(),
        **{field: timestamp(at) for field, at in times.items() if at is not None},
    }
