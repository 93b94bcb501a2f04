"""Exports whose readers are slow, come twice, or are shut out half-way: over real connections, with the product's times made short."""

import asyncio
import contextlib
import json
import secrets
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from accounts.house import PASSWORD, bearer, expect, refused
from quintet.accounts.own import download, exporting
from quintet.server import Server
from quintet.settings import Options, load

pytestmark = [pytest.mark.l3, pytest.mark.timeout(60)]

RESERVE = 1.0
FILES = [secrets.token_bytes(4_000_000) for _ in range(2)]  # more than any buffer on the way


class Reader:
    """Somebody who has asked for their file, and takes of it what the test says."""

    def __init__(self, told: dict[str, str]) -> None:
        self.token = told["access_token"]
        self.got = bytearray()

    async def ask(self, url: str) -> "Reader":
        """Begin; the first bytes are there."""
        host, port = url.removeprefix("http://").split(":")
        plug = socket.socket()
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        plug.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plug, ("127.0.0.1", int(port)))
        self.reader, self.writer = await asyncio.open_connection(sock=plug, limit=65536)
        head = f"GET /v1/auth/me/export HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {self.token}\r\n\r\n"
        self.writer.write(head.encode())
        self.got += await asyncio.wait_for(self.reader.read(1000), 10)
        return self

    @property
    def status(self) -> int:
        """Of the answer."""
        return int(self.got.split(b" ", 2)[1])

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    async def rest(self, pause: float = 0.0) -> bool:
        """Take all that comes, 256 KiB after each pause; whether it was whole."""
        taken = 0
        try:
            while not self.got.endswith(b"\r\n0\r\n\r\n") and (
                block := await asyncio.wait_for(self.reader.read(65536), 20)
            ):
                self.got += block
                taken += len(block)
                if pause and taken >= 262_144:
                    taken = 0
                    await asyncio.sleep(pause)
        except ConnectionError:
            pass
        await self.close()
        return self.got.endswith(b"\r\n0\r\n\r\n")


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    """A server on a port, in this process."""
    monkeypatch.setattr(download, "RESERVE", RESERVE)
    monkeypatch.setattr(exporting, "AT_ONCE", 2)
    made = Server(load({}, None, Options(dev=True, port=0, data=tmp_path), lambda _: "a1B2c3D4e5" * 3 + "xyzw!"))
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def http(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """A client of it."""
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=20) as made:
        yield made


async def person(http: httpx.AsyncClient) -> dict[str, str]:
    """A user with eight megabytes of files."""
    email = f"{secrets.token_hex(8)}@example.com"
    told = expect(await http.post("/v1/auth/register", json={"email": email, "password": PASSWORD}), 201)
    for content in FILES:
        sent = {"file": ("noise.bin", content, "application/octet-stream")}
        expect(await http.post("/v1/attachments", files=sent, headers=bearer(told["access_token"])), 201)
    return told


async def test_slow_readers_keep_nobody_out_for_long(server: Server, http: httpx.AsyncClient) -> None:
    """All places are taken by readers that take nothing: one more hears 503 with a time to wait, and has its file as soon as the time is
    up; theirs are cut, so that none looks whole. Who takes it slowly and steadily has it all, however long that is."""
    people = [await person(http) for _ in range(3)]
    slow = [await Reader(told).ask(server.url) for told in people[:2]]
    begun = time.monotonic()
    answer = await http.get("/v1/auth/me/export", headers=bearer(people[2]["access_token"]))
    assert refused(answer) == (503, "busy")
    assert int(answer.headers["retry-after"]) > 0
    while (steady := await Reader(people[2]).ask(server.url)).status == 503:
        assert time.monotonic() < begun + RESERVE * 3 + 5, "slow readers keep their places"
        await steady.close()
        await asyncio.sleep(0.1)
    begun = time.monotonic()
    assert await steady.rest(pause=0.05)
    assert time.monotonic() > begun + RESERVE
    assert not any([await reader.rest() for reader in slow])


async def test_who_asks_again_has_the_place_of_their_first(server: Server, http: httpx.AsyncClient) -> None:
    """A download that hangs keeps its user from nothing: the new one is whole, the old one is cut."""
    told = await person(http)
    first = await Reader(told).ask(server.url)
    answer = await http.get("/v1/auth/me/export", headers=bearer(told["access_token"]))
    assert len(expect(answer, 200)["attachments"]) == len(FILES)
    assert not await first.rest()


@pytest.mark.parametrize("ending", ["signed out", "deleted"])
async def test_out_is_out_half_way(server: Server, http: httpx.AsyncClient, ending: str) -> None:
    """The session ends, or the account: what is still to be read is not told any more, and half a file does not look like a whole one."""
    told = await person(http)
    reader = await Reader(told).ask(server.url)
    if ending == "deleted":
        content, headers = json.dumps({"password": PASSWORD}), bearer(told["access_token"])
        headers["Content-Type"] = "application/json"
        expect(await http.request("DELETE", "/v1/auth/me", content=content, headers=headers), 204)
    else:
        expect(await http.post("/v1/auth/logout", headers=bearer(told["access_token"])), 204)
    assert not await reader.rest()
    assert b'"activity"' not in reader.got
