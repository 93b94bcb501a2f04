"""What an issuer says about itself (OpenID Connect Discovery 1.0, RFC 8414), kept for an hour."""

from typing import Any

from quintet.accounts.external.fetching import fetch_json, is_safe
from quintet.errors import QuintetError
from quintet.sources import Sources

__all__ = ["Metadata"]

PATH = "/.well-known/openid-configuration"
FRESH_SECONDS = 3600.0


class Metadata:
    """The metadata of one issuer."""

    def __init__(self, issuer: str, sources: Sources) -> None:
        self._issuer = issuer
        self._sources = sources
        self._told: dict[str, Any] = {}
        self._fetched = float("-inf")

    async def address(self, name: str) -> str:
        """One of its addresses. Raises QuintetError `unavailable`."""
        found = (await self._all()).get(name)
        if not isinstance(found, str) or not is_safe(found):
            raise QuintetError("unavailable", retry_after=60)
        return found

    async def words(self, name: str) -> tuple[str, ...]:
        """One of its lists of words; empty where it has none. Raises QuintetError `unavailable`."""
        found = (await self._all()).get(name)
        return tuple(word for word in found if isinstance(word, str)) if isinstance(found, list) else ()

    async def _all(self) -> dict[str, Any]:
        now = self._sources.monotonic()
        if now - self._fetched > FRESH_SECONDS:
            status, told = await fetch_json(self._issuer.rstrip("/") + PATH)
            if status != 200 or told.get("issuer") != self._issuer:  # Discovery, 4.3: else another could speak for it
                raise QuintetError("unavailable", retry_after=60)
            self._told, self._fetched = told, now
        return self._told
