"""Refresh tokens: one use, one family, and a reload in the middle harms nobody."""

import asyncio
import json
from typing import Any

import pytest

from accounts.house import SECRET, House, Opener, expect, refused
from quintet.accounts import Secrets
from quintet.accounts.sessions import refresh as rules

pytestmark = pytest.mark.l2


async def test_a_refresh_brings_a_new_pair(house: House, clock: Any) -> None:
    """Both tokens are new, the session is the same, and the new pair works."""
    told = await house.register()
    clock.forward(seconds=60)
    fresh = expect(await house.refresh(told["refresh_token"]), 200)
    assert set(fresh) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert fresh["refresh_token"] != told["refresh_token"]
    assert fresh["access_token"] != told["access_token"]
    expect(await house.me(fresh["access_token"]), 200)
    assert (await house.accounts.authenticate(fresh["access_token"])).session_id == told["session_id"]
    expect(await house.refresh(fresh["refresh_token"]), 200)


async def test_of_five_uses_at_once_one_wins(house: House) -> None:
    """The others hear 409 and the session stands."""
    told = await house.register()
    answers = await asyncio.gather(*(house.refresh(told["refresh_token"]) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"refresh_conflict"}
    (winner,) = [answer.json() for answer in answers if answer.status_code == 200]
    expect(await house.refresh(winner["refresh_token"]), 200)


async def test_a_later_reuse_ends_the_family(house: House, clock: Any) -> None:
    """A used token that comes again was stolen from somebody: all of its session ends, once, and sockets are told."""
    told = await house.register("ada@example.com")
    other = expect(await house.login("ada@example.com"), 200)
    fresh = expect(await house.refresh(told["refresh_token"], "mine"), 200)
    clock.forward(seconds=10)
    assert refused(await house.refresh(told["refresh_token"])) == (409, "refresh_conflict")
    clock.forward(seconds=1)
    assert refused(await house.refresh(told["refresh_token"], "theirs")) == (401, "refresh_reused")
    assert refused(await house.refresh(fresh["refresh_token"])) == (401, "session_revoked")
    assert refused(await house.refresh(told["refresh_token"])) == (401, "session_revoked")
    assert refused(await house.me(fresh["access_token"])) == (401, "session_revoked")
    expect(await house.me(other["access_token"]), 200)
    ended = await house.rows("SELECT ended_because FROM sessions WHERE id = ?", told["session_id"])
    assert ended == [("refresh_reused",)]
    assert await house.rows("SELECT auth_rev FROM heads") == [(1,)]


async def test_the_same_attempt_gets_the_same_answer(house: House, clock: Any) -> None:
    """A client that lost the answer asks again with its attempt and goes on, for a minute; also ten times at once."""
    told = await house.register()
    first = expect(await house.refresh(told["refresh_token"], "attempt 1"), 200)
    again = await asyncio.gather(*(house.refresh(told["refresh_token"], "attempt 1") for _ in range(10)))
    assert all(expect(answer, 200) == first for answer in again)
    clock.forward(seconds=60)
    last = expect(await house.refresh(told["refresh_token"], "attempt 1"), 200)
    assert last == first
    expect(await house.me(last["access_token"]), 200)
    assert await house.rows("SELECT count(*) FROM refresh_tokens") == [(2,)]
    clock.forward(seconds=1)
    assert refused(await house.refresh(told["refresh_token"], "attempt 1")) == (401, "refresh_reused")


async def test_another_attempt_is_a_conflict(house: House) -> None:
    """The wrong attempt, or none, gets nothing of the right one's answer."""
    told = await house.register()
    expect(await house.refresh(told["refresh_token"], "attempt 1"), 200)
    for attempt in ("attempt 2", "attempt 1 ", None):
        assert refused(await house.refresh(told["refresh_token"], attempt)) == (409, "refresh_conflict")


async def test_a_successor_depends_on_token_attempt_and_secret() -> None:
    """Nobody without the secret can say what follows a token."""
    made = {
        rules.successor(key, token, attempt)
        for key in (b"a" * 32, b"b" * 32)
        for token in ("qr_1", "qr_2")
        for attempt in ("1", "2")
    }
    assert len(made) == 8
    assert all(rules.is_token(token) for token in made)


async def test_an_unused_token_dies_of_idleness(house: House, clock: Any) -> None:
    """Fourteen days without a use."""
    told = await house.register()
    clock.forward(days=13.9)
    fresh = expect(await house.refresh(told["refresh_token"]), 200)
    clock.forward(days=14)
    assert refused(await house.refresh(fresh["refresh_token"])) == (401, "token_expired")


async def test_a_session_dies_of_age(house: House, clock: Any) -> None:
    """Thirty days after the sign-in, however often it was used; its last access token dies with it."""
    token = (await house.register())["refresh_token"]
    for _ in range(3):
        clock.forward(days=9.99)
        fresh = expect(await house.refresh(token), 200)
        token = fresh["refresh_token"]
    clock.forward(days=0.03)
    assert refused(await house.refresh(token)) == (401, "token_expired")


@pytest.mark.parametrize(
    "token", ["", "nonsense", "qr_", "qr_" + "A" * 43, "qr_" + "A" * 100_000, "qr_\ud800", "é" * 46]
)
async def test_a_token_that_never_was_is_invalid(house: House, token: str) -> None:
    """Any text: 401, and never a failure."""
    content = json.dumps({"refresh_token": token})
    answer = await house.http.post("/v1/auth/refresh", content=content, headers={"Content-Type": "application/json"})
    assert refused(answer) == (401, "invalid_token")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"refresh_token": 7},
        {"refresh_token": None},
        {"refresh_token": "x", "attempt_id": ""},
        {"refresh_token": "x", "attempt_id": "a" * 129},
        {"refresh_token": "x", "attempt_id": "\ud800"},
        {"refresh_token": "x", "user_id": "usr_1"},
    ],
)
async def test_a_malformed_refresh_is_422(house: House, body: dict[str, Any]) -> None:
    """A missing token, a wrong type, an unknown field."""
    content = json.dumps(body)
    answer = await house.http.post("/v1/auth/refresh", content=content, headers={"Content-Type": "application/json"})
    assert refused(answer) == (422, "bad_message")


async def test_an_access_token_is_no_refresh_token_nor_the_reverse(house: House) -> None:
    """Neither does the other's work."""
    told = await house.register()
    assert refused(await house.refresh(told["access_token"])) == (401, "invalid_token")
    assert refused(await house.me(told["refresh_token"])) == (401, "invalid_token")


async def test_used_tokens_are_remembered_within_a_bound(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A family's memory is long, and it has an end."""
    monkeypatch.setattr(rules, "KEPT", 5)
    token = (await house.register())["refresh_token"]
    for _ in range(12):
        token = expect(await house.refresh(token), 200)["refresh_token"]
    assert await house.rows("SELECT count(*), max(generation) FROM refresh_tokens") == [(5, 13)]


async def test_a_changed_secret_keeps_refresh_tokens_and_ends_access_tokens(open_house: Opener) -> None:
    """Whoever changes the secret ends every access token at once; devices come back by themselves."""
    async with open_house() as house:
        told = await house.register()
    async with open_house(secret=Secrets("another secret, just as long and of many letters")) as house:
        assert refused(await house.me(told["access_token"])) == (401, "invalid_token")
        fresh = expect(await house.refresh(told["refresh_token"]), 200)
        expect(await house.me(fresh["access_token"]), 200)


async def test_a_new_secret_beside_the_old_one_signs_nobody_out(open_house: Opener) -> None:
    """Access tokens live on, an attempt under the old secret is repeated to the byte under the new one, and later the old one is
    taken away without anybody noticing."""
    new = "another secret, just as long and of many letters"
    async with open_house() as house:
        told = await house.register()
        first = await house.refresh(told["refresh_token"], "attempt 1")
        expect(first, 200)
    async with open_house(secret=Secrets(new, (SECRET.newest,))) as house:
        expect(await house.me(told["access_token"]), 200)
        assert (await house.refresh(told["refresh_token"], "attempt 1")).content == first.content
        fresh = expect(await house.refresh(first.json()["refresh_token"], "attempt 2"), 200)
    async with open_house(secret=Secrets(new)) as house:
        for token in (told["access_token"], fresh["access_token"]):
            expect(await house.me(token), 200)
        again = expect(await house.refresh(first.json()["refresh_token"], "attempt 2"), 200)
        assert again == fresh
