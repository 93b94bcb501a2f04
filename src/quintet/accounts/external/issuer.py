"""Another issuer's access tokens: its users are ours, its sessions are not.

1. A token says what it is for: our audience, or it is not for us. An ID token, which is for a client, never passes.
2. A user is made at the first sight of a subject. What the issuer calls a session (`sid`) is what a socket may be renewed in.
3. Signing out is the issuer's: a token is good until it ends. Disabling a user here ends it at once, here.
"""

from contextlib import suppress
from functools import partial
from hashlib import sha256
from typing import Any

from quintet.accounts import audit
from quintet.accounts.elsewhere import Issuer
from quintet.accounts.external import linked
from quintet.accounts.external.believing import LONGEST_NAME, believed, check_times, unverified_issuer
from quintet.accounts.external.keysets import KeySet
from quintet.accounts.external.linked import Person
from quintet.accounts.external.metadata import Metadata
from quintet.accounts.external.people import confirmed_address
from quintet.accounts.people import users
from quintet.errors import QuintetError
from quintet.scope import Identity, Kind
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["ForeignIssuer"]

USED_MS = 60_000
_TYPES = frozenset({None, "JWT", "at+jwt", "application/at+jwt"})

_STANDING = """
    SELECT u.id, u.disabled_at, h.auth_rev, e.used_at
    FROM external_identities e JOIN users u ON u.id = e.user_id JOIN heads h ON h.user_id = e.user_id
    WHERE e.issuer = ? AND e.subject = ?
"""


class ForeignIssuer:
    """Recognises the access tokens of one issuer. `leeway` is what clocks may differ, in seconds."""

    kind: Kind = "issuer"

    def __init__(self, store: Store, sources: Sources, issuer: Issuer, leeway: int) -> None:
        self._store = store
        self._sources = sources
        self._issuer = issuer
        self._leeway = leeway
        self._metadata = Metadata(issuer.url, sources)
        self._keys = KeySet(self._published_at, sources)

    def knows(self, token: str) -> bool:
        """Whether the token means to be of this issuer."""
        return unverified_issuer(token) == self._issuer.url

    async def authenticate(self, token: str) -> Identity:
        """Whom the token speaks for; somebody who was never here before gets an account.

        Raises:
            QuintetError: `invalid_token`, `token_expired`, `session_revoked` for a disabled user; `unavailable` while the issuer's keys
                are not known, and what the store raises.
        """
        header, claims = await believed(token, self._keys, self._issuer.algorithms)
        if header.get("typ") not in _TYPES or claims.get("iss") != self._issuer.url or not self._is_for_us(claims):
            raise QuintetError("invalid_token")
        now = self._sources.now_ms()
        expires_at = check_times(claims, now // 1000, self._leeway, self._issuer.longest)
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 1 <= len(subject) <= LONGEST_NAME:
            raise QuintetError("invalid_token")
        user_id, disabled_at, auth_rev = await self._user(subject, claims, now)
        if disabled_at is not None:
            raise QuintetError("session_revoked")
        return Identity(user_id, self._session(claims, subject), expires_at, auth_rev, kind="issuer")

    async def still_valid(self, identity: Identity) -> bool:
        """Whether the user is still there, not disabled, and still somebody whom the issuer knows, by a new read."""
        query = "SELECT 1 FROM external_identities WHERE user_id = ? AND issuer = ?"

        def stands(tx: Tx) -> bool:
            user = users.by_id(tx, identity.user_id)
            linked_here = tx.sql(query, (identity.user_id, self._issuer.url)).fetchone() is not None
            return user is not None and user.disabled_at is None and linked_here

        return await self._store.read(stands)

    async def _published_at(self) -> str:
        return self._issuer.jwks_url or await self._metadata.address("jwks_uri")

    def _is_for_us(self, claims: dict[str, Any]) -> bool:
        audience = claims.get("aud")
        return audience == self._issuer.audience or (isinstance(audience, list) and self._issuer.audience in audience)

    def _session(self, claims: dict[str, Any], subject: str) -> str:
        named = claims.get("sid")
        text = named if isinstance(named, str) and named else subject
        return "iss_" + sha256(f"{self._issuer.url}\n{text}".encode()).hexdigest()[:24]

    async def _user(self, subject: str, claims: dict[str, Any], now: int) -> tuple[str, int | None, int]:
        row = await self._store.read(lambda tx: self._standing(tx, subject))
        if row is None:
            name = claims.get("name")
            person = Person(
                self._issuer.url, subject, confirmed_address(claims), name if isinstance(name, str) else None
            )
            row = await self._store.write(f"{self._issuer.url}\n{subject}", partial(self._first, person, now))
        elif now - row[3] > USED_MS:
            with suppress(QuintetError):  # a store that cannot just now is no reason to refuse
                await self._store.write(row[0], lambda tx: linked.owner(tx, self._issuer.url, subject, now) and None)
        return row[:3]

    def _standing(self, tx: Tx, subject: str) -> tuple[str, int | None, int, int] | None:
        row: tuple[str, int | None, int, int] | None = tx.sql(_STANDING, (self._issuer.url, subject)).fetchone()
        return row

    def _first(self, person: Person, now: int, tx: Tx) -> tuple[str, int | None, int, int]:
        if self._standing(tx, person.subject) is None:  # else another request was quicker
            user_id = self._sources.new_id("usr")
            linked.new_account(tx, user_id, person, users.new_epoch(self._sources.token_bytes(6)), now, trusted=True)
            audit.record(tx, "registered", now, subject_id=user_id, by=person.issuer)
        row = self._standing(tx, person.subject)
        assert row is not None
        return row
