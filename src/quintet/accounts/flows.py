"""The sign-in flows: login, refresh, logout; and the parts that do the rest.

1. What is refused for its form costs nothing.
2. Chance, clock and hashes come before the transaction; it decides by what it reads, since the world went on while we hashed.
"""

from functools import partial

from quintet.accounts import audit
from quintet.accounts.admin import Desk
from quintet.accounts.by_letter.errands import Errands
from quintet.accounts.by_letter.newcomers import Newcomers
from quintet.accounts.by_letter.recovery import Recovery
from quintet.accounts.by_letter.verification import Verification
from quintet.accounts.config import AccountsConfig
from quintet.accounts.external.exchange import Exchange
from quintet.accounts.external.issuer import ForeignIssuer
from quintet.accounts.external.signing_in import SigningIn
from quintet.accounts.factors import FactorRequiredError, Passkeys, SecondFactor
from quintet.accounts.joining.joining import Joining
from quintet.accounts.keys.resealing import reseal_factors
from quintet.accounts.keys.sealing import Secrets
from quintet.accounts.letters import Courier, Post, Wording
from quintet.accounts.machines.key_entry import KeyEntry
from quintet.accounts.machines.programs import Programs
from quintet.accounts.own.erasing import Erasing
from quintet.accounts.own.exporting import Exporting
from quintet.accounts.own.own import OwnAccount
from quintet.accounts.passwords.confirmation import Confirmation
from quintet.accounts.passwords.credentials import Credentials
from quintet.accounts.passwords.passwords import Passwords
from quintet.accounts.passwords.pool import BoundedPool
from quintet.accounts.people import users
from quintet.accounts.people.emails import address
from quintet.accounts.people.users import User
from quintet.accounts.sessions import refresh
from quintet.accounts.sessions.entering import Entering, Pair, SignedIn, UnconfirmedError, Visitor
from quintet.accounts.sessions.identities import Door, Identities
from quintet.accounts.sessions.refresh import Found
from quintet.edge.limits import Throttle
from quintet.errors import QuintetError
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["Accounts", "Pair", "SignedIn"]

_NO_SESSION = frozenset({"invalid_token", "token_expired", "session_revoked"})


class Accounts:
    """Everything about who speaks. `start` comes before use; `own` is what a signed-in user does with their account.

    Besides the codes named, every method raises QuintetError `busy`, `unavailable` or `storage_full` of the store and the pool.
    """

    def __init__(
        self,
        store: Store,
        sources: Sources,
        secret: Secrets,
        config: AccountsConfig,
        courier: Courier | None = None,
    ) -> None:
        self.config = config
        self.identities = Identities(store, sources, secret, config, _doors(store, sources, config))
        self.authenticate = self.identities.authenticate
        self.still_valid = self.identities.still_valid
        self._secrets = secret
        self._store = store
        self._sources = sources
        self._pool = BoundedPool(config.hash_at_once, config.hash_waiting, config.hash_seconds)
        self._passwords = Passwords.configured(self._pool, sources, config)
        failures = Throttle(config.failures_per_account, sources.monotonic)
        self._credentials = Credentials(self._passwords, failures)
        self._attempt_keys = secret.derived("refresh attempts")
        self._durations = refresh.Durations(
            idle=config.refresh_idle_seconds * 1000,
            parallel=config.refresh_parallel_seconds * 1000,
            repeat=config.refresh_repeat_seconds * 1000,
        )
        self.entering = Entering(store, sources, config, self.identities, self._attempt_keys)
        self.own = OwnAccount(store, sources, self._passwords, self._credentials)
        self.confirmation = Confirmation(store, sources, self._passwords, self._credentials, config)
        self.second = SecondFactor(store, sources, secret, config, self.confirmation)
        self.passkeys = Passkeys(store, sources, self._pool, config, self.confirmation)
        self.exporting = Exporting(store, sources)
        self.erasing = Erasing(store, sources)
        self.desk = Desk(store, sources, self.confirmation)
        self._add_letters(courier)
        self.signing_in = SigningIn(store, sources, config, self.entering, _exchanges(config, sources))
        self.programs = Programs(store, sources, self.identities, config)

    def _add_letters(self, courier: Courier | None) -> None:
        """What is done by letter, and after an answer."""
        store, sources, config = self._store, self._sources, self.config
        self.courier = courier
        self.errands = Errands()
        self.post = Post(courier.take if courier else None, Wording(config.site), _letters(config, sources))
        self.joining = Joining(store, sources, config, self._passwords, self.entering, self.errands, self.post)
        self.verification = Verification(store, sources, config, self.confirmation, self.post)
        self.recovery = Recovery(store, sources, config, self._passwords, self.errands, self.post)
        self._newcomers = Newcomers(store, self.errands, self.post)

    async def start(self) -> None:
        """Read the signing keys, or make the first, and follow them from now on. Deletions that were begun are finished first."""
        await self.erasing.catch_up()
        self.erasing.finishing.start()
        await self.identities.load()
        await reseal_factors(self._store, self._sources, self._secrets)
        self.identities.watching.start()
        self._newcomers.start()

    async def close(self) -> None:
        """Stop the hashing threads, what is done again and again, and what is still to be done or sent."""
        self._newcomers.close()
        await self.erasing.finishing.close()
        await self.identities.watching.close()
        await self.errands.settle()
        if self.courier is not None:
            await self.courier.close()
        self._pool.close()

    async def login(self, email: str, password: str, visitor: Visitor) -> SignedIn:
        """Open a session.

        Raises:
            QuintetError: `credentials_wrong`, `rate_limited`, `email_invalid`; `forbidden` for a disabled user; `factor_required` with the
                token of the next step.
            UnconfirmedError: the address has to be confirmed first; a letter goes to it again.
        """
        parsed = address(email)
        form = self._passwords.normalised(password)
        user = await self._store.read(lambda tx: users.by_email(tx, parsed.key))
        try:
            await self._credentials.prove(parsed.key, user.password_hash if user else None, form)
        except QuintetError as refusal:
            if user is not None and refusal.code == "credentials_wrong":
                self._note_failure(user, visitor)
            raise
        if user is None:
            raise QuintetError("credentials_wrong")
        known = user.password_hash
        fresh = await self._passwords.hash(form) if self._passwords.is_outdated(known) else known

        def unchanged(tx: Tx) -> None:
            if not users.set_password(tx, user.id, known, fresh):
                raise QuintetError("credentials_wrong")
            self.second.required(tx, user.id)

        try:
            return await self.entering.enter(user.id, visitor, "password", unchanged)
        except FactorRequiredError:
            raise await self.second.pending(user, fresh, visitor) from None
        except UnconfirmedError:
            self.errands.start("confirming an address", partial(self.verification.ask, user.id))
            raise

    async def refresh(self, token: str, attempt_id: str | None) -> Pair:
        """Use a refresh token. The same token in the same attempt gives the same answer again, for a minute.

        Raises:
            QuintetError: `invalid_token`, `token_expired`, `session_revoked`, `refresh_conflict`, `refresh_reused`.
        """
        found = await self._owner(token)
        if found is None:
            raise QuintetError("invalid_token")
        if attempt_id is None:
            following, attempt = [refresh.token_of(self._sources.token_bytes(refresh.TOKEN_BYTES))], None
        else:
            following = [refresh.successor(key, token, attempt_id) for key in self._attempt_keys]
            attempt = refresh.digest_of(attempt_id)
        digests = tuple(map(refresh.digest_of, following))
        use = refresh.Use(refresh.digest_of(token), digests, attempt, self._sources.now_ms())
        made = await self._store.write(found.user_id, lambda tx: refresh.rotate(tx, found, use, self._durations))
        if made is None:
            raise QuintetError("refresh_reused")  # outside, so that the ending of the session is kept
        return self.entering.pair(found, following[made.successor], made.at, made.successor)

    async def logout(self, access_token: str | None, refresh_token: str | None) -> None:
        """End the sessions of whatever valid tokens are given; none at all is fine."""
        found = {await self._session_of(access_token) if access_token else None}
        found.add(await self._owner(refresh_token) if refresh_token else None)
        for session in sorted(found - {None}, key=str):
            assert session is not None
            await self.own.end_session(session.user_id, session.session_id)

    async def _session_of(self, access_token: str) -> Found | None:
        try:
            identity = await self.authenticate(access_token)
        except QuintetError as refusal:
            if refusal.code not in _NO_SESSION:  # the store's trouble must not look like a sign-out
                raise
            return None
        return Found(identity.user_id, identity.session_id)

    async def _owner(self, token: str) -> Found | None:
        if not refresh.is_token(token):
            return None
        digest = refresh.digest_of(token)
        return await self._store.read(lambda tx: refresh.find(tx, digest))

    def _note_failure(self, user: User, visitor: Visitor) -> None:
        """For the audit, beside the answer: waiting for it would tell by the time that there is such a user."""
        now = self._sources.now_ms()

        def note(tx: Tx) -> None:
            there = users.by_id(tx, user.id)
            if there is not None and there.role != users.DELETED:  # of a deleted account no address is kept
                audit.record(tx, "sign_in_failed", now, subject_id=user.id, address=visitor.address)

        self._store.submit(user.id, note)


def _doors(store: Store, sources: Sources, config: AccountsConfig) -> list[Door]:
    doors: list[Door] = [KeyEntry(store, sources)]
    if config.foreign_issuer is not None:
        doors.append(ForeignIssuer(store, sources, config.foreign_issuer, config.leeway_seconds))
    return doors


def _exchanges(config: AccountsConfig, sources: Sources) -> dict[str, Exchange]:
    return {
        provider.name: Exchange(
            provider, f"{config.site}/v1/auth/oidc/{provider.name}/callback", sources, config.leeway_seconds
        )
        for provider in config.providers
    }


def _letters(config: AccountsConfig, sources: Sources) -> Throttle:
    return Throttle(config.letters_per_account, sources.monotonic)
