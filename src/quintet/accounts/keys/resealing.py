"""After a change of the secret: what lies sealed in the accounts' tables is sealed anew, so that the old secret can be taken away.

The signing keys see to themselves (`keys/loading.py`). Nothing is done, and nothing read, where there is no older secret.
"""

from quintet.accounts.keys.sealing import NONCE_BYTES, Box, Secrets
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["reseal_factors"]

PURPOSE = "second factors"
_PAGE = 500

_READ = "SELECT user_id, sealed_secret FROM totps WHERE user_id > ? ORDER BY user_id LIMIT ?"
_WRITE = "UPDATE totps SET sealed_secret = ? WHERE user_id = ? AND sealed_secret = ?"


async def reseal_factors(store: Store, sources: Sources, secrets: Secrets) -> int:
    """Seal the secrets of authenticators under the newest secret; how many there were to do. Raises QuintetError, as the store does."""
    if not secrets.older:
        return 0
    box, after, done = Box(secrets, PURPOSE), "", 0
    while page := await store.read(lambda tx, after=after: tx.sql(_READ, (after, _PAGE)).fetchall()):  # type: ignore[misc]
        fresh = [
            (box.seal(found.text, user_id, sources.token_bytes(NONCE_BYTES)), user_id, sealed)
            for user_id, sealed in page
            if (found := box.open(sealed, user_id)) is not None and found.outdated
        ]
        if fresh:
            await store.write("", lambda tx, fresh=fresh: _replace(tx, fresh))  # type: ignore[misc]
        after, done = page[-1][0], done + len(fresh)
    return done


def _replace(tx: Tx, fresh: list[tuple[bytes, str, bytes]]) -> None:
    tx.many(_WRITE, fresh)
