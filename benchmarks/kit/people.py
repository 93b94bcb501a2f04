"""Accounts that are there before the server starts.

Registering costs 198 ms of hashing each, by design, so a thousand users are written by the same functions that registering uses, without
a password. Their access tokens are signed with the key that the server will find.
"""

import asyncio
from pathlib import Path

from quintet.accounts.config import AccountsConfig
from quintet.accounts.keys.sealing import Secrets
from quintet.accounts.people import users
from quintet.accounts.people.users import User
from quintet.accounts.sessions import sessions
from quintet.accounts.sessions.identities import Identities
from quintet.accounts.sessions.sessions import Session
from quintet.cli.development import kept_secret
from quintet.sources import Sources
from quintet.store import Tx, open_store

__all__ = ["TOKEN_SECONDS", "people"]

TOKEN_SECONDS = 7200


def people(data: Path, count: int, database: str | None = None) -> list[str]:
    """Make `count` users in the data folder of a server, or in its database; returns an access token of each."""
    return asyncio.run(_people(data, count, database or f"sqlite:///{data / 'quintet.db'}"))


async def _people(data: Path, count: int, database: str) -> list[str]:
    secret, sources = kept_secret(data), Sources()
    store = open_store(database, migrate=True)
    await store.start()
    try:
        config = AccountsConfig(issuer="http://localhost", access_seconds=TOKEN_SECONDS)
        identities = Identities(store, sources, Secrets(secret), config)
        await identities.load()
        now = sources.now_ms()
        made = [(sources.new_id("usr"), sources.new_id("ses")) for _ in range(count)]

        def add(tx: Tx) -> None:
            for number, (user_id, session_id) in enumerate(made):
                email = f"reader{number}@example.com"
                user = User(user_id, email, False, None, "nobody signs in", "user", now, None)
                users.add(tx, user, email, users.new_epoch(number.to_bytes(6)))
                sessions.start(tx, Session(user_id, session_id, None, now, now + 86_400_000), 20)

        await store.write("", add)
        return [identities.issue(*pair, sources.new_id("tok"), now // 1000) for pair in made]
    finally:
        await store.close()
