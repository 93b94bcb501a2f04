"""The keys that sign access tokens.

1. Private keys lie in the database encrypted under the server's secret: a stolen database signs nothing.
2. A key that does not open under this secret neither signs nor verifies nor is published. So a changed secret ends every
   access token; the refresh tokens, which do not depend on it, bring new ones.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc.jwk import ECKey
from sqlalchemy import insert, select

from quintet.sources import Sources
from quintet.store import Store, Tx
from quintet.store.tables import signing_keys

__all__ = ["KeyRing", "derive", "load"]

NONCE_BYTES = 12


def derive(secret: str, purpose: str) -> bytes:
    """A 32-byte key for one purpose, from the server's secret."""
    return HKDF(SHA256(), 32, salt=None, info=f"quintet {purpose}".encode()).derive(secret.encode())


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The key that signs, and all that verify, by `kid`."""

    kid: str
    signing: ECKey
    verifying: Mapping[str, ECKey]

    def jwks(self) -> dict[str, Any]:
        """The public keys (RFC 7517)."""
        return {
            "keys": [
                {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": "ES256"}
                for kid, key in self.verifying.items()
            ]
        }


class _Sealed(NamedTuple):
    kid: str
    public_jwk: str
    sealed_private: bytes
    state: str
    created_at: int
    changed_at: int


async def load(store: Store, sources: Sources, secret: str) -> KeyRing:
    """The keys of this server; the first start makes one."""
    box = AESGCM(derive(secret, "signing keys"))
    ring = _opened(box, await store.read(_rows))
    if ring is not None:
        return ring
    fresh = _made(box, sources)

    def add_unless_there(tx: Tx) -> list[_Sealed]:
        rows = _rows(tx)  # another server may have been quicker
        if _opened(box, rows) is None:
            tx.core.execute(insert(signing_keys).values(fresh._asdict()))
            rows.append(fresh)
        return rows

    ring = _opened(box, await store.write("signing_keys", add_unless_there))
    assert ring is not None
    return ring


def _rows(tx: Tx) -> list[_Sealed]:
    statement = select(signing_keys).order_by(signing_keys.c.created_at, signing_keys.c.kid)
    return [_Sealed(**row._mapping) for row in tx.core.execute(statement)]


def _made(box: AESGCM, sources: Sources) -> _Sealed:
    key = ECKey.generate_key("P-256")
    kid = key.thumbprint()
    nonce = sources.token_bytes(NONCE_BYTES)
    sealed = nonce + box.encrypt(nonce, json.dumps(key.as_dict(private=True)).encode(), kid.encode())
    now = sources.now_ms()
    return _Sealed(kid, json.dumps(key.as_dict(private=False)), sealed, "active", now, now)


def _opened(box: AESGCM, rows: Iterable[_Sealed]) -> KeyRing | None:
    keys = {row.kid: key for row in rows if (key := _open(box, row)) is not None}
    active = [row.kid for row in rows if row.state == "active" and row.kid in keys]
    return KeyRing(active[-1], keys[active[-1]], keys) if active else None


def _open(box: AESGCM, row: _Sealed) -> ECKey | None:
    nonce, sealed = row.sealed_private[:NONCE_BYTES], row.sealed_private[NONCE_BYTES:]
    try:
        return ECKey.import_key(json.loads(box.decrypt(nonce, sealed, row.kid.encode())))
    except InvalidTag:
        return None
