"""Signing in with a provider, and linking it to an account.

1. A way back is good once, for ten minutes, for one provider, and in the browser that began it (a cookie): nobody finishes in another's
   browser what they began in their own.
2. A person whom we know by the subject comes in. A person whom we do not know gets an account where strangers may make one.
3. A confirmed address joins an account only where the operator trusts the provider and the account's own address was confirmed: else
   whoever registers somebody's address first would wait for them inside. Everybody else signs in and links.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from quintet.accounts import audit
from quintet.accounts.config import AccountsConfig
from quintet.accounts.external import linked
from quintet.accounts.external.exchange import Exchange
from quintet.accounts.external.linked import Linked, Person
from quintet.accounts.passwords.confirmation import Confirmed, check_proof
from quintet.accounts.people import users
from quintet.accounts.sessions import challenges, sessions
from quintet.accounts.sessions.entering import Entering, SignedIn, Visitor
from quintet.errors import QuintetError
from quintet.scope import Identity
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["KIND", "SECONDS", "Begun", "Returned", "SigningIn"]

KIND = "provider"
SECONDS = 600
SECRET_BYTES = 32
_QUICKER = frozenset({"busy", "email_taken"})  # what is heard where another request made the same account


class Begun(NamedTuple):
    """Where the browser is sent, and what it keeps meanwhile: a cookie's name and value."""

    address: str
    name: str
    secret: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What the browser brought back. `kept` gives a cookie by name."""

    state: str
    code: str | None
    issuer: str | None
    error: str | None
    cookies: Mapping[str, str]


class _Way(NamedTuple):
    """A way that was begun."""

    provider: str
    nonce: str
    verifier: str
    browser: str
    user_id: str | None
    session_id: str | None
    proved: str | None  # which password began a link


class SigningIn:
    """The sign-ins with the providers of a server. `exchanges` by the provider's name."""

    def __init__(
        self,
        store: Store,
        sources: Sources,
        config: AccountsConfig,
        entering: Entering,
        exchanges: Mapping[str, Exchange],
    ) -> None:
        self._store = store
        self._sources = sources
        self._config = config
        self._entering = entering
        self.exchanges = exchanges

    async def begin(self, name: str, confirmed: Confirmed | None = None) -> Begun:
        """Begin a sign-in; for somebody who is confirmed, a link to their account.

        Raises:
            QuintetError: `not_found`; `busy` when too many are under way; `unavailable` while the provider does not answer.
        """
        exchange = self._exchange(name)
        state, nonce, verifier, secret = (self._chance() for _ in range(4))
        address = await exchange.address(state, nonce, verifier)
        user_id, session_id = (confirmed.user.id, confirmed.identity.session_id) if confirmed else (None, None)
        way = _Way(name, nonce, verifier, _digest(secret), user_id, session_id, confirmed and confirmed.proof)
        now = self._sources.now_ms()
        digest = challenges.digest_of(state)

        def put(tx: Tx) -> None:
            if confirmed is not None:
                confirmed.check(tx)
            challenges.put(tx, KIND, digest, way._asdict(), now, SECONDS, user_id)

        await self._store.write(user_id or "", put)
        return Begun(address, cookie_name(state), secret)

    async def finish(self, name: str, back: Returned, visitor: Visitor) -> SignedIn | None:
        """Sign in whom the provider vouches for; None where it was a link.

        Raises:
            QuintetError: `forbidden` where the person refused, where the way is over or was begun elsewhere, or where no account may be
                made; `invalid_token`, `token_expired`, `unavailable` by the provider's doing; `email_taken`, `conflict`.
        """
        exchange = self._exchange(name)
        way = await self._way(name, back)
        if back.issuer is not None and back.issuer != exchange.provider.issuer:  # RFC 9207: an answer meant for another
            raise QuintetError("invalid_token")
        if back.error is not None or back.code is None:
            raise QuintetError("forbidden", "The provider did not let you in.")
        person = await exchange.person(back.code, way.verifier, way.nonce)
        if way.user_id is not None and way.session_id is not None:
            await self._link(Identity(way.user_id, way.session_id, 0), way.proved, person)
            return None
        return await self._enter(exchange, person, visitor)

    async def linked(self, identity: Identity) -> list[Linked]:
        """Who the user is elsewhere."""
        return await self._store.read(lambda tx: linked.of_user(tx, identity.user_id))

    async def unlink(self, confirmed: Confirmed, link_id: str) -> None:
        """Take a link away. Raises QuintetError `not_found`; `conflict` for the last way in; what is no longer `confirmed`."""
        now, identity = self._sources.now_ms(), confirmed.identity

        def change(tx: Tx) -> None:
            confirmed.check(tx)
            found = linked.of_user(tx, identity.user_id)
            gone = next((one for one in found if one.id == link_id), None)
            if gone is None:
                raise QuintetError("not_found")
            user = users.by_id(tx, identity.user_id)
            if len(found) == 1 and user is not None and not user.has_password:
                raise QuintetError("conflict", "This is the only way into the account. Set a password first.")
            linked.remove(tx, identity.user_id, gone)
            tx.revoke(identity.user_id)  # what came by the link looks again
            audit.record(tx, "identity_unlinked", now, subject_id=identity.user_id, issuer=gone.issuer)

        await self._store.write(identity.user_id, change)

    def _exchange(self, name: str) -> Exchange:
        if name not in self.exchanges:
            raise QuintetError("not_found")
        return self.exchanges[name]

    async def _way(self, name: str, back: Returned) -> _Way:
        now = self._sources.now_ms()
        digest = challenges.digest_of(back.state)
        found = await self._store.read(
            lambda tx: challenges.find(tx, KIND, digest, now)
        )  # what is none costs no commit
        if found is not None:
            found = await self._store.write("", lambda tx: challenges.spend(tx, KIND, digest, now))
        way = _Way(**found.data) if found is not None else None
        secret = back.cookies.get(cookie_name(back.state), "")
        if way is None or way.provider != name or not hmac.compare_digest(_digest(secret), way.browser):
            raise QuintetError("forbidden", "This sign-in is over, or was begun in another browser. Begin again.")
        return way

    async def _enter(self, exchange: Exchange, person: Person, visitor: Visitor) -> SignedIn:
        known = await self._store.read(lambda tx: self._known(tx, exchange, person))
        try:
            return await self._enter_as(known, exchange, person, visitor)
        except QuintetError as refusal:
            if refusal.code not in _QUICKER:
                raise
            found = await self._store.read(lambda tx: self._known(tx, exchange, person))
            if found in (None, known):
                raise
        return await self._enter_as(found, exchange, person, visitor)  # another tab made the account in this moment

    async def _enter_as(self, known: str | None, exchange: Exchange, person: Person, visitor: Visitor) -> SignedIn:
        now = self._sources.now_ms()
        user_id = known or self._sources.new_id("usr")
        epoch = users.new_epoch(self._sources.token_bytes(6))

        def before(tx: Tx) -> None:
            if (
                self._known(tx, exchange, person) != known
            ):  # linked or unlinked since: what was found is not to be made anew
                raise QuintetError("busy", retry_after=1)
            if linked.owner(tx, person.issuer, person.subject, now) is not None:
                return
            self._admit(tx, exchange, person, user_id, epoch, now, visitor)

        vouched = person.email.key if person.email is not None else None
        return await self._entering.enter(user_id, visitor, exchange.provider.name, before, vouched=vouched)

    def _known(self, tx: Tx, exchange: Exchange, person: Person) -> str | None:
        """The account of the person: by the link, else by a confirmed address of a provider that is trusted."""
        row = linked.found(tx, person.issuer, person.subject)
        if row is not None or person.email is None or not exchange.provider.trusted:
            return row
        user = users.by_email(tx, person.email.key)
        return user.id if user is not None and user.email_verified else None

    def _admit(
        self, tx: Tx, exchange: Exchange, person: Person, user_id: str, epoch: str, now: int, visitor: Visitor
    ) -> None:
        name = exchange.provider.name
        if users.by_id(tx, user_id) is not None:  # a trusted provider's confirmed address
            self._add(tx, user_id, person, now)
            audit.record(tx, "identity_linked", now, subject_id=user_id, address=visitor.address, issuer=person.issuer)
            return
        if person.email is not None and users.by_email(tx, person.email.key) is not None:
            raise QuintetError(
                "email_taken",
                "An account with this address exists already. Sign in to it, and link this provider there.",
            )
        if self._config.sign_up != "open" and not exchange.provider.trusted:
            raise QuintetError("forbidden", "Signing up is closed on this server.")
        if self._config.verify_email and person.email is None:
            raise QuintetError(
                "forbidden", "The provider names no confirmed address of yours, and this server needs one."
            )
        linked.new_account(tx, user_id, person, epoch, now, trusted=exchange.provider.trusted)
        audit.record(tx, "registered", now, subject_id=user_id, address=visitor.address, by=name)

    async def _link(self, identity: Identity, proved: str | None, person: Person) -> None:
        now, user_id = self._sources.now_ms(), identity.user_id

        def change(tx: Tx) -> None:
            sessions.check(tx, identity, now)
            check_proof(tx, user_id, proved)
            owner = linked.owner(tx, person.issuer, person.subject, now)
            if owner not in (None, user_id):
                raise QuintetError("conflict", "Another account is linked to this one at the provider.")
            if owner is None:
                self._add(tx, user_id, person, now)
                audit.record(tx, "identity_linked", now, subject_id=user_id, issuer=person.issuer)

        await self._store.write(user_id, change)

    def _add(self, tx: Tx, user_id: str, person: Person, now: int) -> None:
        if len(linked.of_user(tx, user_id)) >= linked.MOST_LINKED:
            raise QuintetError("conflict", f"An account has at most {linked.MOST_LINKED} links.")
        linked.add(tx, user_id, person, now)

    def _chance(self) -> str:
        return challenges.token_of(self._sources.token_bytes(SECRET_BYTES))


def cookie_name(state: str) -> str:
    """Of the cookie that one way is bound by; two that are under way in two tabs do not meet."""
    return f"__Host-quintet-way-{sha256(state.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
