"""Signing up."""

import asyncio
import json
from typing import Any

import pytest

from accounts.house import PASSWORD, House, Opener, bearer, expect, refused

pytestmark = pytest.mark.l2

JSON = {"Content-Type": "application/json"}


async def test_signing_up_signs_in(house: House) -> None:
    """The answer has the user and both tokens, and the access token works at once."""
    answer = await house.http.post(
        "/v1/auth/register",
        json={"email": "Ada@Example.com", "password": PASSWORD, "name": " Ada 🦊 ", "device": "laptop"},
    )
    told = expect(answer, 201)
    assert set(told) == {"user", "session_id", "access_token", "token_type", "expires_in", "refresh_token"}
    assert (told["token_type"], told["expires_in"]) == ("Bearer", 600)
    user = told["user"]
    assert {key: user[key] for key in ("email", "email_verified", "name", "role")} == {
        "email": "Ada@example.com",
        "email_verified": False,
        "name": "Ada 🦊",
        "role": "user",
    }
    assert user["created_at"] == "2027-01-15T08:00:00.000Z"
    assert expect(await house.me(told["access_token"]), 200) == user
    assert "set-cookie" not in answer.headers


async def test_what_is_absent_is_absent(house: House) -> None:
    """A user without a name has no key for it, never null."""
    assert "name" not in (await house.register())["user"]


async def test_one_address_has_one_account(house: House) -> None:
    """Letter case makes no second account, and neither do five requests at once."""
    spellings = ["ada@example.com", "ADA@example.com", "Ada@EXAMPLE.com", "aDa@example.COM", "ada@example.com"]
    answers = await asyncio.gather(
        *(house.http.post("/v1/auth/register", json={"email": email, "password": PASSWORD}) for email in spellings)
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"email_taken"}
    assert await house.rows("SELECT count(*) FROM users") == [(1,)]
    assert await house.rows("SELECT count(*) FROM sessions") == [(1,)]


async def test_nothing_but_a_salted_hash_is_stored(house: House) -> None:
    """Neither the password nor any token is anywhere in the database."""
    told = await house.register()
    await house.refresh(told["refresh_token"], "attempt-canary")
    names = [name for (name,) in await house.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    everything = repr([await house.rows(f'SELECT * FROM "{name}"') for name in names])
    for secret in (PASSWORD, told["refresh_token"], told["refresh_token"][3:], told["access_token"], "attempt-canary"):
        assert secret not in everything
    ((stored,),) = await house.rows("SELECT password_hash FROM users")
    assert stored.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"email": "nonsense", "password": PASSWORD}, "email_invalid"),
        ({"email": "a\r\nb@example.com", "password": PASSWORD}, "email_invalid"),
        ({"email": "a\ud800@example.com", "password": PASSWORD}, "email_invalid"),
        ({"email": "аda@example.com", "password": PASSWORD}, "email_invalid"),
        ({"email": "a@example.com", "password": "fourteen chars"}, "password_too_short"),
        ({"email": "a@example.com", "password": "x7" * 150}, "password_too_long"),
        ({"email": "a@example.com", "password": "123456789012345"}, "password_common"),
        ({"email": "a@example.com", "password": "violet \0 anchor 77"}, "password_invalid"),
        ({"email": "a@example.com", "password": "violet \udfff anchor 77"}, "password_invalid"),
        ({"email": "a@example.com"}, "bad_message"),
        ({"password": PASSWORD}, "bad_message"),
        ({"email": 7, "password": PASSWORD}, "bad_message"),
        ({"email": "a@example.com", "password": 123456789012345}, "bad_message"),
        ({"email": "a@example.com", "password": PASSWORD, "name": ""}, "bad_message"),
        ({"email": "a@example.com", "password": PASSWORD, "name": "x" * 101}, "bad_message"),
        ({"email": "a@example.com", "password": PASSWORD, "name": "a\0b"}, "bad_message"),
        ({"email": "a@example.com", "password": PASSWORD, "name": "a\nb"}, "bad_message"),
        ({"email": "a@example.com", "password": PASSWORD, "name": "a\u202eb"}, "bad_message"),
        ({"email": "a@example.com", "password": PASSWORD, "name": "a\ud800b"}, "bad_message"),
        ({"email": "a@example.com", "password": PASSWORD, "is_admin": True}, "bad_message"),
        ({"email": "a@example.com", "password": PASSWORD, "role": "admin"}, "bad_message"),
        ({"email": "a@example.com", "password": PASSWORD, "id": "usr_1"}, "bad_message"),
    ],
)
async def test_a_malformed_sign_up_is_refused_and_leaves_nothing(
    open_house: Opener, body: dict[str, Any], code: str
) -> None:
    """422 with the code of what is wrong, no hash (here it would take minutes), no row, nothing of the request in the answer."""
    async with open_house(hash_rounds=10_000_000) as house, asyncio.timeout(20):
        answer = await house.http.post("/v1/auth/register", content=json.dumps(body), headers=JSON)
        assert refused(answer) == (422, code)
        assert await house.rows("SELECT count(*) FROM users") == [(0,)]
    for value in body.values():
        assert not value or str(value) not in answer.text.replace(answer.headers["x-request-id"], "")


async def test_sign_up_can_be_closed(open_house: Opener) -> None:
    """A closed server says so, whoever asks."""
    async with open_house(sign_up="closed") as house:
        answer = await house.http.post("/v1/auth/register", json={"email": "a@example.com", "password": PASSWORD})
        assert refused(answer) == (403, "forbidden")


async def test_registrations_per_address_are_throttled(open_house: Opener, clock: Any) -> None:
    """Sixty a minute from one address; refused ones count, since guessing addresses is what they would be for."""
    async with open_house(per_address=True, registrations_per_address="3 per 1 minute") as house:
        body = {"email": "nonsense", "password": PASSWORD}
        codes = [refused(await house.http.post("/v1/auth/register", json=body))[1] for _ in range(4)]
        assert codes == ["email_invalid"] * 3 + ["rate_limited"]
        clock.forward(seconds=60)
        assert refused(await house.http.post("/v1/auth/register", json=body)) == (422, "email_invalid")


async def test_the_profile_can_be_changed_and_nothing_else(house: House) -> None:
    """The name is the user's to change; the role, the address and the id are not, by this way."""
    told = await house.register()
    headers = bearer(told["access_token"])
    changed = expect(await house.http.patch("/v1/auth/me", json={"name": "Ada"}, headers=headers), 200)
    assert changed == {**told["user"], "name": "Ada"}
    assert expect(await house.http.patch("/v1/auth/me", json={}, headers=headers), 200) == changed
    for field in ("role", "email", "id", "email_verified"):
        answer = await house.http.patch("/v1/auth/me", json={field: "admin"}, headers=headers)
        assert refused(answer) == (422, "bad_message")
    assert expect(await house.me(told["access_token"]), 200) == changed
