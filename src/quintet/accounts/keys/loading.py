"""From the table to a ring: read, opened, sealed again under the newest secret, completed with what is missing.

A key that does not open under these secrets neither signs nor verifies nor is published. So a changed secret ends every access
token; the refresh tokens, which do not depend on it, bring new ones. With the old secret beside the new one nothing ends.
"""

import logging
from collections.abc import Sequence

from quintet.accounts.keys import rows
from quintet.accounts.keys.ring import KeyRing, Verifying
from quintet.accounts.keys.rotation import Periods
from quintet.accounts.keys.rows import SigningKey
from quintet.accounts.keys.sealing import Box, Secrets
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["PURPOSE", "load"]

PURPOSE = "signing keys"

logger = logging.getLogger(__name__)


async def load(store: Store, sources: Sources, secrets: Secrets, periods: Periods) -> KeyRing:
    """The keys of this server. The first start makes the one that signs and the next one."""
    box = Box(secrets, PURPOSE)
    found = await store.read(rows.all_of)
    ring = _ring(box, found, periods)
    outdated = [(row, sealed) for row in found if (sealed := rows.sealed_again(box, sources, row)) is not None]
    if ring is not None and not outdated and _has_next(box, found):
        return ring
    fresh = [rows.made(box, sources, "active"), rows.made(box, sources, "next")]

    def complete(tx: Tx) -> list[SigningKey]:
        for row, sealed in outdated:
            rows.reseal(tx, row, sealed)
        current = rows.all_of(tx)  # another server may have been quicker
        for row, missing in zip(
            fresh, (_ring(box, current, periods) is None, not _has_next(box, current)), strict=True
        ):
            if missing:
                _replace_state(tx, current, row)
        return rows.all_of(tx)

    ring = _ring(box, await store.write("signing_keys", complete), periods)
    assert ring is not None
    return ring


def _replace_state(tx: Tx, current: Sequence[SigningKey], fresh: SigningKey) -> None:
    """Put a key in the place of those that no secret of ours opens."""
    for row in current:
        if row.state == fresh.state:
            logger.warning(
                "a signing key was sealed under another secret and is replaced: unless that was changed on purpose,"
                " make QUINTET_SECRET_KEY the same on every node"
            )
            rows.move(tx, row.kid, "retiring", fresh.created_at)
    rows.add(tx, fresh)


def _has_next(box: Box, found: Sequence[SigningKey]) -> bool:
    return any(row.state == "next" and rows.opened(box, row) is not None for row in found)


def _ring(box: Box, found: Sequence[SigningKey], periods: Periods) -> KeyRing | None:
    keys = {row.kid: (row, key) for row in found if (key := rows.opened(box, row)) is not None}
    verifying = {
        kid: Verifying(key, row.changed_at + periods.retiring if row.state == "retiring" else None)
        for kid, (row, key) in keys.items()
        if row.state in ("active", "next", "retiring")
    }
    active = next((kid for kid, (row, _) in keys.items() if row.state == "active"), None)
    return KeyRing(active, keys[active][1], verifying) if active is not None else None
