"""Passkeys (WebAuthn): made by a signed-in user, and a way in without a password.

1. A challenge is good once, for the ceremony it was made for, and where it adds a passkey, for the user who asked.
2. An authenticator that counts must count up. One that goes back may have been copied: it is refused, and the audit says so.
3. Everything is parsed and verified in a thread of the bounded pool; the transaction decides by what it reads.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from quintet.accounts import audit
from quintet.accounts.config import AccountsConfig
from quintet.accounts.factors import ceremony
from quintet.accounts.factors import passkey_rows as rows
from quintet.accounts.factors.passkey_rows import Passkey
from quintet.accounts.factors.relying import Page, RelyingParty
from quintet.accounts.passwords.confirmation import Confirmation, Confirmed, check_proof
from quintet.accounts.passwords.pool import BoundedPool
from quintet.accounts.sessions import challenges, sessions
from quintet.accounts.sessions.challenges import Challenge
from quintet.accounts.sessions.entering import Entering, SignedIn, Visitor
from quintet.errors import QuintetError
from quintet.scope import Identity
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["Passkeys"]

ADDING = "passkey_add"
ENTERING = "passkey_in"
_TOO_LATE = "This took too long, or was answered before. Begin again."

T = TypeVar("T")


class Passkeys:
    """A server's passkeys. Every method also raises QuintetError `busy`, `unavailable`, `storage_full`."""

    def __init__(
        self, store: Store, sources: Sources, pool: BoundedPool, config: AccountsConfig, confirmation: Confirmation
    ) -> None:
        self._store = store
        self._sources = sources
        self._pool = pool
        self._confirmation = confirmation
        self._seconds = config.pending_seconds
        self._product = config.product
        self._relying = RelyingParty(config.public_url)

    async def list(self, user_id: str) -> list[Passkey]:
        """A user's, the oldest first."""
        return await self._store.read(lambda tx: rows.of_user(tx, user_id))

    async def creation(self, identity: Identity, password: str | None, host: str) -> dict[str, Any]:
        """What the user's browser needs to make one.

        Raises:
            QuintetError: `forbidden` where no passkey can be, `conflict` for too many; what a confirmation raises.
        """
        page = self._relying.page(host)
        confirmed = await self._confirmation.confirm(identity, password)
        user = confirmed.user
        known = await self.list(user.id)
        if len(known) >= rows.MOST:
            raise QuintetError(
                "conflict", f"You have {rows.MOST} passkeys, which is all there can be. Remove one first."
            )
        challenge = await self._challenge(ADDING, confirmed)
        shown = (user.id, user.email, user.name or user.email)
        credentials = [passkey.credential for passkey in known]
        return await self._pool.run(ceremony.creation_options, page, self._product, shown, challenge, credentials)

    async def add(
        self, identity: Identity, name: str, credential: dict[str, Any], host: str, address: str | None
    ) -> Passkey:
        """Keep the passkey that a browser has made.

        Raises:
            QuintetError: `passkey_wrong`, `forbidden`, `conflict`.
        """
        page = self._relying.page(host)
        challenge, found = await self._answered(ADDING, credential, identity.user_id)
        made = await self._pool.run(ceremony.verify_new, page, credential, challenge)
        now = self._sources.now_ms()
        passkey = Passkey(identity.user_id, self._sources.new_id("psk"), *made, name, now)

        def keep(tx: Tx) -> None:
            sessions.check(tx, identity, now)
            check_proof(tx, identity.user_id, found.data.get("proved"))
            if rows.by_credential(tx, passkey.credential) is not None or rows.count(tx, passkey.user_id) >= rows.MOST:
                raise QuintetError("conflict", "This passkey is known already, or there are too many.")
            rows.add(tx, passkey)
            audit.record(tx, "passkey_added", now, subject_id=passkey.user_id, address=address, passkey=passkey.id)

        await self._store.write(identity.user_id, keep)
        return passkey

    async def rename(self, user_id: str, passkey_id: str, name: str, address: str | None) -> None:
        """Give one another name. Raises QuintetError `not_found`."""
        await self._change(
            user_id, passkey_id, "passkey_renamed", address, lambda tx: rows.rename(tx, user_id, passkey_id, name)
        )

    async def remove(self, identity: Identity, passkey_id: str, password: str | None, address: str | None) -> None:
        """Take one away. Raises QuintetError `not_found`; what a confirmation raises."""
        user_id = identity.user_id
        if passkey_id not in {passkey.id for passkey in await self.list(user_id)}:
            raise QuintetError("not_found")
        confirmed = await self._confirmation.confirm(identity, password)

        def take(tx: Tx) -> bool:
            confirmed.check(tx)
            return rows.remove(tx, user_id, passkey_id)

        await self._change(user_id, passkey_id, "passkey_removed", address, take)

    async def request(self, host: str) -> dict[str, Any]:
        """What a browser needs to sign in with one. Raises QuintetError `forbidden` where no passkey can be."""
        page = self._relying.page(host)
        return await self._pool.run(ceremony.request_options, page, await self._challenge(ENTERING))

    async def enter(self, credential: dict[str, Any], host: str, visitor: Visitor, entering: Entering) -> SignedIn:
        """Open a session for whoever holds the passkey.

        Raises:
            QuintetError: `passkey_wrong`; what entering raises.
        """
        page = self._relying.page(host)
        challenge, _ = await self._answered(ENTERING, credential, None)
        credential_id = ceremony.credential_in(credential)
        known = await self._store.read(lambda tx: rows.by_credential(tx, credential_id))
        if known is None:
            raise QuintetError("passkey_wrong")
        count = await self._proved(page, credential, challenge, known)
        await self._count(known, count, visitor.address)
        return await entering.enter(known.user_id, visitor, "passkey", lambda tx: _still_there(tx, known))

    async def _proved(self, page: Page, credential: dict[str, Any], challenge: bytes, known: Passkey) -> int:
        found = await self._pool.run(ceremony.verify, page, credential, challenge, known.public_key)
        return found.sign_count

    async def _count(self, known: Passkey, count: int, address: str | None) -> None:
        """Note the use; a count that does not go up is refused, which the audit keeps."""
        now = self._sources.now_ms()

        def note(tx: Tx) -> bool:
            current = rows.by_credential(tx, known.credential)
            if current is None:
                return False
            if (count or current.sign_count) and count <= current.sign_count:
                audit.record(tx, "passkey_refused", now, subject_id=known.user_id, address=address, passkey=known.id)
                return False
            rows.used(tx, current, count, now)
            return True

        if not await self._store.write(known.user_id, note):
            raise QuintetError("passkey_wrong")

    async def _challenge(self, kind: str, confirmed: Confirmed | None = None) -> bytes:
        challenge, now = self._sources.token_bytes(challenges.TOKEN_BYTES), self._sources.now_ms()
        digest = challenges.digest_of(challenge.hex())
        user_id, data = (confirmed.user.id, {"proved": confirmed.proof}) if confirmed else (None, {})

        def put(tx: Tx) -> None:
            if confirmed is not None:
                confirmed.check(tx)
            challenges.put(tx, kind, digest, data, now, self._seconds, user_id)

        await self._store.write(user_id or "", put)
        return challenge

    async def _answered(self, kind: str, credential: dict[str, Any], user_id: str | None) -> tuple[bytes, Challenge]:
        """The challenge that is answered, which is over with it, and what was remembered with it."""
        challenge, now = await self._pool.run(ceremony.challenge_in, credential), self._sources.now_ms()
        digest = challenges.digest_of(challenge.hex())
        found = await self._store.write(user_id or "", lambda tx: challenges.spend(tx, kind, digest, now))
        if found is None or found.user_id != user_id:
            raise QuintetError("passkey_wrong", _TOO_LATE)
        return challenge, found

    async def _change(
        self, user_id: str, passkey_id: str, action: str, address: str | None, change: Callable[[Tx], bool]
    ) -> None:
        now = self._sources.now_ms()

        def write(tx: Tx) -> bool:
            changed = change(tx)
            if changed:
                audit.record(tx, action, now, subject_id=user_id, address=address, passkey=passkey_id)
            return changed

        if not await self._store.write(user_id, write):
            raise QuintetError("not_found")


def _still_there(tx: Tx, known: Passkey) -> None:
    if rows.by_credential(tx, known.credential) is None:
        raise QuintetError("passkey_wrong")
