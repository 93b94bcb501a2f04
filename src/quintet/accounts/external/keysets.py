"""The public keys of another issuer, kept for a while.

1. Kept for `FRESH_SECONDS`; a token that names an unknown key asks again, at most once in `AGAIN_SECONDS` however many come.
2. While the issuer does not answer the old keys go on, for a day: its outage is not ours. Then nothing is believed.
3. One request at a time; whoever comes meanwhile waits for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from quintet.accounts.external.fetching import fetch_json
from quintet.errors import QuintetError
from quintet.sources import Sources

__all__ = ["KeySet", "PublicKey"]

FRESH_SECONDS = 3600.0
AGAIN_SECONDS = 60.0
OLDEST_SECONDS = 24 * 3600.0
MOST_KEYS = 50
SMALLEST_MODULUS = 342  # characters of base64: 2048 bits

PublicKey = RSAKey | ECKey | OKPKey


class KeySet:
    """Keys by `kid`. `address` gives where they are published."""

    def __init__(self, address: Callable[[], Awaitable[str]], sources: Sources) -> None:
        self._address = address
        self._sources = sources
        self._keys: Mapping[str | None, PublicKey] = {}
        self._fetched: float | None = None
        self._tried = float("-inf")
        self._asking = asyncio.Lock()

    async def key(self, kid: str | None) -> PublicKey:
        """The key of this name; without a name the only one there is.

        Raises:
            QuintetError: `invalid_token` for an unknown one; `unavailable` while nothing is known.
        """
        if self._age() > FRESH_SECONDS or self._find(kid) is None:
            async with self._asking:
                if self._age() > FRESH_SECONDS or self._find(kid) is None:
                    await self._ask()
        if self._age() > OLDEST_SECONDS:
            raise QuintetError("unavailable", retry_after=10)
        found = self._find(kid)
        if found is None:
            raise QuintetError("invalid_token")
        return found

    def _age(self) -> float:
        return float("inf") if self._fetched is None else self._sources.monotonic() - self._fetched

    def _find(self, kid: str | None) -> PublicKey | None:
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    async def _ask(self) -> None:
        now = self._sources.monotonic()
        if now - self._tried < AGAIN_SECONDS:
            return
        self._tried = now
        try:
            status, told = await fetch_json(await self._address())
        except QuintetError:
            return
        if status == 200:
            self._keys, self._fetched = _read(told), now


def _read(told: Mapping[str, Any]) -> dict[str | None, PublicKey]:
    """The keys that sign; what cannot be read, is secret or too weak is left out."""
    found: dict[str | None, PublicKey] = {}
    listed = told.get("keys")
    for entry in listed[:MOST_KEYS] if isinstance(listed, list) else ():
        if not isinstance(entry, dict) or not _is_fit(entry):
            continue
        try:
            key = JWKRegistry.import_key({name: entry[name] for name in entry if name not in ("d", "p", "q")})
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if isinstance(key, RSAKey | ECKey | OKPKey):
            found[entry.get("kid") if isinstance(entry.get("kid"), str) else None] = key
    return found


def _is_fit(entry: Mapping[str, Any]) -> bool:
    """Whether it is a public key for signing, of bearable strength: before the library sees it, which only warns."""
    short = entry.get("kty") == "RSA" and len(str(entry.get("n", ""))) < SMALLEST_MODULUS
    return entry.get("kty") in ("RSA", "EC", "OKP") and entry.get("use", "sig") == "sig" and not short
