"""The browser's mode: a cookie that no script reads and no other page spends."""

from http.cookies import Morsel, SimpleCookie
from typing import Any

import httpx
import pytest

from accounts.house import PASSWORD, House, Opener, bearer, expect, refused

pytestmark = pytest.mark.l2

HERE = "http://localhost:8750"
WEB = {"X-Quintet-Client": "web", "Origin": HERE}
NAME = "__Host-quintet-8750"


def cookie(answer: httpx.Response) -> Morsel[str]:
    """The one cookie of an answer."""
    (line,) = answer.headers.get_list("set-cookie")
    (morsel,) = SimpleCookie(line).values()
    return morsel


async def register(house: House, email: str = "ada@example.com", **headers: str) -> httpx.Response:
    body = {"email": email, "password": PASSWORD}
    return await house.http.post("/v1/auth/register", json=body, headers={**WEB, **headers})


async def post(house: House, path: str, token: str | None, headers: dict[str, str], body: Any = None) -> httpx.Response:
    """A POST with exactly this cookie."""
    house.http.cookies.clear()
    sent = {**headers, **({"Cookie": f"other=1; {NAME}={token}"} if token else {})}
    return await house.http.post(path, headers=sent, json=body)


async def test_the_refresh_token_is_in_the_cookie_and_nowhere_else(house: House) -> None:
    """Secure, HttpOnly, SameSite=Strict, Path=/, no Domain, named after host and port; the body has the rest."""
    answer = await register(house)
    told = expect(answer, 201)
    assert "refresh_token" not in told
    expect(await house.me(told["access_token"]), 200)
    found = cookie(answer)
    assert found.key == NAME
    assert found.value.startswith("qr_")
    assert found.value not in answer.text
    assert (found["secure"], found["httponly"], found["samesite"], found["path"]) == (True, True, "strict", "/")
    assert (found["domain"], found["max-age"]) == ("", str(14 * 24 * 60 * 60))


async def test_a_browser_refreshes_and_signs_out_by_its_cookie(house: House) -> None:
    """Sign in, refresh with an attempt, again with the same, sign out: the cookie follows and is deleted at the end."""
    await register(house)
    house.http.cookies.clear()
    answer = await house.http.post(
        "/v1/auth/login", json={"email": "ada@example.com", "password": PASSWORD}, headers=WEB
    )
    expect(answer, 200)
    token = cookie(answer).value
    answers = [await post(house, "/v1/auth/refresh", token, WEB, {"attempt_id": "1"}) for _ in range(2)]
    assert len({cookie(a).value for a in answers}) == 1
    assert all("refresh_token" not in expect(a, 200) for a in answers)
    fresh = cookie(answers[0]).value
    assert fresh != token
    expect(await post(house, "/v1/auth/refresh", fresh, WEB), 200)
    answer = await post(house, "/v1/auth/logout", fresh, WEB)
    assert answer.status_code == 204
    gone = cookie(answer)
    assert (gone.key, gone.value, gone["max-age"], gone["path"], gone["secure"]) == (NAME, "", "0", "/", True)
    assert refused(await house.me(answers[0].json()["access_token"])) == (401, "session_revoked")


@pytest.mark.parametrize(
    "origin", [None, "null", "http://localhost:3000", "https://evil.test", "http://evil.test:8750"]
)
@pytest.mark.parametrize("path", ["/v1/auth/refresh", "/v1/auth/logout"])
async def test_another_page_cannot_spend_the_cookie(house: House, path: str, origin: str | None) -> None:
    """Without an allowed Origin the cookie is not read: 403, the token unused, the session standing."""
    token = cookie(await register(house)).value
    headers = {"X-Quintet-Client": "web", **({"Origin": origin} if origin else {})}
    answer = await post(house, path, token, headers)
    assert refused(answer) == (403, "forbidden")
    assert "set-cookie" not in answer.headers
    expect(await post(house, "/v1/auth/refresh", token, WEB), 200)


@pytest.mark.parametrize("path", ["/v1/auth/register", "/v1/auth/login"])
async def test_another_page_gets_no_cookie(house: House, path: str) -> None:
    """A foreign page cannot sign a browser in as somebody else; a caller without Origin is no page and may."""
    body = {"email": "ada@example.com", "password": PASSWORD}
    headers = {"X-Quintet-Client": "web", "Origin": "https://evil.test"}
    assert refused(await house.http.post(path, json=body, headers=headers)) == (403, "forbidden")
    assert await house.rows("SELECT count(*) FROM sessions") == [(0,)]
    made = await house.http.post("/v1/auth/register", json=body, headers={"X-Quintet-Client": "web"})
    assert cookie(made).key == NAME


async def test_without_the_header_the_cookie_is_nothing(house: House) -> None:
    """A form or an image of another page brings the cookie along but never the header: nothing is read, nothing happens."""
    answer = await register(house)
    token = cookie(answer).value
    plain = {"Origin": HERE}
    assert refused(await post(house, "/v1/auth/refresh", token, plain)) == (422, "bad_message")
    assert (await post(house, "/v1/auth/logout", token, plain)).status_code == 204
    expect(await house.me(answer.json()["access_token"]), 200)


async def test_a_cookie_authenticates_nothing_else(house: House) -> None:
    """Only refresh and logout read it."""
    token = cookie(await register(house)).value
    house.http.cookies.clear()
    for method, path in (("GET", "/v1/auth/me"), ("PATCH", "/v1/auth/me"), ("GET", "/v1/auth/sessions")):
        answer = await house.http.request(method, path, headers={**WEB, "Cookie": f"{NAME}={token}"}, json={})
        assert refused(answer) == (401, "unauthenticated")


async def test_a_browser_sends_its_token_one_way(house: House) -> None:
    """No cookie is 401; a token in the body beside the browser's mode is refused, so no script ever needs to hold one."""
    token = cookie(await register(house)).value
    assert refused(await post(house, "/v1/auth/refresh", None, WEB)) == (401, "unauthenticated")
    answer = await post(house, "/v1/auth/refresh", token, WEB, {"refresh_token": token})
    assert refused(answer) == (400, "ambiguous_credentials")


async def test_a_refused_refresh_leaves_the_cookie(house: House) -> None:
    """It may be the newer one of another tab."""
    token = cookie(await register(house)).value
    expect(await post(house, "/v1/auth/refresh", token, WEB), 200)
    answer = await post(house, "/v1/auth/refresh", token, WEB)
    assert refused(answer) == (409, "refresh_conflict")
    assert "set-cookie" not in answer.headers


async def test_an_access_token_signs_a_browser_out_too(house: House) -> None:
    """Cookie or not: what the page still has is enough."""
    told = expect(await register(house), 201)
    answer = await post(house, "/v1/auth/logout", None, {**WEB, **bearer(told["access_token"])})
    assert answer.status_code == 204
    assert refused(await house.me(told["access_token"])) == (401, "session_revoked")


async def test_the_cookie_is_named_after_the_public_port(open_house: Opener) -> None:
    """Behind a proxy the port that people see is in the name."""
    async with open_house(cookie_port=443) as house:
        assert cookie(await register(house)).key == "__Host-quintet-443"
