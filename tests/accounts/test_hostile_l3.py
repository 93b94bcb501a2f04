"""Hostile callers at a real server: forged tokens, malformed bodies, floods."""

import json
import time

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from accounts.real import http_json, me, post, refused
from quintet.testing.accounts.account import good_passphrase, http_client, random_address
from quintet.testing.accounts.factory import UserFactory
from support.forging import forged_tokens, read_part
from support.server import Server

pytestmark = pytest.mark.l3


async def test_every_forged_token_is_refused(server: Server, user_factory: UserFactory) -> None:
    """By somebody who has a real token and our public key: none of the known tricks lets them be anybody."""
    account = user_factory(server)
    published = await http_json(server, "/.well-known/jwks.json")
    header, claims, _ = account.access_token.split(".")
    head, said = read_part(header), read_part(claims)
    assert jwt.decode(account.access_token, KeySet.import_key_set({"keys": published["keys"]})).claims == said
    assert head == {"typ": "at+jwt", "alg": "ES256", "kid": published["keys"][0]["kid"]}
    assert set(said) == {"iss", "aud", "sub", "sid", "jti", "iat", "exp"}
    assert (said["sub"], said["sid"], said["exp"] - said["iat"]) == (account.id, account.session_id, 600)
    for trick, token in forged_tokens(account, published["keys"][0]).items():
        begun = time.perf_counter()
        assert refused(await me(server, token)) == (401, "invalid_token"), trick
        assert time.perf_counter() - begun < 1, trick
    assert (await me(server, account.access_token)).status_code == 200


async def test_credentials_are_one_and_of_bearable_size(server: Server, user_factory: UserFactory) -> None:
    """None is 401, two are 400, a megabyte is refused, each at once and with a code."""
    account = user_factory(server)
    async with http_client(server) as http:
        assert refused(await http.get("/v1/auth/me")) == (401, "unauthenticated")
        twice = [("Authorization", f"Bearer {account.access_token}")] * 2
        assert refused(await http.get("/v1/auth/me", headers=twice)) == (400, "ambiguous_credentials")
        assert refused(await http.get("/v1/auth/me", headers={"Authorization": "Bearer " + "a" * 15_000}))[0] == 401
        large = await http.get("/v1/auth/me", headers={"Authorization": "Bearer " + "a" * 1_000_000})
        assert large.status_code in {400, 401, 431}


async def test_bodies_are_json_or_refused(server: Server) -> None:
    """Forms, XML and text are 415; broken JSON, NaN, depth and unknown fields are 422; and nobody gets an account by them."""
    good = {"email": random_address(), "password": good_passphrase()}
    text = json.dumps(good)
    async with http_client(server) as http:
        for media_type in ("application/x-www-form-urlencoded", "application/xml", "text/plain"):
            answer = await http.post("/v1/auth/register", content=text, headers={"Content-Type": media_type})
            assert refused(answer) == (415, "unsupported_media_type")
        for body in (
            "{",
            "[" * 100_000,
            '{"email": NaN}',
            '{"email": ' + "9" * 5_000 + "}",
            text[:-1] + ', "role": "x"}',
        ):
            answer = await http.post("/v1/auth/register", content=body, headers={"Content-Type": "application/json"})
            assert refused(answer) == (422, "bad_message")
        answer = await http.post(
            "/v1/auth/register", content=b"x" * 2_000_000, headers={"Content-Type": "application/json"}
        )
        assert refused(answer) == (413, "too_long")
    assert (await post(server, "/v1/auth/register", good)).status_code == 201
