"""The refreshes of a browser or a program, made of bytes, so that a reload can happen at any of them.

What all tabs share is here: the refresh token and the attempt. A browser takes its cookie as soon as the head of the answer is there; a
program has a token when the whole answer is.
"""

import asyncio
import contextlib
import json
import secrets
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

from quintet.testing.accounts.account import Account, good_passphrase, http_client, random_address
from quintet.testing.targets import Target
from support.server import Server

__all__ = ["Answer", "Tabs"]

SECONDS = 15.0


@dataclass(frozen=True)
class Answer:
    """A whole answer: its status, its JSON, and of how many bytes head and all of it were."""

    status: int
    body: dict[str, Any]
    head_bytes: int
    bytes: int


@dataclass
class Tabs:
    """One sign-in. `web`: by cookie; else by JSON."""

    server: Server
    web: bool
    token: str
    access_token: str
    attempt: str | None = None
    statuses: list[int] = field(default_factory=list)

    @classmethod
    async def sign_up(cls, server: Server, *, web: bool) -> "Tabs":
        """A new user in a new browser."""
        body = {"email": random_address(), "password": good_passphrase()}
        headers = {"X-Quintet-Client": "web", "Origin": server.url} if web else {}
        async with http_client(server) as http:
            answer = await http.post("/v1/auth/register", json=body, headers=headers)
        assert answer.status_code == 201, f"{answer.text}\n{server.tail()}"
        told = answer.json()
        assert ("refresh_token" in told) != web
        tabs = cls(server, web, str(told.get("refresh_token", "")), str(told["access_token"]))
        if web:
            tabs._store(answer.headers["set-cookie"])
        return tabs

    def account(self) -> Account:
        """The same sign-in for a device."""
        return Account(Target.of(self.server), "", "", {}, "", 0, self.access_token, self.token)

    async def refresh(self, *, attempt: str | None = None) -> Answer:
        """Refresh as the page does: under the attempt that is kept until an answer came."""
        data = await self._ask(attempt or self._attempt(), None)
        head, _, content = data.partition(b"\r\n\r\n")
        told = json.loads(content)
        status = int(head.split()[1])
        self.statuses.append(status)
        if status == 200:
            self.attempt = None
            self.access_token = str(told["access_token"])
            self.token = str(told.get("refresh_token", self.token))
        return Answer(status, told, len(head) + 4, len(data))

    async def reload_after(self, count: int, *, attempt: str | None = None) -> None:
        """Refresh, and go away when `count` bytes of the answer have come (-1: before all of the request was sent)."""
        await self._ask(attempt or self._attempt(), count)

    def _attempt(self) -> str:
        self.attempt = self.attempt or secrets.token_hex(16)
        return self.attempt

    async def _ask(self, attempt: str, count: int | None) -> bytes:
        async with asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
            request = self._request(attempt)
            writer.write(request[:-5] if count == -1 else request)
            await writer.drain()
            data = b""
            while (count is None or len(data) < count) and (more := await reader.read(4096)):
                data += more
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        if count is not None:
            data = data[: max(count, 0)]
        head, found, _ = data.partition(b"\r\n\r\n")
        for line in head.decode("latin-1").split("\r\n") if found else []:
            name, _, value = line.partition(":")
            if name.lower() == "set-cookie":
                self._store(value)
        return data

    def _request(self, attempt: str) -> bytes:
        body = json.dumps({"attempt_id": attempt} | ({} if self.web else {"refresh_token": self.token})).encode()
        fields = {"Host": f"localhost:{self.server.port}", "Content-Type": "application/json", "Connection": "close"}
        if self.web:
            cookie = f"__Host-quintet-{self.server.port}={self.token}"
            fields |= {"X-Quintet-Client": "web", "Origin": self.server.url, "Cookie": cookie}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"POST /v1/auth/refresh HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def _store(self, line: str) -> None:
        (morsel,) = SimpleCookie(line.strip()).values()
        self.token = morsel.value
