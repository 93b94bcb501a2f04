"""Accounts that are really made, over HTTP, with a client that is not ours."""

import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from support.server import Server

__all__ = ["Account", "good_passphrase", "http_client", "random_address", "register", "register_many", "register_now"]

HTTP_SECONDS = 20.0


def random_address() -> str:
    """An address nobody has used."""
    return f"someone.{secrets.token_hex(8)}@example.com"


def good_passphrase() -> str:
    """A passphrase no rule refuses."""
    return f"violet anchor {secrets.token_hex(8)}"


def http_client(server: Server, token: str | None = None) -> httpx.AsyncClient:
    """A client that goes straight to the server, whatever proxy the environment names."""
    # There is no TLS on loopback: without `verify=False` every client reads all certificates of the machine, 70 ms of CPU.
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(base_url=server.url, headers=headers, timeout=HTTP_SECONDS, trust_env=False, verify=False)


@dataclass
class Account:
    """A user as the user's own device knows it: the address, the words, the tokens, and an HTTP client that carries them."""

    server: Server
    email: str
    password: str
    user: dict[str, Any]
    session_id: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    _http: httpx.AsyncClient | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        """The user's id."""
        return str(self.user["id"])

    @property
    def http(self) -> httpx.AsyncClient:
        """An HTTP client that carries the access token; made at its first use in a test, closed with it."""
        if self._http is None:
            self._http = http_client(self.server, self.access_token)
        return self._http

    async def again(self, device: str = "another device") -> "Account":
        """Sign in once more: another session of the same user."""
        async with http_client(self.server) as http:
            answer = await http.post(
                "/v1/auth/login", json={"email": self.email, "password": self.password, "device": device}
            )
        assert answer.status_code == 200, f"sign-in answered {answer.status_code}: {answer.text}\n{self.server.tail()}"
        return _account(self.server, self.email, self.password, answer)

    async def get(self, path: str) -> Any:
        """The JSON of a GET that must answer 200."""
        answer = await self.http.get(path)
        assert answer.status_code == 200, f"{path} answered {answer.status_code}: {answer.text}\n{self.server.tail()}"
        return answer.json()

    async def snapshot(self) -> dict[str, Any]:
        """The user's snapshot."""
        told: dict[str, Any] = await self.get("/v1/snapshot")
        return told

    async def cancel(self, run_id: str) -> dict[str, Any]:
        """Cancel a run over HTTP, which must answer 202."""
        answer = await self.http.post(f"/v1/runs/{run_id}/cancel")
        assert answer.status_code == 202, f"cancel answered {answer.status_code}: {answer.text}\n{self.server.tail()}"
        told: dict[str, Any] = answer.json()
        return told

    async def messages(self, thread_id: str) -> list[dict[str, Any]]:
        """The messages of a thread, oldest first (at most 200)."""
        told: list[dict[str, Any]] = (await self.get(f"/v1/threads/{thread_id}/messages?limit=200"))["items"]
        return told

    async def attach(self, name: str, content: bytes) -> str:
        """Upload a file; its id."""
        answer = await self.http.post("/v1/attachments", files={"file": (name, content)})
        assert answer.status_code == 201, f"upload answered {answer.status_code}: {answer.text}\n{self.server.tail()}"
        return str(answer.json()["id"])

    async def close(self) -> None:
        """Give the connections back; the account can be used again."""
        if self._http is not None:
            await self._http.aclose()
        self._http = None


def _account(server: Server, email: str, password: str, answer: httpx.Response) -> Account:
    told = answer.json()
    return Account(
        server=server,
        email=email,
        password=password,
        user=told["user"],
        session_id=told["session_id"],
        access_token=told["access_token"],
        refresh_token=told["refresh_token"],
    )


async def register(server: Server, *, address: Callable[[], str] = random_address) -> Account:
    """Make an account the way everybody does: POST /v1/auth/register."""
    body = _form(address)
    async with http_client(server) as http:
        return _registered(server, body, await http.post("/v1/auth/register", json=body))


def register_now(server: Server) -> Account:
    """The same, for a fixture that is no coroutine. A server too busy to hash is asked again when it says so."""
    body = _form(random_address)
    deadline = time.monotonic() + 60
    with httpx.Client(base_url=server.url, timeout=HTTP_SECONDS, trust_env=False, verify=False) as http:
        while (answer := http.post("/v1/auth/register", json=body)).status_code == 503 and time.monotonic() < deadline:
            time.sleep(int(answer.headers["retry-after"]))
    return _registered(server, body, answer)


def register_many(server: Server, count: int, *, at_once: int = 8) -> list[Account]:
    """Many users, as many at a time as the server finds places for; each costs it a password hash."""
    with ThreadPoolExecutor(at_once) as threads:
        return list(threads.map(lambda _: register_now(server), range(count)))


def _form(address: Callable[[], str]) -> dict[str, str]:
    return {"email": address(), "password": good_passphrase(), "device": "a test"}


def _registered(server: Server, body: dict[str, str], answer: httpx.Response) -> Account:
    assert answer.status_code == 201, f"sign-up answered {answer.status_code}: {answer.text}\n{server.tail()}"
    return _account(server, body["email"], body["password"], answer)
