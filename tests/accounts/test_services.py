"""Service clients: programs that speak for themselves."""

import asyncio
import base64
import json
from typing import Any

import httpx2
import jwt
import pytest
from authlib.integrations.base_client.errors import OAuthError  # type: ignore[import-untyped]
from authlib.integrations.httpx_client import AsyncOAuth2Client  # type: ignore[import-untyped]

from accounts.house import Clock, House, expect, refused
from quintet.accounts.machines.keeping import ClientKeeping
from quintet.accounts.machines.services import SECONDS
from quintet.errors import QuintetError

pytestmark = pytest.mark.l2

TOKEN = "/v1/auth/token"
GRANT = {"grant_type": "client_credentials"}


def keeping(house: House) -> ClientKeeping:
    """The operator, beside the server."""
    return ClientKeeping(house.store, house.accounts.identities._sources)


async def client(house: House, *scopes: str) -> dict[str, str]:
    """A client's name and secret, as fields of a form."""
    made, secret = await keeping(house).add("a test", scopes or ("metrics:read",))
    return {"client_id": made.id, "client_secret": secret}


def basic(fields: dict[str, str]) -> dict[str, str]:
    """The same as a header."""
    text = f"{fields['client_id']}:{fields['client_secret']}"
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


async def granted(house: House, *scopes: str) -> str:
    """A token of a client with these scopes."""
    answer = await house.http.post(TOKEN, data={**GRANT, **await client(house, *scopes)})
    return str(expect(answer, 200)["access_token"])


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_client_of_somebody_else_completes_it(house: House, method: str) -> None:
    """Authlib gets a token in both ways of RFC 6749, 2.3.1, and understands a refusal."""
    known = await client(house, "metrics:read", "users:read")
    transport = httpx2.ASGITransport(house.http._transport.app)  # type: ignore[attr-defined]  # what Authlib speaks through
    async with AsyncOAuth2Client(
        **known,
        token_endpoint_auth_method=method,
        scope="metrics:read",
        transport=transport,
        base_url="http://localhost:8750",
    ) as oauth:
        told = await oauth.fetch_token(f"http://localhost:8750{TOKEN}", **GRANT)
        assert (told["token_type"], told["scope"], told["expires_in"]) == ("Bearer", "metrics:read", SECONDS)
        oauth.client_secret = known["client_secret"][:-1] + "x"
        with pytest.raises(OAuthError, match="invalid_client"):
            await oauth.fetch_token(f"http://localhost:8750{TOKEN}", **GRANT)


async def test_a_service_token_is_for_services_alone(house: House, clock: Clock) -> None:
    """PyJWT verifies it by the published keys: short, of an audience of its own, with the client and its scopes and no session."""
    known = await client(house, "users:read", "metrics:read")
    answer = await house.http.post(TOKEN, data=GRANT, headers=basic(known))
    told = expect(answer, 200)
    assert answer.headers["cache-control"] == "no-store"
    assert (told["scope"], "refresh_token" in told) == ("metrics:read users:read", False)
    key = jwt.PyJWKSet.from_dict((await house.http.get("/.well-known/jwks.json")).json()).keys[0]
    claims = jwt.decode(
        told["access_token"],
        key,
        ["ES256"],
        audience="quintet:services",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert set(claims) == {"iss", "aud", "sub", "client_id", "scope", "jti", "iat", "exp"}
    assert (claims["sub"], claims["exp"] - claims["iat"]) == (known["client_id"], 300)
    service = await house.accounts.programs.services.authenticate(told["access_token"])
    assert service.scopes == {"metrics:read", "users:read"}
    clock.forward(seconds=SECONDS + 31)
    with pytest.raises(QuintetError, match="token_expired"):
        await house.accounts.programs.services.authenticate(told["access_token"])


async def test_a_service_is_no_user_and_a_user_no_service(house: House) -> None:
    """Each token is refused at the other's door, and so are an API key and a token that names no audience."""
    told = await house.register()
    token = await granted(house, "metrics:read", "users:read", "users:write")
    assert refused(await house.me(token)) == (401, "invalid_token"), "a service was taken for a user"
    for user in (told["access_token"], told["refresh_token"], "", "x.y.z"):
        with pytest.raises(QuintetError, match="invalid_token"):
            await house.accounts.programs.services.authenticate(user)


async def test_a_disabled_client_is_out_at_once(house: House) -> None:
    """Its tokens too; enabled again it is in. The list shows what happened, and no secret."""
    known = await client(house)
    token = expect(await house.http.post(TOKEN, data={**GRANT, **known}), 200)["access_token"]
    await keeping(house).set_disabled(known["client_id"], disabled=True)
    with pytest.raises(QuintetError, match="invalid_token"):
        await house.accounts.programs.services.authenticate(token)
    assert refused(await house.http.post(TOKEN, data={**GRANT, **known})) == (401, "invalid_client")
    (listed,) = await keeping(house).clients()
    assert (listed.disabled_at is not None, listed.used_at is not None) == (True, True)
    assert known["client_secret"].encode() not in json.dumps([str(listed)]).encode()
    await keeping(house).set_disabled(known["client_id"], disabled=False)
    await house.accounts.programs.services.authenticate(token)
    actions = [row[0] for row in await house.rows("SELECT action FROM audit ORDER BY id")]
    assert actions == ["service_added", "service_disabled", "service_enabled"]
    with pytest.raises(QuintetError, match="not_found"):
        await keeping(house).set_disabled("svc_nobody", disabled=True)


WRONG: dict[str, tuple[dict[str, Any], int, str]] = {
    "no grant": ({"data": {"scope": "x"}}, 400, "invalid_request"),
    "a grant that is not ours": ({"data": {"grant_type": "password", "username": "a"}}, 400, "unsupported_grant_type"),
    "no client": ({"data": GRANT}, 401, "invalid_client"),
    "a name alone": ({"data": {**GRANT, "client_id": "{id}"}}, 401, "invalid_client"),
    "a wrong secret": (
        {"data": {**GRANT, "client_id": "{id}", "client_secret": "qs_" + "a" * 43}},
        401,
        "invalid_client",
    ),
    "no secret of ours": (
        {"data": {**GRANT, "client_id": "{id}", "client_secret": "secret\ud800"}},
        400,
        "invalid_request",
    ),
    "nobody": ({"data": {**GRANT, "client_id": "svc_1", "client_secret": "{secret}"}}, 401, "invalid_client"),
    "a scope not granted": (
        {"data": {**GRANT, "client_id": "{id}", "client_secret": "{secret}", "scope": "users:read"}},
        400,
        "invalid_scope",
    ),
    "a scope that is none": (
        {"data": {**GRANT, "client_id": "{id}", "client_secret": "{secret}", "scope": " "}},
        400,
        "invalid_scope",
    ),
    "a field twice": ({"content": "grant_type=client_credentials&grant_type=x"}, 400, "invalid_request"),
    "bytes": ({"content": b"grant_type=%ff"}, 400, "invalid_request"),
    "many fields": ({"content": "a=1&" * 50}, 400, "invalid_request"),
    "a flood": ({"content": "a=" + "x" * 9000}, 413, "too_long"),
    "JSON": ({"content": "{}", "headers": {"Content-Type": "application/json"}}, 415, "unsupported_media_type"),
    "a bearer": ({"data": GRANT, "headers": {"Authorization": "Bearer x"}}, 401, "invalid_client"),
    "a broken header": ({"data": GRANT, "headers": {"Authorization": "Basic %%%"}}, 401, "invalid_client"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_refused(house: House, name: str) -> None:
    """Every refusal is a problem, and has the word of RFC 6749 where there is one; no secret is in it."""
    known = await client(house)
    request, status, code = WRONG[name]
    words = {"{id}": known["client_id"], "{secret}": known["client_secret"]}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    if "data" in request:
        fields = {field: words.get(value, value) for field, value in request["data"].items()}
        pairs = ("&".join(f"{field}={value}" for field, value in fields.items())).encode("utf-8", "surrogatepass")
        request = {**request, "content": pairs}
        request.pop("data")
    answer = await house.http.post(TOKEN, **{**request, "headers": {**form, **request.get("headers", {})}})
    assert refused(answer) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if code.startswith(("invalid", "unsupported_grant")):
        assert answer.json()["error"] == code
        assert answer.json()["error_description"]
    if code == "invalid_client":
        assert answer.headers["www-authenticate"].startswith("Basic")
    assert known["client_secret"] not in answer.text


async def test_guessing_a_secret_is_counted(house: House) -> None:
    """Twenty wrong ones a minute; the right one is let in also then, or whoever knows a client's name could keep it out."""
    known, other = await client(house), await client(house)
    wrong = {**GRANT, **known, "client_secret": "qs_" + "a" * 43}
    answers = await asyncio.gather(*(house.http.post(TOKEN, data=wrong) for _ in range(25)))
    assert {refused(answer)[1] for answer in answers} == {"invalid_client", "rate_limited"}
    expect(await house.http.post(TOKEN, data={**GRANT, **other}), 200)
    expect(await house.http.post(TOKEN, data={**GRANT, **known}), 200)


async def test_a_client_has_a_name_and_scopes_that_exist(house: House) -> None:
    """What cannot be shown or is not known is refused before anything is stored."""
    for name, scopes, code in (
        ("", ("metrics:read",), "bad_message"),
        ("a\nb", ("metrics:read",), "bad_message"),
        ("good", (), "invalid_scope"),
        ("good", ("everything",), "invalid_scope"),
    ):
        with pytest.raises(QuintetError, match=code):
            await keeping(house).add(name, scopes)
    assert await house.rows("SELECT count(*) FROM service_clients") == [(0,)]
