"""What a user has signed in from, so that a letter can tell of a new one.

1. A device is the name its client gives it and the network it comes from: whoever has stolen a password can choose the name, not the
   network. Versions and the end of the address change too often to mean anything.
2. Kept is a keyed digest: a stolen database says nothing about where somebody has been.
3. A user has a bounded number; the one unseen for longest goes. The first of an account is no news.
"""

import hmac
import re
from collections.abc import Sequence
from ipaddress import ip_address
from typing import NamedTuple

from sqlalchemy import delete, func, select, update

from quintet.store import Tx
from quintet.store.tables import devices

__all__ = ["NewDevice", "digests_of", "remember"]

MOST = 50
_INSERT = "INSERT INTO devices (user_id, digest, seen_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"  # sign-ins at once
_VERSIONS = re.compile(r"[\d.]+")


class NewDevice(NamedTuple):
    """A fact published with the sign-in of an account that has others: this device was not seen before."""

    user_id: str
    device: str | None
    address: str | None
    at_ms: int


def digests_of(keys: Sequence[bytes], device: str | None, address: str | None) -> list[bytes]:
    """What is kept of a device under each key, the newest first: changing the secret makes no device new."""
    told = f"device\n{_VERSIONS.sub('', device or '')}\n{_network(address)}".encode("utf-8", "surrogateescape")
    return [hmac.digest(key, told, "sha256") for key in keys]


def remember(tx: Tx, user_id: str, digests: Sequence[bytes], now_ms: int) -> bool:
    """Note that the device was seen. True for a new one of a user who has others."""
    mine = devices.c.user_id == user_id
    here = update(devices).where(mine, devices.c.digest.in_(digests)).values(digest=digests[0], seen_at=now_ms)
    if tx.core.execute(here.returning(devices.c.digest)).first():
        return False
    known: int = tx.core.execute(select(func.count()).select_from(devices).where(mine)).scalar_one()
    if known >= MOST:
        newest = select(devices.c.digest).where(mine).order_by(devices.c.seen_at.desc()).limit(MOST - 1)
        tx.core.execute(delete(devices).where(mine, devices.c.digest.not_in(newest)))
    tx.sql(_INSERT, (user_id, digests[0], now_ms))
    return known > 0


def _network(address: str | None) -> str:
    """The first two bytes of an IPv4 address, the first four of an IPv6 one: about one provider in one region."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return ""
    return parsed.packed[: 2 if parsed.version == 4 else 4].hex()
