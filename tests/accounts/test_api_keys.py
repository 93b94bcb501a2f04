"""API keys: a user's programs come in by them, as far as their scopes go and no further."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.house import PASSWORD, Clock, House, bearer, expect, refused
from quintet.accounts.machines.key_form import is_key, key_of
from quintet.scope import Identity

pytestmark = pytest.mark.l2

KEYS = "/v1/auth/keys"


async def made(house: House, token: str, **more: Any) -> dict[str, Any]:
    """A new key of the account."""
    body = {"name": "a laptop", "password": PASSWORD, **more}
    return expect(await house.http.post(KEYS, json=body, headers=bearer(token)), 201)


async def listed(house: House, token: str) -> list[dict[str, Any]]:
    """The keys that the account sees."""
    items: list[dict[str, Any]] = expect(await house.http.get(KEYS, headers=bearer(token)), 200)["items"]
    return items


@given(st.binary(min_size=32, max_size=32), st.integers(0, 51), st.sampled_from("0Aaz_-é "))
def test_a_typing_error_is_seen_without_asking_anybody(random: bytes, place: int, other: str) -> None:
    """A key is 52 letters and digits behind a prefix for scanners; with any one of them changed, dropped or doubled it is none."""
    key = key_of(random)
    assert re.fullmatch(r"qk_[0-9A-Za-z]{49}", key)
    assert is_key(key)
    wrong = {
        key[:place] + other + key[place + 1 :],
        key[:place] + key[place + 1 :],
        key[:place] + key[place] + key[place:],
    }
    assert not any(is_key(text) for text in wrong - {key})


async def test_a_key_speaks_for_its_user_and_is_shown_once(house: House, clock: Clock) -> None:
    """It is in the answer that made it and nowhere else; the list has its first characters and when it was last used."""
    told = await house.register()
    key = await made(house, told["access_token"], scopes=["read"])
    assert (key["scopes"], key["key"].startswith(key["hint"])) == (["read"], True)
    (before,) = await listed(house, told["access_token"])
    assert "last_used_at" not in before
    assert expect(await house.me(key["key"]), 200)["id"] == told["user"]["id"]
    (after,) = await listed(house, told["access_token"])
    assert set(after) == {"id", "name", "hint", "scopes", "created_at", "expires_at", "last_used_at"}
    dump = str(await house.rows("SELECT * FROM api_keys")) + str(await house.rows("SELECT * FROM audit"))
    assert key["key"] not in dump
    assert key["key"][12:] not in str(after)


async def test_a_key_is_dead_when_it_is_revoked_or_over(house: House, clock: Clock) -> None:
    """Each in its own words; what was never a key, too. The list forgets it, and so does the table."""
    told = await house.register()
    token = told["access_token"]
    key, other, short = [await made(house, token, days=days) for days in (90, 90, 1)]
    assert (await house.http.delete(f"{KEYS}/{key['id']}", headers=bearer(token))).status_code == 204
    assert refused(await house.me(key["key"])) == (401, "session_revoked"), "a revoked key still works"
    assert refused(await house.http.delete(f"{KEYS}/{key['id']}", headers=bearer(token))) == (404, "not_found")
    assert refused(await house.http.delete(f"{KEYS}/key_none", headers=bearer(token))) == (404, "not_found")
    for text in ("qk_", key["key"][:-1], key["key"][:-1] + "!", key_of(b"x" * 32)):
        assert refused(await house.me(text)) == (401, "invalid_token")
    clock.forward(days=1)
    assert refused(await house.me(short["key"])) == (401, "token_expired")
    expect(await house.me(other["key"]), 200)
    fresh = expect(await house.refresh(told["refresh_token"]), 200)["access_token"]
    assert [item["id"] for item in await listed(house, fresh)] == [other["id"]]
    clock.forward(days=2)
    fresh = expect(await house.login(told["user"]["email"]), 200)["access_token"]
    await made(house, fresh)
    assert await house.rows("SELECT count(*) FROM api_keys") == [(2,)]


async def test_a_key_changes_no_account(house: House) -> None:
    """Password, sessions, keys, profile: each needs a person who has signed in, whatever the key's scopes are."""
    told = await house.register()
    key = await made(house, told["access_token"])
    headers = bearer(key["key"])
    for verb, path, body in (
        ("PATCH", "/v1/auth/me", {"name": "x"}),
        ("POST", "/v1/auth/password", {"current": PASSWORD, "new": "violet anchor 78 marmalade"}),
        ("GET", "/v1/auth/sessions", None),
        ("DELETE", "/v1/auth/sessions?others=true", None),
        ("DELETE", f"/v1/auth/sessions/{told['session_id']}", None),
        ("GET", KEYS, None),
        ("POST", KEYS, {"name": "another", "password": PASSWORD}),
        ("DELETE", f"{KEYS}/{key['id']}", None),
    ):
        assert refused(await house.http.request(verb, path, json=body, headers=headers)) == (403, "forbidden"), path
    await house.http.post("/v1/auth/logout", headers=headers)
    expect(await house.me(key["key"]), 200)
    expect(await house.me(told["access_token"]), 200)


async def test_making_a_key_needs_the_password(house: House) -> None:
    """A stolen access token alone makes no key that outlives it."""
    told = await house.register()
    for password in ({}, {"password": "violet anchor 78 marmalade"}):
        answer = await house.http.post(KEYS, json={"name": "x", **password}, headers=bearer(told["access_token"]))
        assert refused(answer) == (401, "credentials_wrong")
    assert await listed(house, told["access_token"]) == []


async def test_what_a_key_may_be(house: House) -> None:
    """Names that can be shown, scopes that exist, a year at most, fifty at once."""
    told = await house.register()
    for wrong, code in (
        ({"name": ""}, "bad_message"),
        ({"scopes": ["read", "admin"]}, "invalid_scope"),
        ({"scopes": []}, "invalid_scope"),
        ({"days": 0}, "bad_message"),
        ({"days": 367}, "bad_message"),
        ({"user_id": "usr_1"}, "bad_message"),
    ):
        body = {"name": "x", "password": PASSWORD, **wrong}
        assert refused(await house.http.post(KEYS, json=body, headers=bearer(told["access_token"])))[1] == code
    keys = house.accounts.programs.keys
    ada = Identity(told["user"]["id"], told["session_id"], 0)
    confirmed = await house.accounts.confirmation.confirm(ada, PASSWORD)
    for _ in range(50):
        await keys.make(confirmed, "x", ["read"], 1)
    answer = await house.http.post(KEYS, json={"name": "x", "password": PASSWORD}, headers=bearer(told["access_token"]))
    assert refused(answer) == (409, "conflict")


async def test_keys_end_with_what_they_were_made_under(house: House) -> None:
    """A changed password ends every key: a thief who knew the old one may have made some. A disabled user's are dead."""
    told = await house.register()
    key = await made(house, told["access_token"])
    change = {"current": PASSWORD, "new": "violet anchor 78 marmalade"}
    answer = await house.http.post("/v1/auth/password", json=change, headers=bearer(told["access_token"]))
    assert answer.status_code == 204, answer.text
    assert refused(await house.me(key["key"])) == (401, "session_revoked")
    other = await house.register()
    key = await made(house, other["access_token"])
    await house.change("UPDATE users SET disabled_at = 1 WHERE id = ?", other["user"]["id"])
    assert refused(await house.me(key["key"])) == (401, "session_revoked")
