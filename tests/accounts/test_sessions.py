"""Sessions by device, and the password that ends them."""

from typing import Any

import pytest

from accounts.house import PASSWORD, House, bearer, expect, refused

pytestmark = pytest.mark.l2

NEW = "another violet anchor 78"


async def test_sessions_are_listed_by_device(house: House, clock: Any) -> None:
    """Each with its device, its times and whether it is the one that asks; the last used first."""
    await house.register("ada@example.com")
    clock.forward(seconds=5)
    laptop = expect(await house.login("ada@example.com", device="laptop"), 200)
    listed = expect(await house.http.get("/v1/auth/sessions", headers=bearer(laptop["access_token"])), 200)["items"]
    assert [(item["device"], item["current"]) for item in listed] == [("laptop", True), ("", False)]
    assert listed[0]["id"] == laptop["session_id"]
    assert listed[0]["created_at"] == listed[0]["last_used_at"] == "2027-01-15T08:00:05.000Z"


async def test_one_device_signs_another_out(house: House) -> None:
    """The other is out, this one stands; an ended one, a foreign one and one that never was are the same 404."""
    first = await house.register("ada@example.com")
    second = expect(await house.login("ada@example.com"), 200)
    foreign = await house.register("bob@example.com")
    headers = bearer(second["access_token"])
    assert (await house.http.delete(f"/v1/auth/sessions/{first['session_id']}", headers=headers)).status_code == 204
    assert refused(await house.me(first["access_token"])) == (401, "session_revoked")
    expect(await house.me(second["access_token"]), 200)
    answers = [
        await house.http.delete(f"/v1/auth/sessions/{session_id}", headers=headers)
        for session_id in (first["session_id"], foreign["session_id"], "ses_nothing", "'; --")
    ]
    assert {refused(answer) for answer in answers} == {(404, "not_found")}
    assert len({answer.text.replace(answer.headers["x-request-id"], "") for answer in answers}) == 1
    expect(await house.me(foreign["access_token"]), 200)


async def test_all_others_are_signed_out_at_once(house: House) -> None:
    """`?others=true` leaves the one that asks; without it nothing happens."""
    first = await house.register("ada@example.com")
    second = expect(await house.login("ada@example.com"), 200)
    headers = bearer(second["access_token"])
    for query in ("", "?others=false", "?others=perhaps"):
        assert refused(await house.http.delete(f"/v1/auth/sessions{query}", headers=headers)) == (422, "bad_message")
    expect(await house.me(first["access_token"]), 200)
    assert (await house.http.delete("/v1/auth/sessions?others=true", headers=headers)).status_code == 204
    assert refused(await house.me(first["access_token"])) == (401, "session_revoked")
    expect(await house.me(second["access_token"]), 200)


async def test_the_least_recently_used_session_makes_room(house: House, clock: Any) -> None:
    """Twenty per user; a use counts, not only the sign-in; whoever goes is revoked."""
    answers = [await house.register("ada@example.com")]
    for _ in range(19):
        clock.forward(seconds=1)
        answers.append(expect(await house.login("ada@example.com"), 200))
    clock.forward(seconds=1)
    answers[0] = {**answers[0], **expect(await house.refresh(answers[0]["refresh_token"]), 200)}
    clock.forward(seconds=1)
    expect(await house.login("ada@example.com"), 200)
    standing = [(await house.me(answer["access_token"])).status_code for answer in answers]
    assert standing == [200, 401] + [200] * 18
    assert await house.rows("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == [(20,)]
    assert await house.rows("SELECT auth_rev FROM heads") == [(1,)]


async def test_ended_sessions_are_forgotten_after_a_day(house: House, clock: Any) -> None:
    """Signing in and out for ever fills nothing."""
    told = await house.register("ada@example.com")
    await house.http.post("/v1/auth/logout", headers=bearer(told["access_token"]))
    clock.forward(days=1, seconds=1)
    expect(await house.login("ada@example.com"), 200)
    assert await house.rows("SELECT count(*) FROM sessions") == [(1,)]
    assert await house.rows("SELECT count(*) FROM refresh_tokens") == [(1,)]
    assert refused(await house.refresh(told["refresh_token"])) == (401, "invalid_token")


async def test_a_new_password_ends_all_other_sessions(house: House) -> None:
    """Whoever else was signed in is out; the one that changed it stays; only the new password signs in."""
    first = await house.register("ada@example.com")
    second = expect(await house.login("ada@example.com"), 200)
    headers = bearer(second["access_token"])
    body = {"current": PASSWORD, "new": NEW}
    assert (await house.http.post("/v1/auth/password", json=body, headers=headers)).status_code == 204
    assert refused(await house.me(first["access_token"])) == (401, "session_revoked")
    assert refused(await house.refresh(first["refresh_token"])) == (401, "session_revoked")
    expect(await house.me(second["access_token"]), 200)
    assert refused(await house.login("ada@example.com")) == (401, "credentials_wrong")
    expect(await house.login("ada@example.com", NEW), 200)


@pytest.mark.parametrize(
    ("current", "new", "answer"),
    [
        ("not the password 77", NEW, (401, "credentials_wrong")),
        (PASSWORD, "short", (422, "password_too_short")),
        (PASSWORD, "passwordpassword", (422, "password_common")),
        (PASSWORD, "violet \0 anchor 77", (422, "password_invalid")),
    ],
)
async def test_a_refused_change_changes_nothing(house: House, current: str, new: str, answer: tuple[int, str]) -> None:
    """The old password goes on, and nobody is signed out."""
    told = await house.register("ada@example.com")
    headers = bearer(told["access_token"])
    made = await house.http.post("/v1/auth/password", json={"current": current, "new": new}, headers=headers)
    assert refused(made) == answer
    expect(await house.me(told["access_token"]), 200)
    expect(await house.login("ada@example.com"), 200)


async def test_guessing_the_current_password_is_throttled(house: House) -> None:
    """A stolen access token is no licence to guess: the account's failures count here as well."""
    told = await house.register("ada@example.com")
    headers = bearer(told["access_token"])
    body = {"current": "not the password 77", "new": NEW}
    codes = [refused(await house.http.post("/v1/auth/password", json=body, headers=headers))[1] for _ in range(6)]
    assert codes == ["credentials_wrong"] * 5 + ["rate_limited"]
    assert refused(await house.login("ada@example.com")) == (429, "rate_limited")
