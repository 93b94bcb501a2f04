"""Who a user is elsewhere: the rows, and accounts for people we have not seen before.

1. The subject at the issuer is who it is. An address is only ever a way to reach somebody.
2. An account without a password has a word in the hash's place that no password fits.
3. An address that a provider calls confirmed counts as confirmed here only where the operator trusts it: else whoever can say anything
   there would have somebody's address here first, and stay in when its owner sets a password by letter.
4. Where no confirmed address is known the account has a made-up one (RFC 2606): a claimed one could be somebody else's.
"""

from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from quintet.accounts.people import users
from quintet.accounts.people.emails import Address
from quintet.accounts.people.users import User
from quintet.errors import QuintetError
from quintet.events import timestamp
from quintet.store import Tx
from quintet.store.tables import external_identities

__all__ = [
    "MOST_LINKED",
    "NO_PASSWORD",
    "Linked",
    "Person",
    "add",
    "found",
    "made_up",
    "new_account",
    "of_user",
    "owner",
    "remove",
]

NO_PASSWORD = "no password"  # noqa: S105 - fits nothing
MOST_LINKED = 20
LONGEST_SHOWN = 100


class Person(NamedTuple):
    """Whom somebody vouches for. `email` is there only where it was confirmed."""

    issuer: str
    subject: str
    email: Address | None
    name: str | None


class Linked(NamedTuple):
    """A row. Times are milliseconds since 1970."""

    issuer: str
    subject: str
    email: str | None
    created_at: int
    used_at: int

    @property
    def id(self) -> str:
        """Its name in our addresses."""
        return "ext_" + _digest(self.issuer, self.subject)

    def view(self) -> dict[str, Any]:
        """As its user sees it."""
        shown: dict[str, Any] = {"id": self.id, "issuer": self.issuer, "email": self.email}
        shown |= {"created_at": timestamp(self.created_at), "last_used_at": timestamp(self.used_at)}
        return {name: value for name, value in shown.items() if value is not None}


_COLUMNS = tuple(external_identities.c[name] for name in Linked._fields)


def _digest(issuer: str, subject: str) -> str:
    return sha256(f"{issuer}\n{subject}".encode()).hexdigest()[:24]


def made_up(issuer: str, subject: str) -> Address:
    """An address that nobody has."""
    text = f"{_digest(issuer, subject)}@external.invalid"
    return Address(text, text)


def owner(tx: Tx, issuer: str, subject: str, now_ms: int) -> str | None:
    """The user of this person; notes that they have come."""
    c = external_identities.c
    found = tx.core.execute(
        update(external_identities)
        .where(c.issuer == issuer, c.subject == subject)
        .values(used_at=now_ms)
        .returning(c.user_id)
    ).first()
    return None if found is None else str(found[0])


def found(tx: Tx, issuer: str, subject: str) -> str | None:
    """The user of this person."""
    c = external_identities.c
    row = tx.core.execute(select(c.user_id).where(c.issuer == issuer, c.subject == subject)).first()
    return None if row is None else str(row[0])


def of_user(tx: Tx, user_id: str) -> list[Linked]:
    """Who the user is elsewhere, the oldest first."""
    c = external_identities.c
    rows = tx.core.execute(select(*_COLUMNS).where(c.user_id == user_id).order_by(c.created_at, c.subject))
    return [Linked._make(row) for row in rows]


def add(tx: Tx, user_id: str, person: Person, now_ms: int) -> None:
    """Link the person to the user. Raises QuintetError `busy` where somebody else is doing so."""
    values = {"email": person.email.text if person.email else None, "created_at": now_ms, "used_at": now_ms}
    mine = {"user_id": user_id, "issuer": person.issuer, "subject": person.subject}
    try:
        tx.core.execute(insert(external_identities).values(**mine, **values))
    except IntegrityError:  # where writers run side by side, another was quicker
        raise QuintetError("busy", retry_after=1) from None


def remove(tx: Tx, user_id: str, linked: Linked) -> None:
    """Take the link away."""
    c = external_identities.c
    mine = (c.user_id == user_id) & (c.issuer == linked.issuer) & (c.subject == linked.subject)
    tx.core.execute(delete(external_identities).where(mine))


def new_account(tx: Tx, user_id: str, person: Person, epoch: str, now_ms: int, *, trusted: bool) -> None:
    """An account for a person we have not seen before, and the link. Raises QuintetError `storage_full`."""
    vacant = person.email is not None and users.by_email(tx, person.email.key) is None
    address = person.email if vacant and person.email is not None else made_up(person.issuer, person.subject)
    name = person.name[:LONGEST_SHOWN].strip() if person.name and person.name.isprintable() else None
    user = User(user_id, address.text, vacant and trusted, name or None, NO_PASSWORD, "user", now_ms, None)
    users.add(tx, user, address.key, epoch)
    add(tx, user_id, person, now_ms)
