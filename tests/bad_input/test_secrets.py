"""A secret in every place where one may wrongly stand; afterwards it is in no log, no error, no metric, no schema, no crash text."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from quintet.testing.accounts.account import Account, good_passphrase, http_client
from quintet.testing.contracts import whole
from quintet.testing.wire.frames import TEXT
from support.server import Factory
from support.world import World

pytestmark = pytest.mark.l3


async def test_a_secret_value_is_told_to_nobody(server_factory: Factory) -> None:
    """The server's own, an agent's, and a user's: in the right places and in all the wrong ones."""
    own, agents = "own-" + secrets.token_urlsafe(48), f"canary{secrets.token_hex(12)}"
    server = server_factory(environment={"QUINTET_SECRET_KEY": own, "SCRIPTED_SECRET": agents})
    told: list[str] = []
    async with World(server) as world:
        alice = await world.user()
        wrong = good_passphrase()
        told += await _by_http(alice, wrong)
        told += await _by_upgrade(world, alice)
        device = await world.device(alice, name="tells")
        for agent in ("secretive", "raiser", "catcher"):
            whole(await device.tell({"text": "go on"}, agent))
        raw = await world.raw(alice)
        for text in (f'{{"password":"{wrong}"', json.dumps({"id": "1", "do": "dance", "token": alice.refresh_token})):
            await raw.put(TEXT, text.encode())
            told.append((await raw.frame()).payload.decode())
        async with http_client(server) as http:
            for path in ("/metrics", "/v1/openapi.json", "/readyz", "/healthz", "/.well-known/jwks.json", "/"):
                answer = await http.get(path)
                assert answer.status_code == 200, path
                told.append(answer.text)
        told.append(device.received().decode())
        server.stop()
        told.append(server.logged())
    assert "agent_error" in "".join(told), "no agent has failed, so nothing was tempted to tell"
    for name, value in _values(alice, own, agents, wrong):
        for place, text in enumerate(told):
            assert value not in text, f"{name} is in answer {place}: …{text[max(0, text.index(value) - 200) :][:300]}"


def _values(alice: Account, own: str, agents: str, wrong: str) -> Iterator[tuple[str, str]]:
    yield "the server's secret", own
    yield "an agent's secret", agents
    yield "the password", alice.password
    yield "a password that was refused", wrong
    yield "the access token", alice.access_token
    yield "the access token's signature", alice.access_token.rpartition(".")[2]
    yield "the refresh token", alice.refresh_token


async def _by_http(alice: Account, wrong: str) -> list[str]:
    """Secrets in bodies that are broken, in fields that do not exist, in paths, queries, headers, cookies and methods."""
    refresh, access, password = alice.refresh_token, alice.access_token, alice.password
    requests = [
        ("POST", "/v1/auth/login", {"content": f'{{"email": "{alice.email}", "password": "{password}"'}),
        ("POST", "/v1/auth/login", {"json": {"email": alice.email, "password": wrong}}),
        ("POST", "/v1/auth/login", {"json": {"email": wrong, "password": password, password: access}}),
        ("POST", "/v1/auth/login", {"data": {"email": alice.email, "password": password}}),
        ("POST", "/v1/auth/register", {"json": {"email": alice.email, "password": password}}),
        ("POST", "/v1/auth/refresh", {"json": {"refresh_token": refresh, "attempt_id": ["x"]}}),
        ("POST", "/v1/auth/refresh", {"json": {refresh: refresh}}),
        ("POST", "/v1/auth/password", {"json": {"current": wrong, "new": password}}),
        ("POST", "/v1/auth/password", {"json": {"current": password, "new": "short", "old": wrong}}),
        ("GET", f"/v1/threads/{refresh}", {}),
        ("GET", f"/v1/{access}", {}),
        ("GET", f"/v1/threads?limit={refresh}", {}),
        ("GET", f"/v1/auth/me?access_token={access}", {}),
        ("GET", f"/v1/runs/x/events?after={access}", {}),
        ("GET", "/v1/auth/me", {"headers": {"X-Request-Id": refresh, "User-Agent": wrong, "Referer": access}}),
        ("GET", "/v1/auth/me", {"headers": {"Cookie": f"__Host-quintet-{alice.target.port}={refresh}"}}),
    ]
    told = []
    for signed in (None, access, refresh):
        async with http_client(alice.target, signed) as http:
            for method, path, options in requests:
                answer = await http.request(method, path, **options)  # type: ignore[arg-type]
                assert answer.status_code < 500, answer.text
                told.append(answer.text + repr(answer.headers))
    return told


async def _by_upgrade(world: World, alice: Account) -> list[str]:
    """Secrets in the address, the subprotocol and the origin of a socket, and in the cursor of a stream."""
    told = []
    attempts: list[dict[str, Any]] = [
        {"path": f"/v1/ws?token={alice.access_token}"},
        {"path": f"/v1/{alice.refresh_token}"},
        {"subprotocol": f"quintet.v1, bearer.{alice.refresh_token}"},
        {"token": alice.refresh_token},
        {"token": alice.access_token, "origin": f"https://{alice.refresh_token}"},
    ]
    for options in attempts:
        raw = await world.connect.raw(world.server, **options)
        answer = raw.handshake
        assert 400 <= answer.status < 500, answer
        told.append(answer.body.decode() + repr(answer.headers))
        await raw.cut()
    stream = await world.stream(alice, last_id=alice.refresh_token)
    await stream.ended()
    told.append(stream.text.decode())
    await stream.cut()
    return told
