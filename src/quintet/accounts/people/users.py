"""The users' rows."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.exc import IntegrityError

from quintet import log
from quintet.accounts.people.emails import Address
from quintet.errors import QuintetError
from quintet.events import timestamp
from quintet.store import Tx
from quintet.store.tables import users

__all__ = [
    "DELETED",
    "Change",
    "User",
    "add",
    "by_email",
    "by_id",
    "check_vacant",
    "confirm_email",
    "new_epoch",
    "rename",
    "replace_password",
    "set_disabled",
    "set_email",
    "set_password",
]

DELETED = "deleted"
"""The role of a user that is being deleted; nobody can be given it."""

Change = Callable[[Tx], None]


class User(NamedTuple):
    """A user. `password_hash` never leaves this package."""

    id: str
    email: str
    email_verified: bool
    name: str | None
    password_hash: str
    role: str
    created_at: int
    disabled_at: int | None

    @property
    def has_password(self) -> bool:
        """False for one whom another provider vouches for."""
        return self.password_hash.startswith("$")

    def view(self) -> dict[str, Any]:
        """What the user is shown of it."""
        shown = {
            "id": self.id,
            "email": self.email,
            "email_verified": self.email_verified,
            "name": self.name,
            "role": self.role,
            "created_at": timestamp(self.created_at),
        }
        return {key: value for key, value in shown.items() if value is not None}


_COLUMNS = tuple(users.c[name] for name in User._fields)


def new_epoch(random: bytes) -> str:
    """A stream's epoch: twelve letters and digits of six random bytes."""
    return random.hex()


def check_vacant(tx: Tx, key: str) -> None:
    """Raises QuintetError `email_taken` when an account has this address."""
    if by_email(tx, key) is not None:
        raise QuintetError("email_taken")


def add(tx: Tx, user: User, key: str, epoch: str) -> None:
    """Store a user and open their stream. Raises QuintetError `email_taken`, `storage_full`."""
    tx.grow()
    check_vacant(tx, key)
    try:
        tx.core.execute(insert(users).values(**user._asdict(), email_key=key))
    except IntegrityError:  # where writers run side by side, another was quicker
        raise QuintetError("email_taken") from None
    log.create_head(tx, user.id, epoch)


def new_user(user_id: str, address: Address, name: str | None, password_hash: str, now: int) -> User:
    """A user as registering makes one: no role can be asked for."""
    return User(user_id, address.text, False, name, password_hash, "user", now, None)


def by_email(tx: Tx, key: str) -> User | None:
    """The user of a case-folded address."""
    return _one(tx, select(*_COLUMNS).where(users.c.email_key == key))


def by_id(tx: Tx, user_id: str) -> User | None:
    """The user of this id."""
    return _one(tx, select(*_COLUMNS).where(users.c.id == user_id))


def _one(tx: Tx, statement: Select[Any]) -> User | None:
    row: Row[Any] | None = tx.core.execute(statement).first()
    return User._make(row) if row is not None else None


def rename(tx: Tx, user_id: str, name: str) -> None:
    """Set the user's name."""
    tx.core.execute(update(users).where(users.c.id == user_id).values(name=name))


def set_password(tx: Tx, user_id: str, known: str, fresh: str) -> bool:
    """Put `fresh` in place of the hash `known`. False when it is not the known one any more."""
    changed = tx.core.execute(
        update(users)
        .where(users.c.id == user_id, users.c.password_hash == known)
        .values(password_hash=fresh)
        .returning(users.c.id)
    )
    return changed.first() is not None


def replace_password(tx: Tx, user_id: str, fresh: str) -> None:
    """Put another hash in place of whatever there was."""
    tx.core.execute(update(users).where(users.c.id == user_id).values(password_hash=fresh))


def confirm_email(tx: Tx, user_id: str) -> None:
    """The address has shown to be the user's."""
    tx.core.execute(update(users).where(users.c.id == user_id).values(email_verified=True))


def set_email(tx: Tx, user_id: str, address: Address) -> None:
    """Put another address, which has shown to be the user's, in place of theirs. Raises QuintetError `email_taken`."""
    check_vacant(tx, address.key)
    changed = update(users).where(users.c.id == user_id)
    try:
        tx.core.execute(changed.values(email=address.text, email_key=address.key, email_verified=True))
    except IntegrityError:  # where writers run side by side, another was quicker
        raise QuintetError("email_taken") from None


def set_disabled(tx: Tx, user_id: str, at: int | None) -> bool:
    """Disable the user at this time, or enable (None). False when nothing changed; the first time of disabling stays."""
    standing = users.c.disabled_at.is_not(None) if at is None else users.c.disabled_at.is_(None)
    changed = tx.core.execute(
        update(users)
        .where(users.c.id == user_id, users.c.role != DELETED, standing)
        .values(disabled_at=at)
        .returning(users.c.id)
    )
    return changed.first() is not None
