"""What the tests against a real server share: people with accounts at it, and small requests."""

from typing import Any

import httpx

from support.server import Server
from support.users import Account, http_client, register


class People:
    """Registers accounts, at any server, and closes their clients with the test."""

    def __init__(self) -> None:
        self._made: list[Account] = []

    async def at(self, server: Server) -> Account:
        """A new account."""
        return self._kept(await register(server))

    async def again(self, account: Account) -> Account:
        """Another session of it."""
        return self._kept(await account.again())

    def _kept(self, account: Account) -> Account:
        self._made.append(account)
        return account

    async def close(self) -> None:
        """Give all connections back."""
        for account in self._made:
            await account.close()


async def post(server: Server, path: str, body: Any = None, **more: Any) -> httpx.Response:
    """One POST by a client that remembers nothing."""
    async with http_client(server) as http:
        return await http.post(path, json=body, **more)


async def me(server: Server, access_token: str) -> httpx.Response:
    """Who am I, by this token."""
    async with http_client(server, access_token) as http:
        return await http.get("/v1/auth/me")


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal, which is always problem details and never a stack trace."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert "Traceback" not in answer.text
    return answer.status_code, answer.json()["code"]


async def http_json(server: Server, path: str) -> dict[str, Any]:
    """The JSON of an open GET."""
    async with http_client(server) as http:
        told: dict[str, Any] = (await http.get(path)).json()
        return told
