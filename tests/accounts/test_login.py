"""Signing in, out, and what a session is worth."""

import asyncio
from typing import Any

import pytest

from accounts.house import PASSWORD, House, Opener, bearer, expect, refused

pytestmark = pytest.mark.l2


async def test_five_sign_ins_at_once_are_five_sessions(house: House) -> None:
    """Each device has its own session and its own tokens."""
    first = await house.register("ada@example.com")
    answers = [expect(a, 200) for a in await asyncio.gather(*(house.login("ADA@example.com") for _ in range(5)))]
    assert len({answer["session_id"] for answer in answers} | {first["session_id"]}) == 6
    assert len({answer["refresh_token"] for answer in answers}) == 5
    assert {answer["user"]["id"] for answer in answers} == {first["user"]["id"]}
    for answer in answers:
        expect(await house.me(answer["access_token"]), 200)


async def test_a_wrong_password_and_an_unknown_user_look_the_same(house: House) -> None:
    """Nobody learns who has an account: same status, same bytes but for the request id."""
    await house.register("ada@example.com")
    answers = [await house.login(email, "another password 77") for email in ("ada@example.com", "bob@example.com")]
    assert [refused(answer) for answer in answers] == [(401, "credentials_wrong")] * 2
    assert len({answer.text.replace(answer.headers["x-request-id"], "") for answer in answers}) == 1


async def test_guessing_is_throttled_per_account_and_ends(house: House, clock: Any) -> None:
    """Five failures in five minutes, then 429 even for the right password, known user or not; then it opens again."""
    await house.register("ada@example.com")
    for email in ("ada@example.com", "nobody@example.com"):
        codes = [refused(await house.login(email, "another password 77"))[1] for _ in range(6)]
        assert codes == ["credentials_wrong"] * 5 + ["rate_limited"]
    answer = await house.login("Ada@example.com")
    assert (refused(answer), answer.headers["retry-after"]) == ((429, "rate_limited"), "300")
    clock.forward(seconds=299)
    assert refused(await house.login("ada@example.com")) == (429, "rate_limited")
    clock.forward(seconds=1)
    expect(await house.login("ada@example.com"), 200)


async def test_guesses_under_way_at_once_do_not_pass_the_throttle(house: House) -> None:
    """Of twenty guesses at once five learn that they are wrong; the right one among them learns nothing either."""
    await house.register("ada@example.com")
    wrong = [house.login("ada@example.com", f"another password {n}") for n in range(20)]
    answers = await asyncio.gather(*wrong)
    codes = sorted(refused(answer)[1] for answer in answers)
    assert codes == ["credentials_wrong"] * 5 + ["rate_limited"] * 15
    assert refused(await house.login("ada@example.com")) == (429, "rate_limited")


async def test_sign_ins_per_address_are_throttled(open_house: Opener) -> None:
    """Ten a minute from one address, whoever they are for; the header of an untrusted caller changes nothing."""
    async with open_house(per_address=True) as house:
        codes = [
            refused(
                await house.http.post(
                    "/v1/auth/login",
                    json={"email": f"nobody{n}@example.com", "password": PASSWORD},
                    headers={"X-Forwarded-For": f"198.51.100.{n}"},
                )
            )[1]
            for n in range(11)
        ]
        assert codes == ["credentials_wrong"] * 10 + ["rate_limited"]


async def test_a_flood_of_sign_ins_is_answered_at_once(open_house: Opener) -> None:
    """Two hundred at once: those that find a place are answered, the rest hear 503 with a time to come back."""
    async with open_house(hash_rounds=2, hash_kib=8 * 1024) as house:
        await house.register("ada@example.com")
        answers = await asyncio.gather(*(house.login("ada@example.com") for _ in range(200)))
        codes = [answer.status_code for answer in answers]
        assert set(codes) == {200, 503}
        assert codes.count(200) >= 20
        assert {answer.headers["retry-after"] for answer in answers if answer.status_code == 503} == {"2"}


async def test_a_disabled_user_is_out(house: House) -> None:
    """Neither the access token, nor the refresh token, nor the right password lets a disabled user in."""
    told = await house.register("ada@example.com")
    await house.change("UPDATE users SET disabled_at = 1")
    assert refused(await house.me(told["access_token"])) == (401, "session_revoked")
    assert refused(await house.refresh(told["refresh_token"])) == (401, "session_revoked")
    assert refused(await house.login("ada@example.com")) == (403, "forbidden")
    assert refused(await house.login("ada@example.com", "another password 77")) == (401, "credentials_wrong")


async def test_signing_out_is_out(house: House) -> None:
    """The access token of an ended session is worth nothing a moment later; other sessions stand; sockets are told."""
    told = await house.register("ada@example.com")
    other = expect(await house.login("ada@example.com"), 200)
    ((before,),) = await house.rows("SELECT auth_rev FROM heads")
    answer = await house.http.post("/v1/auth/logout", headers=bearer(told["access_token"]))
    assert (answer.status_code, answer.content) == (204, b"")
    assert refused(await house.me(told["access_token"])) == (401, "session_revoked")
    assert refused(await house.refresh(told["refresh_token"])) == (401, "session_revoked")
    expect(await house.me(other["access_token"]), 200)
    ((after,),) = await house.rows("SELECT auth_rev FROM heads")
    assert after == before + 1


async def test_signing_out_by_the_refresh_token(house: House) -> None:
    """Whose access token has expired signs out with the other one."""
    told = await house.register()
    answer = await house.http.post("/v1/auth/logout", json={"refresh_token": told["refresh_token"]})
    assert answer.status_code == 204
    assert refused(await house.me(told["access_token"])) == (401, "session_revoked")


async def test_signing_out_is_always_fine(house: House) -> None:
    """Twice, with nothing, or with nonsense: 204, and nobody else is signed out."""
    told = await house.register()
    for headers, body in (
        ({}, None),
        (bearer("nonsense"), None),
        ({"Authorization": "Basic YTpi"}, None),
        ({}, {}),
        ({}, {"refresh_token": "nonsense"}),
        ({}, {"refresh_token": "qr_" + "A" * 43}),
    ):
        answer = await house.http.post("/v1/auth/logout", headers=headers, json=body)
        assert (answer.status_code, answer.content) == (204, b"")
    expect(await house.me(told["access_token"]), 200)
    for _ in range(2):
        answer = await house.http.post("/v1/auth/logout", headers=bearer(told["access_token"]))
        assert answer.status_code == 204


async def test_an_access_token_has_its_time(house: House, clock: Any) -> None:
    """Ten minutes and the leeway; then the refresh token brings another."""
    told = await house.register()
    clock.forward(seconds=629)
    expect(await house.me(told["access_token"]), 200)
    clock.forward(seconds=1)
    assert refused(await house.me(told["access_token"])) == (401, "token_expired")
    fresh = expect(await house.refresh(told["refresh_token"]), 200)
    expect(await house.me(fresh["access_token"]), 200)


async def test_a_token_of_a_user_who_is_gone_is_no_token(house: House) -> None:
    """Deleting a user leaves tokens that name nobody."""
    told = await house.register()
    await house.change("DELETE FROM users")
    assert refused(await house.me(told["access_token"])) == (401, "invalid_token")


async def test_no_token_no_answer(house: House) -> None:
    """A route of one's own asks for a credential, and says which."""
    answer = await house.http.get("/v1/auth/me")
    assert (refused(answer), answer.headers["www-authenticate"]) == ((401, "unauthenticated"), "Bearer")


async def test_an_old_hash_is_renewed_at_the_next_sign_in(open_house: Opener) -> None:
    """When hashing is made dearer, each account follows as its owner comes by, and only then."""
    async with open_house() as house:
        await house.register("ada@example.com")
    async with open_house(hash_rounds=2) as house:
        expect(await house.login("ada@example.com"), 200)
        ((stored,),) = await house.rows("SELECT password_hash FROM users")
        assert "t=2" in stored
        expect(await house.login("ada@example.com"), 200)
        assert await house.rows("SELECT password_hash FROM users") == [(stored,)]


async def test_an_identity_stands_until_its_session_ends(house: House) -> None:
    """What a socket asks again: the same identity, at the revision it was checked at, and then no more."""
    told = await house.register()
    identity = await house.accounts.authenticate(told["access_token"])
    assert (identity.user_id, identity.session_id) == (told["user"]["id"], told["session_id"])
    assert (identity.auth_rev, identity.role, identity.expires_at) == (0, "user", 1_800_000_600)
    assert await house.accounts.still_valid(identity)
    await house.http.post("/v1/auth/logout", headers=bearer(told["access_token"]))
    assert not await house.accounts.still_valid(identity)
