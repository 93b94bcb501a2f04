"""P6 and P8 of accounts: a code is good once, deleted is gone, administration is for administrators, and no gap lets a session through."""

import asyncio
import secrets
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from pyotp import TOTP

from quintet.testing.accounts.account import Account, http_client
from quintet.testing.contracts import whole
from support.routes import ADMIN
from support.server import Server
from support.world import World

__all__ = [
    "check_a_code_is_good_once",
    "check_a_revoked_token_opens_no_socket",
    "check_deletion_leaves_nothing",
    "check_only_administrators_administer",
]


async def _answered(http: httpx.AsyncClient, verb: str, path: str, body: Any = None) -> Any:
    answer = await http.request(verb, path, json=body)
    assert answer.is_success, f"{verb} {path}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content else None


async def check_a_code_is_good_once(world: World) -> None:
    """A code that has signed somebody in signs nobody in again, though its time is not over."""
    alice = await world.user()
    told = await _answered(alice.http, "POST", "/v1/auth/factor", {"password": alice.password})
    totp = TOTP(told["secret"])
    now = int(time.time())
    await _answered(alice.http, "POST", "/v1/auth/factor/confirm", {"code": totp.at(now - 30)})
    first, second = await _second_step(alice, totp.at(now)), await _second_step(alice, totp.at(now))
    assert first.status_code == 200, first.text
    assert second.status_code == 401, "a code worked twice"
    assert second.json()["code"] == "code_wrong"


async def _second_step(account: Account, code: str) -> httpx.Response:
    async with http_client(account.target) as http:
        body = {"email": account.email, "password": account.password}
        token = (await http.post("/v1/auth/login", json=body)).json()["pending_token"]
        return await http.post("/v1/auth/login/factor", json={"pending_token": token, "code": code})


async def check_deletion_leaves_nothing(world: World) -> None:
    """Sockets 4501 within 1 s, running work ended, and no row of any table with a user has the user; the address is free."""
    word = f"canary{secrets.token_hex(8)}"
    alice = await world.user()
    device = await world.device(alice)
    whole(await device.tell({"text": word}, agent="echo"))
    slow = await device.say({"mark": f"leaving {word}"}, agent="slow_tool")
    await device.find("the slow tool", lambda e: e.run == slow.run_id and e.type == "tool_executing")
    begun = time.monotonic()
    answer = asyncio.create_task(_answered(alice.http, "DELETE", "/v1/auth/me", {"password": alice.password}))
    assert await device.closed(10) == (4501, "session_revoked")
    await answer
    assert device.closed_at - begun < 2, device.shown(
        "the socket outlived its account"
    )  # a second after the password was proven
    left = await asyncio.to_thread(_rows_of, world.server, alice.id)
    assert left == {}, f"left in {', '.join(left)}"
    async with http_client(world.server) as http:
        body = {"email": alice.email, "password": alice.password}
        assert (await http.post("/v1/auth/login", json=body)).status_code == 401
        again = await http.post("/v1/auth/register", json=body)
    assert again.status_code == 201, again.text


def _rows_of(server: Server, user_id: str) -> dict[str, int]:
    """How many rows of which tables have the user."""
    with TemporaryDirectory() as folder, closing(sqlite3.connect(server.database(Path(folder) / "copy.db"))) as copy:
        tables = [name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        owned = [
            name for name in tables if any(row[1] == "user_id" for row in copy.execute(f"PRAGMA table_info({name})"))
        ]
        assert len(owned) > 15, "these are not the tables of the product"
        found = {
            name: copy.execute(f"SELECT count(*) FROM {name} WHERE user_id = ?", (user_id,)).fetchone()[0]
            for name in owned
        }
        found["users"] = copy.execute("SELECT count(*) FROM users WHERE id = ?", (user_id,)).fetchone()[0]
    return {name: count for name, count in found.items() if count}


async def check_only_administrators_administer(world: World) -> None:
    """Every route of administration refuses a user: 403 `forbidden`, and nothing has changed."""
    user, other = await world.users(2)
    ids = {"user_id": other.id, "session_id": other.session_id, "run_id": "run_nothing"}
    for route in ADMIN:
        answer = await user.http.request(route.verb, route.filled(ids), json=route.body)
        assert answer.status_code == 403, f"{route.name} answered a user with {answer.status_code}"
    assert (await other.get("/v1/auth/me"))["role"] == "user"


async def check_a_revoked_token_opens_no_socket(world: World) -> None:
    """A session that ends while its socket is being opened: whichever comes first, the socket is closed with 4501 and stays without events."""
    for delay in (0.0, 0.05, 0.2):
        alice = await world.user()
        opening = asyncio.create_task(world.stranger(alice.access_token))
        await asyncio.sleep(delay)
        assert (await alice.http.post("/v1/auth/logout")).status_code == 204
        try:
            device = await opening
        except Exception as refused:
            assert "401" in str(refused), refused
            continue
        code, _ = await device.closed(4)
        assert code in {4500, 4501}
        assert device.events == []
