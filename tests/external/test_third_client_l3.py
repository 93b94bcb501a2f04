"""A client of somebody else signs in at a real provider, and what it is given opens a server that believes the provider."""

import secrets
from collections.abc import AsyncIterator

import httpx2
import jwt
import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]

from external.conftest import SECRET
from external.visitor import Visitor
from quintet.testing.sockets.connecting import Connect
from support.server import Factory, Server

pytestmark = pytest.mark.l3

BACK = "http://localhost:1/another/callback"
CHAT = "urn:chat"


@pytest.fixture
def believer(server_factory: Factory, provider: str) -> Server:
    """A server that believes the provider's access tokens."""
    told = {"URL": provider, "AUDIENCE": "chat", "ALGORITHMS": "RS256"}
    return server_factory(environment={f"QUINTET_ISSUER_{name}": text for name, text in told.items()})


@pytest.fixture
async def oauth() -> AsyncIterator[AsyncOAuth2Client]:
    """Authlib's client, known to the provider: code and PKCE."""
    async with AsyncOAuth2Client(
        "another", SECRET, redirect_uri=BACK, code_challenge_method="S256", trust_env=False
    ) as made:
        yield made


async def signed_in(oauth: AsyncOAuth2Client, provider: str, name: str, **asked: str) -> dict[str, str]:
    """What Authlib gets when `name` signs in, in a new browser, and agrees; the identity token holds by Authlib's own checks."""
    nonce, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(48)
    asked["scope"] = f"openid email {asked.get('scope', '')}".strip()
    address, state = oauth.create_authorization_url(f"{provider}/auth", code_verifier=verifier, nonce=nonce, **asked)
    browser = Visitor()
    try:
        page = await browser.send(await browser.go(address, BACK), BACK, login=name, password="any")
        back = (await browser.send(page, BACK)).headers["location"]
        (key,) = jwt.PyJWKSet.from_dict((await browser.ask("GET", f"{provider}/jwks")).json()).keys
    finally:
        await browser.close()
    told: dict[str, str] = await oauth.fetch_token(
        f"{provider}/token", authorization_response=back, state=state, code_verifier=verifier, **asked
    )
    claims = CodeIDToken(
        jwt.decode(told["id_token"], key, ["RS256"], audience="another"),
        {},
        {"iss": {"value": provider}, "aud": {"value": "another"}},
        {"nonce": nonce},
    )
    claims.validate()
    assert claims["sub"] == name
    return told


async def test_authlib_signs_in_and_its_token_opens_the_chat(
    believer: Server, provider: str, oauth: AsyncOAuth2Client, connect: Connect
) -> None:
    """Over the provider's pages with code, PKCE, state and nonce: the token answers `/v1/auth/me` and speaks on a socket, each time as
    the same person; the identity token, and a token for anything else, open nothing."""
    name = f"ada{secrets.token_hex(4)}"
    told = await signed_in(oauth, provider, name, scope="chat", resource=CHAT)
    async with httpx2.AsyncClient(base_url=believer.url, trust_env=False) as http:

        async def me(token: str) -> httpx2.Response:
            return await http.get("/v1/auth/me", headers={"Authorization": f"Bearer {token}"})

        known = await me(told["access_token"])
        assert known.status_code == 200, known.text
        device = await connect.device(believer, told["access_token"], name=name)
        assert device.ready["user_id"] == known.json()["id"]
        assert (await device.tell("hello", agent="echo"))[-1].type == "agent_completed"
        assert (await me(told["id_token"])).json()["code"] == "invalid_token"
        elsewhere = await signed_in(oauth, provider, name)
        again = await signed_in(oauth, provider, name, scope="chat", resource=CHAT)
        assert (await me(elsewhere["access_token"])).json()["code"] == "invalid_token"
        assert (await me(again["access_token"])).json()["id"] == known.json()["id"]
