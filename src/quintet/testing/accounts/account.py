"""Accounts that are really made at a Quintet server, over HTTP, with a client that is not ours."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import httpx

from quintet.testing.accounts.tokens import wrong_tokens
from quintet.testing.targets import Target

__all__ = [
    "Account",
    "AccountError",
    "good_passphrase",
    "http_client",
    "random_address",
    "register",
    "register_many",
]

HTTP_SECONDS = 20.0
BUSY_SECONDS = 60.0  # how long a server may say that it is too busy to hash a password
_UNPOOLED = httpx.Limits(max_keepalive_connections=0)  # nothing is left open, so nothing has to be closed


class AccountError(AssertionError):
    """The server did not answer as an account needs; the text ends with its log."""


def random_address() -> str:
    """An address nobody has used."""
    return f"someone.{secrets.token_hex(8)}@example.com"


def good_passphrase() -> str:
    """A passphrase no rule refuses."""
    return f"violet anchor {secrets.token_hex(8)}"


def http_client(server: Any, token: str | None = None) -> httpx.AsyncClient:
    """A client of nobody's, or of this access token; it keeps no connection and need not be closed."""
    return httpx.AsyncClient(**_options(Target.of(server), token))


@dataclass
class Account:
    """A user as the user's own device knows it: the address, the words, the tokens of one session."""

    target: Target
    email: str
    password: str
    user: dict[str, Any]
    session_id: str
    expires_in: int  # seconds, when the token was issued
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)

    @property
    def id(self) -> str:
        """The user's id."""
        return str(self.user["id"])

    @property
    def http(self) -> httpx.AsyncClient:
        """A client that carries the access token; it keeps no connection and need not be closed."""
        return http_client(self.target, self.access_token)

    @property
    def http_now(self) -> httpx.Client:
        """The same for plain functions."""
        return httpx.Client(**_options(self.target, self.access_token))

    def again(self, device: str = "another device") -> "Account":
        """Sign in once more: another session of the same user. Raises `AccountError`."""
        body = {"email": self.email, "password": self.password, "device": device}
        return _account(self.target, self.email, self.password, _posted(self.target, "/v1/auth/login", body, 200))

    def renewed(self) -> "Account":
        """The same session with new tokens; the old refresh token is used up. Raises `AccountError`."""
        told = _posted(self.target, "/v1/auth/refresh", {"refresh_token": self.refresh_token}, 200)
        return _account(
            self.target, self.email, self.password, {"user": self.user, "session_id": self.session_id, **told}
        )

    def logout(self) -> None:
        """End the session. Raises `AccountError`."""
        with self.http_now as http:
            _expect(self.target, http.post("/v1/auth/logout"), 204)

    def wrong_tokens(self) -> dict[str, str]:
        """What must open nothing, by the trick: a changed signature, another subject, a longer life, no algorithm, …"""
        return {**wrong_tokens(self.access_token), "a refresh token": self.refresh_token}

    async def get(self, path: str) -> Any:
        """The JSON of a GET that must answer 200. Raises `AccountError`."""
        return _expect(self.target, await self.http.get(path), 200).json()

    async def snapshot(self) -> dict[str, Any]:
        """The user's snapshot."""
        told: dict[str, Any] = await self.get("/v1/snapshot")
        return told

    async def messages(self, thread_id: str) -> list[dict[str, Any]]:
        """The messages of a thread, oldest first (at most 200)."""
        told: list[dict[str, Any]] = (await self.get(f"/v1/threads/{thread_id}/messages?limit=200"))["items"]
        return told

    async def attach(self, name: str, content: bytes) -> str:
        """Upload a file; its id. Raises `AccountError`."""
        answer = await self.http.post("/v1/attachments", files={"file": (name, content)})
        return str(_expect(self.target, answer, 201).json()["id"])

    async def cancel(self, run_id: str) -> dict[str, Any]:
        """Cancel a run over HTTP. Raises `AccountError`."""
        told: dict[str, Any] = _expect(self.target, await self.http.post(f"/v1/runs/{run_id}/cancel"), 202).json()
        return told


def register(server: Any, *, email: str | None = None, password: str | None = None) -> Account:
    """Make an account the way everybody does: POST /v1/auth/register. Raises `AccountError`."""
    target = Target.of(server)
    body = {"email": email or random_address(), "password": password or good_passphrase(), "device": "a test"}
    return _account(target, body["email"], body["password"], _posted(target, "/v1/auth/register", body, 201))


def register_many(server: Any, count: int, *, at_once: int = 8) -> list[Account]:
    """Many users, as many at a time as the server finds places for; each costs it a password hash."""
    with ThreadPoolExecutor(at_once) as threads:
        return list(threads.map(lambda _: register(server), range(count)))


def _options(target: Target, token: str | None = None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    # There is no TLS on loopback: with it every client would read all certificates of the machine, 70 ms of CPU.
    secure = target.at("http", "").startswith("https")
    options = {"base_url": target.at("http", ""), "headers": headers, "timeout": HTTP_SECONDS, "limits": _UNPOOLED}
    return {**options, "trust_env": False, "verify": secure}


def _posted(target: Target, path: str, body: dict[str, Any], status: int) -> dict[str, Any]:
    deadline, never = time.monotonic() + BUSY_SECONDS, Event()
    with httpx.Client(**_options(target)) as http:
        while (answer := http.post(path, json=body)).status_code == 503 and time.monotonic() < deadline:
            never.wait(int(answer.headers.get("retry-after", 1)))  # as long as the server asks for
    told: dict[str, Any] = _expect(target, answer, status).json()
    return told


def _expect(target: Target, answer: httpx.Response, status: int) -> httpx.Response:
    if answer.status_code != status:
        words = f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}, not {status}: {answer.text}"
        raise AccountError(f"{words}\n{target.said()}".rstrip())
    return answer


def _account(target: Target, email: str, password: str, told: dict[str, Any]) -> Account:
    return Account(
        target=target,
        email=email,
        password=password,
        user=told["user"],
        session_id=told["session_id"],
        expires_in=told["expires_in"],
        access_token=told["access_token"],
        refresh_token=told["refresh_token"],
    )
