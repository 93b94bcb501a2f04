"""Making an account: open to all, by invitation, or not at all.

1. Where addresses have to be confirmed, the answer is the same for a free address and a taken one, after the same work: everything that
   depends on it is done after the answer, and told by letter.
2. An account whose address waits to be confirmed belongs to nobody yet. When it is registered again, whoever reads the address chooses
   the password; none of those that were sent before counts, nor does an earlier letter.
3. No role can be asked for; an invitation may bring one.
"""

from dataclasses import dataclass

from quintet.accounts import audit
from quintet.accounts.by_letter import mail_tokens
from quintet.accounts.by_letter.errands import Errands
from quintet.accounts.by_letter.mail_tokens import Held
from quintet.accounts.config import AccountsConfig
from quintet.accounts.joining import invites
from quintet.accounts.letters import Letter, Post
from quintet.accounts.passwords.passwords import Passwords
from quintet.accounts.people import users
from quintet.accounts.people.emails import Address, address
from quintet.accounts.people.users import User
from quintet.accounts.sessions.entering import Entering, SignedIn, Visitor
from quintet.errors import QuintetError
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["Applicant", "Joining"]


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who wants an account, as it came."""

    email: str
    password: str
    name: str | None = None
    invite: str | None = None


class Joining:
    """Makes accounts."""

    def __init__(
        self,
        store: Store,
        sources: Sources,
        config: AccountsConfig,
        passwords: Passwords,
        entering: Entering,
        errands: Errands,
        post: Post,
    ) -> None:
        self._store = store
        self._sources = sources
        self._config = config
        self._passwords = passwords
        self._entering = entering
        self._errands = errands
        self._post = post

    async def join(self, applicant: Applicant, visitor: Visitor) -> SignedIn | None:
        """Make an account and its first session. None where the address has to be confirmed first, whether or not it was free.

        Raises:
            QuintetError: `email_invalid`, `email_taken`, `password_…`; `forbidden` when sign-up is closed, or without a good invitation.
        """
        invite = self._invitation(applicant)
        parsed = address(applicant.email)
        if invite is not None:
            now = self._sources.now_ms()
            await self._store.read(lambda tx: invites.check(tx, invite, parsed.key, now))
        form = await self._passwords.check(applicant.password, applicant.name, parsed.text)
        if not self._config.verify_email:
            await self._store.read(lambda tx: users.check_vacant(tx, parsed.key))
        stored = await self._passwords.hash(form)
        user = users.new_user(self._sources.new_id("usr"), parsed, applicant.name, stored, self._sources.now_ms())
        epoch = users.new_epoch(self._sources.token_bytes(6))

        def add(tx: Tx) -> None:
            role = user.role if invite is None else invites.use(tx, invite, parsed.key, user.created_at)
            users.add(tx, user._replace(role=role), parsed.key, epoch)
            audit.record(tx, "registered", user.created_at, subject_id=user.id, address=visitor.address)

        if not self._config.verify_email:
            return await self._entering.enter(user.id, visitor, "registration", add)
        token = mail_tokens.token_of(self._sources.token_bytes(mail_tokens.TOKEN_BYTES))

        async def apply() -> None:
            if not self._post.admits("registering", parsed.key):
                return
            known = await self._store.read(lambda tx: users.by_email(tx, parsed.key))
            key = (
                parsed.key if known is None else known.id
            )  # what is somebody's is written in the order of what is theirs
            self._post.send(await self._store.write(key, lambda tx: self._applied(tx, user, parsed, token, add)))

        self._errands.start("registering", apply)
        return None

    def _invitation(self, applicant: Applicant) -> bytes | None:
        """The digest of the invitation, where there is one or has to be."""
        if self._config.sign_up == "closed":
            raise QuintetError("forbidden", "Signing up is closed on this server.")
        if applicant.invite is not None:
            return invites.digest_of(applicant.invite)
        if self._config.sign_up == "invite":
            raise QuintetError("forbidden", "Signing up here needs an invitation.")
        return None

    def _applied(self, tx: Tx, user: User, parsed: Address, token: str, add: users.Change) -> Letter:
        """Do what the address allows, and say it to whoever reads it."""
        now, words = user.created_at, self._post.words
        known = users.by_email(tx, parsed.key)
        if known is None:
            hours = self._config.verify_hours
            add(tx)
            mail_tokens.put(tx, token, Held(user.id, "verify", parsed.text, now + hours * mail_tokens.HOUR_MS), now)
            return words.verify(parsed.text, token, hours)
        if known.email_verified or known.disabled_at is not None:
            return words.known(known.email)
        hours = self._config.verify_hours
        mail_tokens.forget(tx, known.id, "verify")
        mail_tokens.put(tx, token, Held(known.id, "reset", known.email, now + hours * mail_tokens.HOUR_MS), now)
        return words.again(known.email, token, hours)
