"""Invitations as the operator of a server makes them, beside a running server or without."""

from typing import NamedTuple

from quintet.accounts import audit
from quintet.accounts.joining import invites
from quintet.accounts.joining.invites import Invite
from quintet.accounts.letters import Post
from quintet.accounts.people import users
from quintet.accounts.people.emails import address
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["Invitation", "Inviting"]

DAY_MS = 24 * 60 * 60 * 1000


class Invitation(NamedTuple):
    """What is handed over, this once. `email` is whom it is for, or None for whoever has it."""

    token: str
    link: str
    email: str | None


class Inviting:
    """Makes invitations, and writes to whom they are for."""

    def __init__(self, store: Store, sources: Sources, post: Post) -> None:
        self._store = store
        self._sources = sources
        self._post = post

    async def invite(self, email: str | None, *, role: str, days: int) -> Invitation:
        """Make one, good for so many days.

        Raises:
            QuintetError: `email_invalid`; `email_taken` for an address that has an account.
        """
        parsed = None if email is None else address(email)
        token = invites.token_of(self._sources.token_bytes(invites.TOKEN_BYTES))
        now = self._sources.now_ms()
        key = None if parsed is None else parsed.key
        made = Invite(invites.digest_of(token), key, role, now, now + days * DAY_MS)

        def add(tx: Tx) -> None:
            if key is not None:
                users.check_vacant(tx, key)
            invites.add(tx, made)
            audit.record(tx, "invited", now, role=role, days=days)

        await self._store.write("invites", add)
        words = self._post.words
        if parsed is not None:
            self._post.send(words.invite(parsed.text, token, days))
        return Invitation(token, words.invitation(token), None if parsed is None else parsed.text)
