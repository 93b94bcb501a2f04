"""What the tests against a real server share: small requests."""

from typing import Any

import httpx

from quintet.testing.accounts.account import http_client
from support.server import Server


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
