"""Accounts over a real database, behind the real edge, on a clock that the test owns."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from quintet.accounts import Accounts, AccountsConfig, Secrets
from quintet.accounts.letters import Courier, relay_of
from quintet.accounts.routes.api import accounts_router
from quintet.edge.application import http_application
from quintet.edge.origins import OriginPolicy
from quintet.sources import Sources
from quintet.store import Store, open_store
from support.databases import database_at

SECRET = Secrets("a secret of the tests, long enough and of many letters")
PASSWORD = "violet anchor 77 marmalade"
CONFIG = AccountsConfig("http://localhost:8750", per_address=False, hash_rounds=1, hash_kib=8, hash_at_once=2)


Opener = Callable[..., Any]
"""Opens accounts with another configuration or secret, on the same database; an async context manager."""


class Clock:
    """Both clocks, in step; they move when a test moves them."""

    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def now_ms(self) -> int:
        return int(self.seconds * 1000)

    def monotonic(self) -> float:
        return self.seconds

    def forward(self, *, seconds: float = 0, days: float = 0) -> None:
        """Let time pass."""
        self.seconds += seconds + days * 24 * 60 * 60


@dataclass
class House:
    """One server's accounts, in this process."""

    store: Store
    clock: Clock
    accounts: Accounts
    http: httpx.AsyncClient
    spare: int = field(default=0)

    async def register(self, email: str = "", password: str = PASSWORD, **more: Any) -> dict[str, Any]:
        """A new account; its answer."""
        self.spare += 1
        body = {"email": email or f"someone{self.spare}@example.com", "password": password, **more}
        return expect(await self.http.post("/v1/auth/register", json=body), 201)

    async def login(self, email: str, password: str = PASSWORD, **more: Any) -> httpx.Response:
        """The answer to a sign-in."""
        return await self.http.post("/v1/auth/login", json={"email": email, "password": password, **more})

    async def refresh(self, token: str, attempt_id: str | None = None) -> httpx.Response:
        """The answer to a use of a refresh token."""
        attempt = {} if attempt_id is None else {"attempt_id": attempt_id}
        return await self.http.post("/v1/auth/refresh", json={"refresh_token": token, **attempt})

    async def me(self, access_token: str) -> httpx.Response:
        """The answer to who am I."""
        return await self.http.get("/v1/auth/me", headers=bearer(access_token))

    async def rows(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        """What the database has."""
        return await self.store.read(lambda tx: [tuple(row) for row in tx.sql(statement, params).fetchall()])

    async def change(self, statement: str, *params: Any) -> None:
        """Change the database as administration would."""
        await self.store.write("", lambda tx: tx.sql(statement, params) and None)


def bearer(token: str) -> dict[str, str]:
    """The header of an access token."""
    return {"Authorization": f"Bearer {token}"}


def expect(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The body of an answer that must have this status."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    told: dict[str, Any] = answer.json() if answer.content else {}
    return told


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["code"]


@asynccontextmanager
async def opened(
    path: Path, clock: Clock, config: AccountsConfig, secret: Secrets = SECRET, *, mail: str | None = None
) -> AsyncIterator[House]:
    """Accounts on the database at `path`, with a client that comes from 127.0.0.1. `mail` is the URL of a mail server."""
    sources = replace(Sources(), now_ms=clock.now_ms, monotonic=clock.monotonic)
    courier = Courier(relay_of(mail, "Quintet <quintet@example.com>", sources)) if mail else None
    policy = OriginPolicy(None, [], dev=True)
    async with AsyncExitStack() as stack:
        store = open_store(database_at(path), migrate=True)
        await store.start()
        stack.push_async_callback(store.close)
        accounts = Accounts(store, sources, secret, config, courier)
        stack.push_async_callback(accounts.close)
        await accounts.start()
        app = http_application(policy, sources, "0")
        app.include_router(accounts_router(accounts, policy, sources))
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:8750")
        yield House(store, clock, accounts, await stack.enter_async_context(client))
