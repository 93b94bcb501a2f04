"""Hostile callers at a real server: forged tokens, malformed bodies, floods."""

import asyncio
import base64
import hashlib
import hmac
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from accounts.real import People, http_json, me, post, refused
from support.server import Factory, Server
from support.users import good_passphrase, http_client, random_address

pytestmark = pytest.mark.l3


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def read_part(text: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return told


async def test_every_forged_token_is_refused(server: Server, people: People) -> None:
    """By somebody who has a real token and our public key: none of the known tricks lets them be anybody."""
    account = await people.at(server)
    published = await http_json(server, "/.well-known/jwks.json")
    header, claims, signature = account.access_token.split(".")
    head, said = read_part(header), read_part(claims)
    ours = ECKey.import_key(published["keys"][0])
    theirs = ECKey.generate_key("P-256")
    assert jwt.decode(account.access_token, KeySet.import_key_set({"keys": published["keys"]})).claims == said
    assert head == {"typ": "at+jwt", "alg": "ES256", "kid": published["keys"][0]["kid"]}
    assert set(said) == {"iss", "aud", "sub", "sid", "jti", "iat", "exp"}
    assert (said["sub"], said["sid"], said["exp"] - said["iat"]) == (account.id, account.session_id, 600)

    def by(key: Any, algorithm: str, **changes: Any) -> str:
        return jwt.encode({**head, "alg": algorithm, **changes}, said, key, algorithms=[algorithm])

    text = f"{part({**head, 'alg': 'HS256'})}.{claims}"
    mac = base64.urlsafe_b64encode(hmac.digest(ours.as_pem(private=False), text.encode(), hashlib.sha256)).decode()
    forged = {
        "none": f"{part({**head, 'alg': 'none'})}.{claims}.",
        "none, signature kept": f"{part({**head, 'alg': 'none'})}.{claims}.{signature}",
        "HS256 by our public key": f"{text}.{mac.rstrip('=')}",
        "a foreign key under our kid": by(theirs, "ES256"),
        "an unknown kid": by(theirs, "ES256", kid="theirs"),
        "its own key in the header": by(theirs, "ES256", jwk=theirs.as_dict(private=False)),
        "another subject": f"{header}.{part({**said, 'sub': 'usr_another'})}.{signature}",
        "a longer life": f"{header}.{part({**said, 'exp': said['exp'] + 1})}.{signature}",
        "the last character changed": account.access_token[:-1] + ("A" if signature[-1] != "A" else "Q"),
        "a refresh token": account.refresh_token,
        "empty": '""',
    }
    for trick, token in forged.items():
        begun = time.perf_counter()
        assert refused(await me(server, token)) == (401, "invalid_token"), trick
        assert time.perf_counter() - begun < 1, trick
    assert (await me(server, account.access_token)).status_code == 200


async def test_credentials_are_one_and_of_bearable_size(server: Server, people: People) -> None:
    """None is 401, two are 400, a megabyte is refused, each at once and with a code."""
    account = await people.at(server)
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


async def timed(call: Callable[[], Awaitable[Any]]) -> float:
    begun = time.perf_counter()
    await call()
    return time.perf_counter() - begun


async def test_a_flood_of_sign_ins_harms_nobody_else(server_factory: Factory, people: People) -> None:
    """Two hundred at once: 200 or 401, the rest 503 with Retry-After, and meanwhile others are answered without delay."""
    server = server_factory()
    account = await people.at(server)
    limits = httpx.Limits(max_connections=300)
    async with httpx.AsyncClient(base_url=server.url, limits=limits, timeout=30, trust_env=False) as flood:
        body = {"email": account.email, "password": account.password}
        everybody = asyncio.gather(*(flood.post("/v1/auth/login", json=body) for _ in range(200)))
        waits = []
        while not everybody.done():
            waits.append(await timed(lambda: account.get("/v1/auth/me")))
        answers = await everybody
    assert {answer.status_code for answer in answers} <= {200, 401, 503}
    assert sum(answer.status_code == 200 for answer in answers) >= 2
    busy = [answer for answer in answers if answer.status_code == 503]
    assert busy, "nobody was turned away, so nothing was bounded"
    assert all(refused(answer) == (503, "busy") and int(answer.headers["retry-after"]) > 0 for answer in busy)
    assert len(waits) >= 5
    assert statistics.median(waits) < 0.1, f"others waited {statistics.median(waits) * 1000:.0f} ms"
