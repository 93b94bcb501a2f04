"""The rows of the service clients. The secret is 256 bits of chance, so its digest needs neither salt nor a slow hash."""

import hmac
import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import insert, select, update

from quintet.store import Tx
from quintet.store.tables import service_clients

__all__ = [
    "SECRET_BYTES",
    "Client",
    "add",
    "all_of",
    "by_id",
    "digest_of",
    "fits",
    "is_secret",
    "secret_of",
    "set_disabled",
    "used",
]

PREFIX = "qs_"
SECRET_BYTES = 32
USED_MS = 60_000  # "last used" is as exact as this: a write for every token would be a write for every scrape

_SHAPE = re.compile(r"qs_[A-Za-z0-9_-]{43}")


class Client(NamedTuple):
    """A service client. Times are milliseconds since 1970."""

    id: str
    name: str
    digest: bytes
    scopes: str
    created_at: int
    disabled_at: int | None = None
    used_at: int | None = None


_COLUMNS = tuple(service_clients.c[name] for name in Client._fields)


def secret_of(random: bytes) -> str:
    """The secret made of 32 random bytes."""
    return PREFIX + urlsafe_b64encode(random).decode("ascii").rstrip("=")


def is_secret(text: str) -> bool:
    """Whether it has a secret's form."""
    return _SHAPE.fullmatch(text) is not None


def digest_of(secret: str) -> bytes:
    """What is kept of a secret."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def fits(client: Client | None, secret: str) -> bool:
    """Whether the secret is this client's."""
    return client is not None and hmac.compare_digest(client.digest, digest_of(secret))


def add(tx: Tx, client: Client) -> None:
    """Store a new one."""
    tx.core.execute(insert(service_clients).values(**client._asdict()))


def all_of(tx: Tx) -> list[Client]:
    """All of them, the oldest first."""
    statement = select(*_COLUMNS).order_by(service_clients.c.created_at, service_clients.c.id)
    return [Client._make(row) for row in tx.core.execute(statement)]


def by_id(tx: Tx, client_id: str) -> Client | None:
    """The client of this id."""
    row = tx.core.execute(select(*_COLUMNS).where(service_clients.c.id == client_id)).first()
    return Client._make(row) if row is not None else None


def set_disabled(tx: Tx, client_id: str, at: int | None) -> None:
    """Disable the client from this time on, or enable it (None)."""
    tx.core.execute(update(service_clients).where(service_clients.c.id == client_id).values(disabled_at=at))


def used(tx: Tx, client_id: str, now_ms: int) -> None:
    """Note that it has come."""
    tx.core.execute(update(service_clients).where(service_clients.c.id == client_id).values(used_at=now_ms))
