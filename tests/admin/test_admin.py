"""Administration over HTTP: who may, what it does within a second, and what the audit says of it."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from administration.operator import Operator
from quintet.testing.accounts.account import Account
from support.routes import ADMIN
from support.server import Factory
from support.world import World

pytestmark = pytest.mark.l3

FORBIDDEN = (403, "forbidden")


def told(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["code"]


async def test_only_an_administrator_may(world: World, admin: Account) -> None:
    """Every route, to a user: 403 `forbidden`, the same bytes whether or not what it names exists, and nothing has changed."""
    user, other = await world.users(2)
    there = {"user_id": other.id, "session_id": other.session_id, "run_id": "run_nothing"}
    nowhere = {name: value[:-4] + "none" for name, value in there.items()}
    assert len(ADMIN) >= 10
    for route in ADMIN:
        answers = [await user.http.request(route.verb, route.filled(ids), json=route.body) for ids in (there, nowhere)]
        assert [told(answer) for answer in answers] == [FORBIDDEN, FORBIDDEN], route.name
        bare = {answer.text.replace(answer.headers["x-request-id"], "") for answer in answers}
        assert len(bare) == 1, f"{route.name} tells who exists"
    assert (await other.get("/v1/auth/me"))["role"] == "user"
    for route in ADMIN:
        if route.verb == "GET":
            answer = await admin.http.get(route.filled(there))
            assert answer.status_code == 200, f"{route.name}: {answer.text}"


async def test_the_role_counts_at_the_request(admin: Account, operator: Operator) -> None:
    """Taken away beside the server, the next request of the same token is refused; given back, it is not."""
    assert (await admin.http.get("/v1/admin/users")).status_code == 200
    await operator.fine("user", "role", admin.email, "user")
    assert told(await admin.http.get("/v1/admin/users")) == FORBIDDEN
    await operator.fine("user", "role", admin.email, "admin")
    assert (await admin.http.get("/v1/admin/users")).status_code == 200


async def test_users_are_found(world: World, admin: Account) -> None:
    """By a part of the address, of the name in any case, by id; page by page, the newest first; nothing secret is told."""
    users = await world.users(3)
    await users[0].http.patch("/v1/auth/me", json={"name": f"Needle {users[0].id[-8:]}"})
    found = await admin.get(f"/v1/admin/users?search=nEEDLE%20{users[0].id[-8:]}")
    assert [user["id"] for user in found["items"]] == [users[0].id]
    found = await admin.get(f"/v1/admin/users?search={users[1].email[:12].upper()}")
    assert users[1].id in [user["id"] for user in found["items"]]
    found = await admin.get(f"/v1/admin/users?search={users[2].id}")
    assert [(user["email"], user["sessions"]) for user in found["items"]] == [(users[2].email, 1)]
    assert (await admin.get("/v1/admin/users?search=%25"))["items"] == [], "a pattern is no pattern"
    seen: list[str] = []
    page = await admin.get("/v1/admin/users?limit=2")
    while len(seen) < 6:
        seen += [user["id"] for user in page["items"]]
        page = await admin.get(f"/v1/admin/users?limit=2&after={page['next']}") if "next" in page else {"items": []}
        if not page["items"]:
            break
    assert len(seen) == len(set(seen))
    assert {user.id for user in users} <= set(seen)
    assert not {"password_hash", "email_key"} & set(found["items"][0])


async def _disable(admin: Account, user: Account) -> httpx.Response:
    return await admin.http.patch(f"/v1/admin/users/{user.id}", json={"disabled": True})


async def _end_all(admin: Account, user: Account) -> httpx.Response:
    return await admin.http.delete(f"/v1/admin/users/{user.id}/sessions")


async def _end_one(admin: Account, user: Account) -> httpx.Response:
    return await admin.http.delete(f"/v1/admin/users/{user.id}/sessions/{user.session_id}")


@pytest.mark.parametrize(
    ("act", "action"),
    [(_disable, "disabled"), (_end_all, "sessions_ended"), (_end_one, "sessions_ended")],
    ids=["disabled", "all sessions ended", "one session ended"],
)
async def test_sockets_close_within_a_second(
    world: World, admin: Account, act: Callable[[Account, Account], Awaitable[httpx.Response]], action: str
) -> None:
    """4501 on every socket of it, the token dead; the administrator's own go on; the audit says who, and the user is not told who."""
    user = await world.user()
    mine = [await world.device(user, name=f"mine {n}") for n in range(2)]
    kept = await world.device(admin, name="the administrator's")
    at = time.monotonic()
    assert (await act(admin, user)).status_code in {200, 204}
    for device in mine:
        assert await device.closed(3) == (4501, "session_revoked")
        assert device.closed_at - at < 1, device.shown("the socket outlived its session by more than 1 s")
    assert told(await user.http.get("/v1/auth/me")) == (401, "session_revoked")
    assert kept.close_code is None
    entry = (await admin.get(f"/v1/admin/audit?user_id={user.id}&limit=1"))["items"][0]
    assert (entry["action"], entry["actor_id"], entry["subject_id"]) == (action, admin.id, user.id)
    assert (entry["actor"], entry["subject"]) == (admin.email, user.email)
    if action == "disabled":
        answer = await admin.http.patch(f"/v1/admin/users/{user.id}", json={"disabled": False})
        assert "disabled_at" not in answer.json()
    again = await world.again(user)
    activity = await again.get("/v1/auth/activity")
    assert admin.id not in json.dumps(activity)
    assert admin.email not in json.dumps(activity)
    assert ("administrator" in json.dumps(activity)) is True


async def test_the_audit_has_the_whole_address(server_factory: Factory, tmp_path: Path) -> None:
    """An IPv6 address is told to people as it is: its network of 64 bits is the key of throttles alone."""
    server = await asyncio.to_thread(server_factory, environment={"QUINTET_TRUSTED_PROXIES": "127.0.0.1"})
    async with World(server) as world:
        admin, user = await world.users(2)
        await Operator(server, tmp_path).fine("user", "role", admin.email, "admin")
        whole = {"X-Forwarded-For": "2001:db8:1:2:3:4:5:6"}
        answer = await admin.http.patch(f"/v1/admin/users/{user.id}", json={"disabled": True}, headers=whole)
        assert answer.status_code == 200
        entry = (await admin.get(f"/v1/admin/audit?user_id={user.id}&limit=1"))["items"][0]
        assert (entry["action"], entry["address"]) == ("disabled", "2001:db8:1:2:3:4:5:6")


async def test_open_work_is_seen_and_stopped(world: World, admin: Account) -> None:
    """Whose, by which agent, since when, and nothing of what it is about; stopped, it ends as if its user had stopped it."""
    user = await world.user()
    device = await world.device(user)
    said = await device.say({"mark": f"secret of {user.id}"}, agent="slow_tool")
    await device.find("the slow tool", lambda e: e.run == said.run_id and e.type == "tool_executing")
    answer = await admin.http.get("/v1/admin/runs")
    run = next(item for item in answer.json()["items"] if item["id"] == said.run_id)
    assert (run["user_id"], run["email"], run["agent"], run["state"]) == (user.id, user.email, "slow_tool", "running")
    assert "secret of" not in answer.text
    stopped = await admin.http.post(f"/v1/admin/users/{user.id}/runs/{said.run_id}/cancel")
    assert stopped.status_code == 202
    events = await device.run(said.run_id)
    assert (events[-1].type, events[-1]["data"]["reason"]) == ("agent_cancelled", "user")


async def test_nobody_locks_themselves_out(admin: Account) -> None:
    """An administrator cannot disable themselves nor take their own role: 409; an unknown user is 404, an unknown role 422."""
    for body in ({"disabled": True}, {"role": "user"}):
        assert told(await admin.http.patch(f"/v1/admin/users/{admin.id}", json=body)) == (409, "conflict")
    assert told(await admin.http.patch("/v1/admin/users/usr_nothing", json={"role": "user"})) == (404, "not_found")
    answer = await admin.http.patch("/v1/admin/users/usr_nothing", json={"role": "deleted"})
    assert told(answer) == (422, "bad_message")
    health = await admin.get("/v1/admin/health")
    assert set(health["checks"].values()) == {"ok"}
    assert health["figures"]["users"] >= 1


async def test_the_audit_is_read_on_the_host(world: World, operator: Operator) -> None:
    """`quintet user audit` tells the newest first, of one or of everybody, as lines or as JSON; the log has ids and actions, no address."""
    user = await world.user()
    wrong = {"email": user.email, "password": "violet anchor 77 marmalade"}
    assert told(await user.http.post("/v1/auth/login", json=wrong)) == (401, "credentials_wrong")
    deadline = time.monotonic() + 5
    rows: list[dict[str, str]] = []
    while not rows or rows[0]["action"] != "sign_in_failed":
        assert time.monotonic() < deadline, rows
        rows = json.loads((await operator.fine("user", "audit", user.email, "--json")).out)
        await asyncio.sleep(0.1)
    assert [row["action"] for row in rows] == ["sign_in_failed", "signed_in", "registered"]
    assert rows[0]["address"] == "127.0.0.1"
    lines = (await operator.fine("user", "audit")).out.splitlines()
    assert any(user.id in line and "sign_in_failed" in line for line in lines)
    logged = [line for line in world.server.logged().splitlines() if user.id in line and "sign_in_failed" in line]
    assert logged
    assert "127.0.0.1" not in logged[0]
