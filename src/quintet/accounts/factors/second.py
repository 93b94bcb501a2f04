"""The second factor: added, asked for at sign-in, taken away.

1. Whoever changes it confirms who they are, by the password where there is one.
2. A sign-in whose password was right gets a token for the next step, which opens nothing by itself and lives for minutes. Five wrong
   codes end it; ten in an hour end trying for that account, also where many are sent at once. All of them are in the audit.
   It is worth nothing once the password is another one.
3. What a wrong code has to leave behind is committed; the refusal is raised after that.
"""

from functools import partial
from typing import Any, NamedTuple

from quintet.accounts import audit
from quintet.accounts.config import AccountsConfig
from quintet.accounts.factors import codes
from quintet.accounts.factors.picture import squares
from quintet.accounts.keys.resealing import PURPOSE
from quintet.accounts.keys.sealing import NONCE_BYTES, Box, Secrets
from quintet.accounts.passwords.confirmation import Confirmation, proof_of
from quintet.accounts.people import users
from quintet.accounts.people.users import User
from quintet.accounts.sessions import challenges, sessions
from quintet.accounts.sessions.entering import Entering, SignedIn, Visitor
from quintet.edge.limits import Throttle
from quintet.errors import QuintetError
from quintet.scope import Identity
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["Enrolment", "FactorRequiredError", "FactorStanding", "SecondFactor"]

KIND = "factor"
_OVER = "This sign-in has taken too long. Begin again."
WRONG_CODES = 5


class Enrolment(NamedTuple):
    """What an authenticator needs: the secret in base 32, its address, and that as a picture of squares."""

    secret: str
    uri: str
    qr: list[str]


class FactorStanding(NamedTuple):
    """Whether a second factor is on, since when (milliseconds since 1970), and how many recovery codes are left."""

    on: bool
    since: int | None = None
    recovery_codes_left: int = 0


class FactorRequiredError(QuintetError):
    """The password was right, and a code is asked for."""

    def __init__(self) -> None:
        super().__init__("factor_required")


class _Step(NamedTuple):
    """What became of a code: how it was used, or that the step is over with it."""

    user_id: str | None
    used: codes.Used | None = None
    over: bool = False


class SecondFactor:
    """Codes of an authenticator, and recovery codes. Every method also raises QuintetError `busy`, `unavailable`, `storage_full`."""

    def __init__(
        self, store: Store, sources: Sources, secrets: Secrets, config: AccountsConfig, confirmation: Confirmation
    ) -> None:
        self._store = store
        self._sources = sources
        self._box = Box(secrets, PURPOSE)
        self._seconds = config.pending_seconds
        self._name = config.product
        self._confirmation = confirmation
        self._failures = Throttle(config.code_failures_per_account, sources.monotonic)

    async def standing(self, user_id: str) -> FactorStanding:
        """What a user is shown of it."""

        def read(tx: Tx) -> FactorStanding:
            found = codes.factor_of(tx, user_id)
            if found is None or found.confirmed_at is None:
                return FactorStanding(False)
            return FactorStanding(True, found.confirmed_at, codes.left(tx, user_id))

        return await self._store.read(read)

    # --- adding and taking away ---------------------------------------------------------------------------------------

    async def enrol(self, identity: Identity, email: str, password: str | None) -> Enrolment:
        """Begin to add an authenticator; it is asked for once `confirm` was given a code of it.

        Raises:
            QuintetError: `conflict` where one is on; what a confirmation raises.
        """
        from pyotp import TOTP

        confirmed = await self._confirmation.confirm(identity, password)
        secret = self._sources.token_bytes(codes.SECRET_BYTES)
        sealed = self._box.seal(secret, identity.user_id, self._sources.token_bytes(NONCE_BYTES))
        now = self._sources.now_ms()

        def begin(tx: Tx) -> bool:
            confirmed.check(tx)
            return codes.begin(tx, identity.user_id, sealed, now)

        if not await self._store.write(identity.user_id, begin):
            raise QuintetError("conflict", "A second factor is on already. Switch it off first.")
        text = codes.base32(secret)
        uri = TOTP(text).provisioning_uri(name=email, issuer_name=self._name)
        return Enrolment(text, uri, squares(uri))

    async def confirm(self, identity: Identity, code: str, address: str | None) -> list[str]:
        """Switch the authenticator on that is being added; answers the recovery codes, which nobody can read again.

        Raises:
            QuintetError: `code_wrong`, `rate_limited`; `conflict` where none is being added.
        """
        user_id = identity.user_id
        self._failures.check(user_id)
        fresh, nonce, now = self._fresh_codes(), self._sources.token_bytes(NONCE_BYTES), self._sources.now_ms()

        def switch_on(tx: Tx) -> bool:
            sessions.check(tx, identity, now)
            found = codes.factor_of(tx, user_id)
            if found is None or found.confirmed_at is not None:
                raise QuintetError("conflict", "No second factor is being added.")
            if codes.use(tx, self._box, user_id, code, now, nonce) != "totp":
                return False
            codes.confirm(tx, user_id, now)
            codes.add_codes(tx, user_id, fresh)
            audit.record(tx, "factor_added", now, subject_id=user_id, address=address)
            return True

        if not await self._store.write(user_id, switch_on):
            self._failures.take(user_id)
            raise QuintetError("code_wrong")
        return fresh

    async def renew_codes(self, identity: Identity, password: str | None, address: str | None) -> list[str]:
        """New recovery codes; the earlier ones are good for nothing any more. Raises QuintetError `conflict` where no factor is on."""
        confirmed = await self._confirmation.confirm(identity, password)
        fresh, now = self._fresh_codes(), self._sources.now_ms()

        def renew(tx: Tx) -> None:
            confirmed.check(tx)
            if not codes.is_on(tx, identity.user_id):
                raise QuintetError("conflict", "No second factor is on.")
            codes.add_codes(tx, identity.user_id, fresh)
            audit.record(tx, "recovery_codes_made", now, subject_id=identity.user_id, address=address)

        await self._store.write(identity.user_id, renew)
        return fresh

    async def remove(self, identity: Identity, password: str | None, address: str | None) -> None:
        """Switch it off; harmless where none is on."""
        confirmed = await self._confirmation.confirm(identity, password)
        now = self._sources.now_ms()

        def switch_off(tx: Tx) -> None:
            confirmed.check(tx)
            if codes.remove(tx, identity.user_id):
                audit.record(tx, "factor_removed", now, subject_id=identity.user_id, address=address)

        await self._store.write(identity.user_id, switch_off)

    # --- at sign-in ---------------------------------------------------------------------------------------------------

    def required(self, tx: Tx, user_id: str) -> None:
        """For the transaction that opens a session by password. Raises `FactorRequiredError`."""
        if codes.is_on(tx, user_id):
            raise FactorRequiredError

    async def pending(self, user: User, fresh: str, visitor: Visitor) -> QuintetError:
        """The refusal that a sign-in goes on from: it carries the token for `complete`. `fresh` is kept in place of the user's hash.

        Raises:
            QuintetError: `credentials_wrong` where the password was changed meanwhile.
        """
        token, now = challenges.token_of(self._sources.token_bytes(challenges.TOKEN_BYTES)), self._sources.now_ms()
        data: dict[str, Any] = {"wrong": 0, "device": visitor.device, "proved": proof_of(fresh)}
        digest = challenges.digest_of(token)

        def put(tx: Tx) -> None:
            if not users.set_password(tx, user.id, user.password_hash, fresh):
                raise QuintetError("credentials_wrong")
            challenges.put(tx, KIND, digest, data, now, self._seconds, user.id)

        await self._store.write(user.id, put)
        return QuintetError("factor_required", more={"pending_token": token, "expires_in": self._seconds})

    async def complete(self, token: str, code: str, visitor: Visitor, entering: Entering) -> SignedIn:
        """Open the session that a right password was promised.

        Raises:
            QuintetError: `code_wrong`, `rate_limited`; `invalid_token` for a step that is over; what entering raises.
        """
        digest, nonce, now = challenges.digest_of(token), self._sources.token_bytes(NONCE_BYTES), self._sources.now_ms()
        found = await self._store.read(lambda tx: challenges.find(tx, KIND, digest, now))
        if found is None or found.user_id is None:
            raise QuintetError("invalid_token", _OVER)
        self._failures.check(found.user_id)
        take = partial(self._take, digest=digest, code=code, now=now, nonce=nonce, address=visitor.address)
        step = await self._store.write(found.user_id, take)
        if step.user_id is None:
            raise QuintetError("invalid_token", _OVER)
        if step.used is None:
            self._failures.take(step.user_id)
            raise QuintetError("code_wrong", "Too many wrong codes. Begin again." if step.over else None)
        self._failures.check(step.user_id)  # of a hundred at once only the first few learn anything
        device, proved = visitor.device or found.data.get("device"), found.data.get("proved")

        def unchanged(tx: Tx) -> None:
            user = users.by_id(tx, step.user_id or "")
            if user is None or proof_of(user.password_hash) != proved:
                raise QuintetError("invalid_token", _OVER)

        return await entering.enter(step.user_id, visitor._replace(device=device), f"password+{step.used}", unchanged)

    def _take(self, tx: Tx, *, digest: bytes, code: str, now: int, nonce: bytes, address: str | None) -> _Step:
        found = challenges.find(tx, KIND, digest, now)  # again: another request may have been quicker
        if found is None or found.user_id is None:
            return _Step(None)
        user_id = found.user_id
        used = codes.use(tx, self._box, user_id, code, now, nonce)
        if used is not None:
            challenges.spend(tx, KIND, digest, now)
            if used == "recovery":
                remain = codes.left(tx, user_id)
                audit.record(tx, "recovery_code_used", now, subject_id=user_id, address=address, left=remain)
            return _Step(user_id, used)
        wrong = int(found.data["wrong"]) + 1
        audit.record(tx, "factor_failed", now, subject_id=user_id, address=address)
        if wrong >= WRONG_CODES:
            challenges.spend(tx, KIND, digest, now)
            return _Step(user_id, over=True)
        challenges.amend(tx, digest, {**found.data, "wrong": wrong})
        return _Step(user_id)

    def _fresh_codes(self) -> list[str]:
        return [codes.recovery_code(self._sources.token_bytes(codes.CODE_BYTES)) for _ in range(codes.CODES)]
