"""A forgotten password: a letter, and a new one.

1. Asking is answered before anything is looked up, so neither bytes nor time tell whether there is such an account.
2. A new password ends every session and every other letter: whoever was in is out.
3. Reading the address proves it. An account whose address was never confirmed may have been made by somebody else: every other way into
   it goes with its password.
"""

from functools import partial

from sqlalchemy import delete

from quintet.accounts import audit
from quintet.accounts.by_letter import mail_tokens
from quintet.accounts.by_letter.errands import Errands
from quintet.accounts.by_letter.mail_tokens import Held
from quintet.accounts.config import AccountsConfig
from quintet.accounts.letters import Letter, Post
from quintet.accounts.machines import api_keys
from quintet.accounts.passwords.passwords import Passwords
from quintet.accounts.people import users
from quintet.accounts.people.emails import Address, address
from quintet.accounts.people.users import User
from quintet.accounts.sessions import sessions
from quintet.errors import QuintetError
from quintet.sources import Sources
from quintet.store import Store, Tx, tables

__all__ = ["Recovery"]

_WAYS_IN = (
    tables.api_keys,
    tables.passkeys,
    tables.totps,
    tables.recovery_codes,
    tables.external_identities,
    tables.challenges,
    tables.devices,
)


class Recovery:
    """Lets people back in."""

    def __init__(
        self, store: Store, sources: Sources, config: AccountsConfig, passwords: Passwords, errands: Errands, post: Post
    ) -> None:
        self._store = store
        self._sources = sources
        self._hours = config.reset_hours
        self._passwords = passwords
        self._errands = errands
        self._post = post

    def forgot(self, email: str, caller: str | None) -> None:
        """Write to the address, if an account has it; after the answer. Raises QuintetError `email_invalid`, `busy`."""
        parsed = address(email)
        token = mail_tokens.token_of(self._sources.token_bytes(mail_tokens.TOKEN_BYTES))
        self._errands.start("a forgotten password", partial(self._write, parsed, token, caller))

    async def _write(self, parsed: Address, token: str, caller: str | None) -> None:
        if not self._post.admits("reset", parsed.key):
            return
        user = await self._store.read(lambda tx: users.by_email(tx, parsed.key))
        if user is None:
            return
        now = self._sources.now_ms()
        work = partial(self._asked, user_id=user.id, parsed=parsed, token=token, now=now, caller=caller)
        letter = await self._store.write(user.id, work)
        if letter is not None:
            self._post.send(letter)

    def _asked(self, tx: Tx, user_id: str, parsed: Address, token: str, now: int, caller: str | None) -> Letter | None:
        user = users.by_email(tx, parsed.key)
        if user is None or user.id != user_id or user.disabled_at is not None:
            return None
        mail_tokens.put(tx, token, Held(user.id, "reset", user.email, now + self._hours * mail_tokens.HOUR_MS), now)
        audit.record(tx, "password_reset_asked", now, subject_id=user.id, address=caller)
        return self._post.words.reset(user.email, token, self._hours)

    async def reset(self, token: str, new: str, caller: str | None) -> None:
        """Set a new password with the token of a letter, and end all sessions.

        Raises:
            QuintetError: `invalid_token`, `token_expired`, `password_…`, `busy`.
        """
        digest = mail_tokens.digest_of(token)
        now = self._sources.now_ms()
        user = await self._store.read(lambda tx: _owner(tx, mail_tokens.find(tx, digest, now)))
        form = await self._passwords.check(new, user.name, user.email)
        fresh = await self._passwords.hash(form)

        def change(tx: Tx) -> None:
            current = _owner(tx, mail_tokens.spend(tx, digest, now, "reset"))
            mail_tokens.forget(tx, current.id)
            api_keys.revoke_all(tx, current.id, now)
            if not current.email_verified:
                _close_ways_in(tx, current.id)
                users.confirm_email(tx, current.id)
            users.replace_password(tx, current.id, fresh)
            standing = (row.id for row in sessions.live(tx, current.id, now))
            sessions.end_all(tx, current.id, standing, "password_reset", now)
            audit.record(tx, "password_reset", now, subject_id=current.id, address=caller)

        await self._store.write(user.id, change)
        self._post.send(self._post.words.changed_password(user.email))


def _owner(tx: Tx, held: Held) -> User:
    """Whose token it is. Raises QuintetError `invalid_token` for another purpose, another address, and a user who is gone or disabled."""
    user = users.by_id(tx, held.user_id)
    if held.purpose != "reset" or user is None or user.disabled_at is not None or user.email != held.email:
        raise QuintetError("invalid_token", mail_tokens.GONE)
    return user


def _close_ways_in(tx: Tx, user_id: str) -> None:
    for table in _WAYS_IN:
        tx.core.execute(delete(table).where(table.c.user_id == user_id))
    tx.revoke(user_id)
