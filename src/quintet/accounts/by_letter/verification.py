"""Whose an address is: confirmed by a letter, and changed by one.

1. The letter goes to the address in question, its token proves that somebody reads it. Looking at the link uses nothing up.
2. A change asks for the password, and is told to the old address twice: before and after.
3. Whether another account has the new address is told to that address alone.
"""

from functools import partial

from quintet.accounts import audit
from quintet.accounts.by_letter import mail_tokens
from quintet.accounts.by_letter.mail_tokens import Held
from quintet.accounts.config import AccountsConfig
from quintet.accounts.letters import Letter, Post
from quintet.accounts.passwords.confirmation import Confirmation, Confirmed
from quintet.accounts.people import users
from quintet.accounts.people.emails import Address, address
from quintet.errors import QuintetError
from quintet.scope import Identity
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["Verification"]


class Verification:
    """Confirms addresses."""

    def __init__(
        self,
        store: Store,
        sources: Sources,
        config: AccountsConfig,
        confirmation: Confirmation,
        post: Post,
    ) -> None:
        self._store = store
        self._sources = sources
        self._hours = config.verify_hours
        self._confirmation = confirmation
        self._post = post

    async def ask(self, user_id: str) -> None:
        """Write to the user's address to have it confirmed; nothing where it is already."""
        if not self._post.admits("verify", user_id):
            return
        work = partial(self._asked, user_id=user_id, token=self._token(), now=self._sources.now_ms())
        letter = await self._store.write(user_id, work)
        if letter is not None:
            self._post.send(letter)

    async def change(self, identity: Identity, email: str, password: str | None, caller: str | None) -> None:
        """Ask for another address, or for a letter to one's own.

        Raises:
            QuintetError: `email_invalid`; `credentials_wrong`, `rate_limited`, `forbidden`, `busy` of whoever cannot show who they are.
        """
        parsed = address(email)
        confirmed = await self._confirmation.confirm(identity, password)
        user = confirmed.user
        if parsed.key == user.email.casefold():
            return await self.ask(user.id)
        if not (self._post.admits("change", user.id) and self._post.admits("change", parsed.key)):
            return None
        now = self._sources.now_ms()
        work = partial(self._change_asked, confirmed=confirmed, new=parsed, token=self._token(), now=now, caller=caller)
        for letter in await self._store.write(user.id, work):
            self._post.send(letter)
        return None

    async def verify(self, token: str, caller: str | None) -> None:
        """Use the token of a letter: the address it went to is confirmed, or takes the place of the old one.

        Raises:
            QuintetError: `invalid_token`, `token_expired`; `email_taken` when another account was quicker.
        """
        digest = mail_tokens.digest_of(token)
        now = self._sources.now_ms()
        before = await self._store.read(lambda tx: mail_tokens.find(tx, digest, now))

        def confirm(tx: Tx) -> str | None:
            held = mail_tokens.spend(tx, digest, now, "verify", "address")
            user = users.by_id(tx, held.user_id)
            if user is None or user.disabled_at is not None:
                raise QuintetError("invalid_token")
            if held.purpose == "verify":
                users.confirm_email(tx, user.id)
                audit.record(tx, "email_verified", now, subject_id=user.id, address=caller)
                return None
            users.set_email(tx, user.id, address(held.email))
            mail_tokens.forget(tx, user.id)  # what was sent to the old address says nothing about the new one
            audit.record(tx, "email_changed", now, subject_id=user.id, address=caller)
            return user.email

        old = await self._store.write(before.user_id, confirm)
        if old is not None:
            self._post.send(self._post.words.changed(old))

    def _asked(self, tx: Tx, user_id: str, token: str, now: int) -> Letter | None:
        user = users.by_id(tx, user_id)
        if user is None or user.email_verified:
            return None
        mail_tokens.put(tx, token, self._held(user.id, "verify", user.email, now), now)
        return self._post.words.verify(user.email, token, self._hours)

    def _change_asked(
        self, tx: Tx, confirmed: Confirmed, new: Address, token: str, now: int, caller: str | None
    ) -> list[Letter]:
        confirmed.check(tx)
        words, user = self._post.words, confirmed.user
        audit.record(tx, "email_change_asked", now, subject_id=user.id, address=caller)
        if users.by_email(tx, new.key) is not None:
            mail_tokens.forget(tx, user.id, "address")
            return [words.known(new.text), words.change_asked(user.email)]
        mail_tokens.put(tx, token, self._held(user.id, "address", new.text, now), now)
        return [words.change(new.text, token, self._hours), words.change_asked(user.email)]

    def _held(self, user_id: str, purpose: mail_tokens.Purpose, email: str, now: int) -> Held:
        return Held(user_id, purpose, email, now + self._hours * mail_tokens.HOUR_MS)

    def _token(self) -> str:
        return mail_tokens.token_of(self._sources.token_bytes(mail_tokens.TOKEN_BYTES))
