"""The same thing twice in one moment, and things that exclude each other: at one server, and at two on one PostgreSQL."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from accounts.filling import counts
from accounts.house import CONFIG, PASSWORD, Clock, House, bearer, expect, opened
from accounts.test_factor import Holder
from quintet.accounts.joining import invites
from quintet.accounts.joining.invites import Invite
from support.databases import DATABASES

pytestmark = pytest.mark.l2

NEW = "another anchor 99 of quinces"
ROUNDS = 8


class Houses(list[House]):
    """Servers on one database; the same one twice where only one may have it."""

    @property
    def http(self) -> list[httpx.AsyncClient]:
        """A client of each."""
        return [house.http for house in self]

    async def person(self) -> dict[str, Any]:
        """A new account."""
        return await self[0].register(f"{secrets.token_hex(6)}@example.com")

    async def login(self, told: dict[str, Any], nth: int = 0, password: str = PASSWORD) -> httpx.Response:
        """A sign-in at one of them."""
        return await self[nth].login(told["user"]["email"], password)

    async def both(self, *asking: "Ask") -> list[int]:
        """The statuses of several requests, the nth at the nth server (round), all begun in one moment."""
        answers = await asyncio.gather(*(ask(self.http[n % 2]) for n, ask in enumerate(asking)))
        return [answer.status_code for answer in answers]


@pytest.fixture(params=DATABASES)
async def houses(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Houses]:
    """Two servers on PostgreSQL, one on SQLite."""
    base = DATABASES[request.param](tmp_path)
    monkeypatch.setattr("accounts.house.database_at", lambda path: base.url)
    config = replace(CONFIG, failures_per_account="1000 per 1 minute", code_failures_per_account="1000 per 1 minute")
    async with AsyncExitStack() as stack:
        made = [await stack.enter_async_context(opened(tmp_path / "unused", clock, config))]
        if request.param == "postgres":
            made.append(await stack.enter_async_context(opened(tmp_path / "unused", clock, config)))
        yield Houses([made[0], made[-1]])


Ask = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


def call(verb: str, path: str, body: Any = None, token: str | None = None) -> Ask:
    """A request under /v1/auth, at whichever server."""

    async def ask(http: httpx.AsyncClient) -> httpx.Response:
        return await http.request(verb, f"/v1/auth/{path}", json=body, headers=bearer(token) if token else {})

    return ask


def post(path: str, body: dict[str, Any], token: str | None = None) -> Ask:
    """A POST."""
    return call("POST", path, body, token)


async def test_a_code_opens_one_session(houses: Houses) -> None:
    """One code of an authenticator, and one recovery code, each for two sign-ins that wait, at once: one comes in."""
    for _ in range(ROUNDS):
        told = await houses.person()
        holder = Holder(houses[0], told)
        await holder.enrol()
        for code in (holder.code, holder.recovery[0]):
            waiting = [(await houses.login(told, n)).json()["pending_token"] for n in range(2)]
            steps = [post("login/factor", {"pending_token": token, "code": code}) for token in waiting]
            assert sorted(await houses.both(*steps)) == [200, 401]


async def test_an_invitation_makes_one_account(houses: Houses) -> None:
    """One for anybody, used by two at once."""
    for _ in range(ROUNDS):
        token, now = invites.token_of(secrets.token_bytes(32)), houses[0].clock.now_ms()
        made = Invite(invites.digest_of(token), None, "user", now, now + 10_000)
        await houses[0].store.write("invites", lambda tx, made=made: invites.add(tx, made))  # type: ignore[misc]
        forms = [
            {"email": f"{secrets.token_hex(6)}@example.com", "password": PASSWORD, "invite": token} for _ in range(2)
        ]
        assert sorted(await houses.both(*(post("register", form) for form in forms))) == [201, 403]


async def test_a_refresh_token_has_one_successor(houses: Houses) -> None:
    """Used four times at once: one wins, the others hear 409, and the session lives."""
    for _ in range(ROUNDS):
        told = await houses.person()
        use = post("refresh", {"refresh_token": told["refresh_token"]})
        assert sorted(await houses.both(use, use, use, use)) == [200, 409, 409, 409]
        expect(await houses[1].me(told["access_token"]), 200)


async def test_what_comes_with_another_password_ends_with_it(houses: Houses) -> None:
    """A refresh elsewhere, a sign-in, an API key and a second step, each at once with another password: whichever is first, nothing that
    was opened with the old one stands after it."""
    for number in range(ROUNDS * 2):
        told = await houses.person()
        thief = expect(await houses.login(told, 1), 200)
        change = post("password", {"current": PASSWORD, "new": NEW}, told["access_token"])
        doing = (
            post("refresh", {"refresh_token": thief["refresh_token"]}),
            post("keys", {"name": "k", "password": PASSWORD}, thief["access_token"]),
            post("login", {"email": told["user"]["email"], "password": PASSWORD}),
        )[number % 3]
        other, mine = houses.http if number % 2 else reversed(houses.http)
        changed, got = await asyncio.gather(change(mine), doing(other))
        assert changed.status_code == 204, changed.text
        body = got.json() if got.status_code < 300 else {}
        for token in filter(None, (body.get("access_token"), body.get("key"), thief["access_token"])):
            assert (await houses[0].me(token)).status_code == 401, f"{got.request.url} left something open"
        expect(await houses[1].me(told["access_token"]), 200)


async def test_twenty_sessions_however_many_come_at_once(houses: Houses) -> None:
    """Fifteen more at each server: twenty stand."""
    told = await houses.person()
    body = {"email": told["user"]["email"], "password": PASSWORD}
    assert set(await houses.both(*[post("login", body)] * 30)) <= {200, 503}
    while (await houses.login(told)).status_code != 200:
        pass
    assert await houses[0].rows("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == [(20,)]


async def test_nothing_of_a_deleted_account_comes_after_it(houses: Houses) -> None:
    """A sign-in, a wrong one, a refresh, a key, a new name, a step of a passkey, a forgotten password, each at once with the deletion:
    afterwards no table has a row of the user, the audit no address, and no token of theirs opens anything."""
    for _ in range(ROUNDS):
        told = await houses.person()
        email, user_id = told["user"]["email"], told["user"]["id"]
        other = expect(await houses.login(told, 1), 200)
        asking = [
            call("DELETE", "me", {"password": PASSWORD}, told["access_token"]),
            post("login", {"email": email, "password": PASSWORD}),
            post("login", {"email": email, "password": NEW}),
            post("refresh", {"refresh_token": other["refresh_token"]}),
            post("keys", {"name": "k", "password": PASSWORD}, other["access_token"]),
            call("PATCH", "me", {"name": "Ada"}, other["access_token"]),
            post("passkeys/options", {"password": PASSWORD}, other["access_token"]),
            post("password/forgot", {"email": email}),
            call(
                "GET", "me/export", None, other["access_token"]
            ),  # which is cut, by raising where there is no connection
        ]
        tried = (ask(houses.http[n % 2]) for n, ask in enumerate(asking))
        answers = [a for a in await asyncio.gather(*tried, return_exceptions=True) if isinstance(a, httpx.Response)]
        assert answers[0].status_code == 204
        assert not [answer.text for answer in answers if answer.status_code == 500]
        for house in houses:
            await house.accounts.errands.settle(10)
            await house.store.write(user_id, lambda tx: None)  # what was noted beside an answer is written
        assert not any((await houses[0].store.read(partial(counts, user_id=user_id))).values())
        left = "SELECT action, address FROM audit WHERE subject_id = ? AND address IS NOT NULL"
        assert await houses[0].rows(left, user_id) == []
        for answer in answers:
            if answer.status_code < 300 and "access_token" in answer.text:
                assert (await houses[0].me(answer.json()["access_token"])).status_code == 401


async def test_one_address_one_account(houses: Houses) -> None:
    """Registered four times at once, in any letters."""
    for _ in range(ROUNDS):
        name = secrets.token_hex(6)
        forms = [{"email": f"{word}@example.com", "password": PASSWORD} for word in (name, name.upper(), name, name)]
        assert sorted(await houses.both(*(post("register", form) for form in forms))) == [201, 409, 409, 409]
