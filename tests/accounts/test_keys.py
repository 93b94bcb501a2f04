"""The keys that sign."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from accounts.house import SECRET, Clock, House, Opener, expect, refused
from quintet.accounts import keys
from quintet.accounts.identities import RELOAD_SECONDS
from quintet.sources import Sources

pytestmark = pytest.mark.l2


async def test_the_published_keys_are_public_and_verify(house: House) -> None:
    """A stranger with the published keys verifies our tokens with a library of their own choice, and can sign nothing."""
    from joserfc import jwt
    from joserfc.jwk import KeySet

    told = await house.register()
    answer = await house.http.get("/.well-known/jwks.json")
    published = expect(answer, 200)
    (key,) = published["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert "max-age=300" in answer.headers["cache-control"]
    token = jwt.decode(told["access_token"], KeySet.import_key_set({"keys": published["keys"]}), algorithms=["ES256"])
    assert token.header == {"typ": "at+jwt", "alg": "ES256", "kid": key["kid"]}
    assert set(token.claims) == {"iss", "aud", "sub", "sid", "jti", "iat", "exp"}
    assert (token.claims["iss"], token.claims["aud"]) == ("http://localhost:8750", "quintet")
    assert (token.claims["sub"], token.claims["sid"]) == (told["user"]["id"], told["session_id"])
    assert token.claims["exp"] - token.claims["iat"] == 600


async def test_a_restart_keeps_the_key(open_house: Opener) -> None:
    """A token outlives the process that issued it."""
    async with open_house() as house:
        told = await house.register()
    async with open_house() as house:
        expect(await house.me(told["access_token"]), 200)
        assert await house.rows("SELECT count(*) FROM signing_keys") == [(1,)]


async def test_several_first_starts_make_one_key(house: House) -> None:
    """Servers that start together agree."""
    await house.change("DELETE FROM signing_keys")
    rings = await asyncio.gather(*(keys.load(house.store, Sources(), SECRET) for _ in range(5)))
    assert len({ring.kid for ring in rings}) == 1


async def test_the_database_has_no_usable_private_key(house: House) -> None:
    """What is stored opens under the secret alone, and for its own row alone."""
    ((public, sealed),) = await house.rows("SELECT public_jwk, sealed_private FROM signing_keys")
    private = house.accounts.identities.ring.signing.as_dict(private=True)["d"]
    assert "d" not in json.loads(public)
    assert str(private).encode() not in sealed
    await house.change("UPDATE signing_keys SET kid = 'moved'")
    other = await keys.load(house.store, Sources(), SECRET)
    assert other.kid != "moved"


async def test_a_key_made_elsewhere_is_found(house: House, tmp_path: Path, clock: Clock) -> None:
    """When another server has rotated the keys its tokens are recognised here without a restart, at one read in five seconds."""
    told = await house.register()
    before = house.accounts.identities.ring
    await house.change("DELETE FROM signing_keys")
    made = await keys.load(house.store, Sources(), SECRET)
    theirs = house.accounts.identities._tokens.issue(
        made, told["user"]["id"], told["session_id"], "tok_1", int(clock.seconds)
    )
    assert refused(await house.me(theirs)) == (401, "invalid_token")
    clock.forward(seconds=RELOAD_SECONDS)
    expect(await house.me(theirs), 200)
    assert house.accounts.identities.ring.kid == made.kid != before.kid


async def test_strange_key_names_cost_no_reads(house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of tokens with made-up keys reads the table once in five seconds."""
    loads = 0
    load = keys.load

    async def counted(*args: Any) -> keys.KeyRing:
        nonlocal loads
        loads += 1
        return await load(*args)

    monkeypatch.setattr(keys, "load", counted)
    clock.forward(seconds=RELOAD_SECONDS)
    strange = keys.KeyRing("strange", house.accounts.identities.ring.signing, {})
    token = house.accounts.identities._tokens.issue(strange, "usr_1", "ses_1", "tok_1", int(clock.seconds))
    answers = await asyncio.gather(*(house.me(token) for _ in range(20)))
    assert {refused(answer) for answer in answers} == {(401, "invalid_token")}
    assert loads == 1


def test_a_derived_key_is_for_one_purpose() -> None:
    """Two purposes never share a key."""
    assert len({keys.derive(SECRET, purpose) for purpose in ("a", "b")} | {keys.derive("other", "a")}) == 3
