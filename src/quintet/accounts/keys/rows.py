"""The rows of the signing keys: read, made, moved from state to state.

Private parts lie in the database encrypted under the server's secret: a stolen database signs nothing. A key that is gone has none.
"""

import json
from typing import Literal, NamedTuple

from joserfc.jwk import ECKey
from sqlalchemy import delete, insert, select, update

from quintet.accounts.keys.sealing import NONCE_BYTES, Box
from quintet.sources import Sources
from quintet.store import Tx
from quintet.store.tables import signing_keys

__all__ = ["SigningKey", "State", "add", "all_of", "made", "move", "opened", "reseal", "sealed_again", "stamp"]

State = Literal["next", "active", "retiring", "gone"]
GONE_KEPT = 20

_ORDER = {"active": 0, "next": 1, "retiring": 2, "gone": 3}


class SigningKey(NamedTuple):
    """A row. Times are milliseconds since 1970; `changed_at` is when the key came to its state."""

    kid: str
    public_jwk: str
    sealed_private: bytes
    state: str
    created_at: int
    changed_at: int


def made(box: Box, sources: Sources, state: State) -> SigningKey:
    """A new key, not stored yet. Takes a thousandth of a second: outside of the transaction."""
    key = ECKey.generate_key("P-256")
    kid = key.thumbprint()
    now = sources.now_ms()
    return SigningKey(kid, json.dumps(key.as_dict(private=False)), _sealed(box, key, kid, sources), state, now, now)


def _sealed(box: Box, key: ECKey, kid: str, sources: Sources) -> bytes:
    return box.seal(json.dumps(key.as_dict(private=True)).encode(), kid, sources.token_bytes(NONCE_BYTES))


def opened(box: Box, row: SigningKey) -> ECKey | None:
    """The key of the row; None for one that is gone, or that another secret has sealed."""
    found = box.open(row.sealed_private, row.kid)
    return ECKey.import_key(json.loads(found.text)) if found is not None else None


def sealed_again(box: Box, sources: Sources, row: SigningKey) -> bytes | None:
    """The private part sealed under the newest secret; None where it is already, or cannot be opened."""
    found = box.open(row.sealed_private, row.kid)
    if found is None or not found.outdated:
        return None
    return box.seal(found.text, row.kid, sources.token_bytes(NONCE_BYTES))


def all_of(tx: Tx) -> list[SigningKey]:
    """Every row: the active key first, then the next, then those that retire, the gone last; in each the newest first."""
    statement = select(signing_keys).order_by(signing_keys.c.created_at.desc(), signing_keys.c.kid)
    rows = [SigningKey(**row._mapping) for row in tx.core.execute(statement)]
    return sorted(rows, key=lambda row: _ORDER.get(row.state, 4))


def stamp(tx: Tx) -> tuple[tuple[str, str, int], ...]:
    """What changes whenever a key does. A few short rows."""
    return tuple(
        tx.sql("SELECT kid, state, changed_at FROM signing_keys WHERE state <> 'gone' ORDER BY kid").fetchall()
    )


def add(tx: Tx, row: SigningKey) -> None:
    """Store a new key."""
    tx.core.execute(insert(signing_keys).values(row._asdict()))


def move(tx: Tx, kid: str, state: State, now_ms: int) -> None:
    """Bring a key to a state. What is gone signs nothing any more, whoever reads the table; a few are kept for the list."""
    values = {"state": state, "changed_at": now_ms, **({"sealed_private": b""} if state == "gone" else {})}
    tx.core.execute(update(signing_keys).where(signing_keys.c.kid == kid).values(values))
    if state == "gone":
        tx.scrub()
        c = signing_keys.c
        forgotten = select(c.kid).where(c.state == "gone").order_by(c.changed_at.desc(), c.kid).offset(GONE_KEPT)
        tx.core.execute(delete(signing_keys).where(c.kid.in_(forgotten.scalar_subquery())))


def reseal(tx: Tx, row: SigningKey, sealed: bytes) -> None:
    """Replace the sealed private part, unless somebody else has."""
    c = signing_keys.c
    tx.core.execute(
        update(signing_keys)
        .where(c.kid == row.kid, c.sealed_private == row.sealed_private)
        .values(sealed_private=sealed)
    )
