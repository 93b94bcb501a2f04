"""The signing keys as the operator of a server sees them: listed, rotated. Works beside a running server, which notices by itself."""

from typing import NamedTuple

from quintet.accounts import audit
from quintet.accounts.keys import rows
from quintet.accounts.keys.loading import PURPOSE
from quintet.accounts.keys.rotation import Periods, TooYoungError, rotate
from quintet.accounts.keys.sealing import Box, Secrets
from quintet.errors import QuintetError
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["KeyKeeping", "Listed"]


class Listed(NamedTuple):
    """A key in the list. Times are milliseconds since 1970; `opens`: whether our secret opens it (None for one that is gone)."""

    kid: str
    state: str
    created_at: int
    changed_at: int
    opens: bool | None


class KeyKeeping:
    """What an operator does with the keys. Every method also raises QuintetError `busy`, `unavailable` or `storage_full`."""

    def __init__(self, store: Store, sources: Sources, secrets: Secrets, periods: Periods) -> None:
        self._store = store
        self._sources = sources
        self._box = Box(secrets, PURPOSE)
        self._periods = periods

    async def keys(self) -> list[Listed]:
        """All keys: the one that signs, the next, those that retire, those that are gone."""
        return [
            Listed(
                row.kid,
                row.state,
                row.created_at,
                row.changed_at,
                None if row.state == "gone" else rows.opened(self._box, row) is not None,
            )
            for row in await self._store.read(rows.all_of)
        ]

    async def rotate(self, *, at_once: bool = False, drop: bool = False) -> str:
        """Let the next key sign; its name.

        Raises:
            QuintetError: `conflict` where the next key is too young, or where our secret does not open the keys of the server: what
                we made, it could not open.
        """
        if not all(key.opens for key in await self.keys() if key.state in ("active", "next")):
            raise QuintetError(
                "conflict", "This secret does not open the keys of the server. Use the server's own settings."
            )
        fresh = rows.made(self._box, self._sources, "next")
        now = self._sources.now_ms()

        def step(tx: Tx) -> str:
            rotate(tx, fresh, now, self._periods, at_once=at_once, drop=drop)
            kid = next(row.kid for row in rows.all_of(tx) if row.state == "active")
            audit.record(tx, "keys_rotated", now, kid=kid, dropped=drop)
            return kid

        try:
            return await self._store.write("signing_keys", step)
        except TooYoungError as young:
            raise QuintetError(
                "conflict",
                f"The next key was published too short a time ago: others may not know it yet. Wait {young.seconds} s, or use --now.",
            ) from None
