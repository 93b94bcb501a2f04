"""The keys that sign: made, kept, found, and changed without anybody noticing."""

import asyncio
import json
from typing import Any

import jwt
import pytest

from accounts.house import SECRET, Clock, House, Opener, bearer, expect, refused
from quintet.accounts import keys
from quintet.accounts.keys import KEPT_SECONDS, Periods, TooYoungError, rotation, rows
from quintet.accounts.keys.loading import PURPOSE
from quintet.accounts.keys.sealing import Box, Secrets, derive
from quintet.accounts.sessions.identities import LOOK_SECONDS, RELOAD_SECONDS
from quintet.sources import Sources

pytestmark = pytest.mark.l2

PERIODS = Periods.of(600, 30)
WAIT = KEPT_SECONDS + 10  # of the next key, before it may sign


async def rotate(house: House, *, at_once: bool = False, drop: bool = False) -> None:
    """Rotate as an operator beside the server does: only the table tells the server."""
    sources = house.accounts.identities._sources
    fresh = rows.made(Box(SECRET, PURPOSE), sources, "next")
    await house.store.write(
        "", lambda tx: rotation.rotate(tx, fresh, sources.now_ms(), PERIODS, at_once=at_once, drop=drop)
    )


async def states(house: House) -> dict[str, str]:
    """The state of each key."""
    return dict(await house.rows("SELECT kid, state FROM signing_keys ORDER BY created_at"))


async def published(house: House) -> list[str]:
    """The names of the published keys, as a stranger sees them now."""
    return [key["kid"] for key in expect(await house.http.get("/.well-known/jwks.json"), 200)["keys"]]


async def signed_in(house: House, told: dict[str, Any]) -> str:
    """A new access token of the account."""
    return str(expect(await house.login(told["user"]["email"]), 200)["access_token"])


async def test_the_published_keys_are_public_and_verify(house: House) -> None:
    """A stranger with the published keys verifies our tokens with a library of their own choice (PyJWT), and can sign nothing."""
    told = await house.register()
    answer = await house.http.get("/.well-known/jwks.json")
    for key in expect(answer, 200)["keys"]:
        assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert "max-age=300" in answer.headers["cache-control"]
    token = told["access_token"]
    header = jwt.get_unverified_header(token)
    assert header == {"typ": "at+jwt", "alg": "ES256", "kid": answer.json()["keys"][0]["kid"]}
    key = jwt.PyJWKSet.from_dict(answer.json())[header["kid"]]
    claims = jwt.decode(
        token,
        key,
        ["ES256"],
        audience="quintet",
        issuer="http://localhost:8750",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert set(claims) == {"iss", "aud", "sub", "sid", "jti", "iat", "exp"}
    assert (claims["sub"], claims["sid"]) == (told["user"]["id"], told["session_id"])
    assert claims["exp"] - claims["iat"] == 600


async def test_a_restart_keeps_the_key(open_house: Opener) -> None:
    """A token outlives the process that issued it; there is one key that signs and one that will."""
    async with open_house() as house:
        told = await house.register()
        made = await states(house)
    async with open_house() as house:
        expect(await house.me(told["access_token"]), 200)
        assert await states(house) == made
        assert sorted(made.values()) == ["active", "next"]


async def test_several_first_starts_make_one_key(house: House) -> None:
    """Servers that start together agree."""
    await house.change("DELETE FROM signing_keys")
    rings = await asyncio.gather(*(keys.load(house.store, Sources(), SECRET, PERIODS) for _ in range(5)))
    assert len({ring.kid for ring in rings}) == 1
    assert sorted((await states(house)).values()) == ["active", "next"]


async def test_the_database_has_no_usable_private_key(house: House) -> None:
    """What is stored opens under the secret alone, and for its own row alone."""
    ((kid, public, sealed),) = await house.rows(
        "SELECT kid, public_jwk, sealed_private FROM signing_keys WHERE state = 'active'"
    )
    private = house.accounts.identities.ring.signing.as_dict(private=True)["d"]
    assert "d" not in json.loads(public)
    assert str(private).encode() not in sealed
    assert Box(SECRET, PURPOSE).open(sealed, kid) is not None
    assert Box(SECRET, "something else").open(sealed, kid) is None
    assert Box(Secrets("another secret"), PURPOSE).open(sealed, kid) is None
    await house.change("UPDATE signing_keys SET kid = 'moved' WHERE state = 'active'")
    assert (await keys.load(house.store, Sources(), SECRET, PERIODS)).kid != "moved"


async def test_verifiers_with_a_copy_never_meet_an_unknown_key(house: House, clock: Clock) -> None:
    """Through three rotations, whoever keeps the published keys as long as they may knows the key of every token."""
    told = await house.register()
    for _ in range(3):
        copy = await published(house)
        clock.forward(seconds=WAIT)
        old = await signed_in(house, told)
        await rotate(house)
        await house.accounts.identities.look()
        new = await signed_in(house, told)
        assert jwt.get_unverified_header(new)["kid"] != jwt.get_unverified_header(old)["kid"]
        for token in (old, new):
            assert jwt.get_unverified_header(token)["kid"] in copy
            expect(await house.me(token), 200)


async def test_a_retired_key_verifies_as_long_as_its_tokens_live(house: House, clock: Clock) -> None:
    """Then it is gone from the published keys and from the check, whether or not a look at the table has been taken, and the table
    has no private part of it any more."""
    told = await house.register()
    token, kid = told["access_token"], house.accounts.identities.ring.kid
    await rotate(house, at_once=True)
    await house.accounts.identities.look()
    clock.forward(seconds=600)
    expect(await house.me(token), 200)
    assert kid in await published(house)
    clock.forward(seconds=PERIODS.retiring / 1000 - 600)
    late = jwt.decode(token, options={"verify_signature": False}) | {
        "iat": int(clock.seconds),
        "exp": int(clock.seconds) + 60,
    }
    stolen = house.accounts.identities.ring.verifying[kid].key
    forged = jwt.encode(late, stolen.as_pem(private=True), "ES256", {"typ": "at+jwt", "kid": kid})
    assert refused(await house.me(forged)) == (401, "invalid_token"), "a retired key is accepted for ever"
    assert kid not in await published(house)
    await house.accounts.identities.look()
    assert (await states(house))[kid] == "gone"
    assert await house.rows("SELECT length(sealed_private) FROM signing_keys WHERE kid = ?", kid) == [(0,)]
    assert refused(await house.me(forged)) == (401, "invalid_token")


async def test_a_stolen_key_can_be_dropped_at_once(house: House) -> None:
    """Its tokens are dead at the next look, and devices come back by themselves."""
    told = await house.register()
    await rotate(house, at_once=True, drop=True)
    await house.accounts.identities.look()
    assert refused(await house.me(told["access_token"])) == (401, "invalid_token")
    fresh = expect(await house.refresh(told["refresh_token"]), 200)
    expect(await house.me(fresh["access_token"]), 200)


async def test_a_young_key_does_not_sign(house: House, clock: Clock) -> None:
    """Of two who rotate at once the second hears how long to wait: the next key has not been published long enough."""
    clock.forward(seconds=WAIT)
    await rotate(house)
    with pytest.raises(TooYoungError) as refusal:
        await rotate(house)
    assert refusal.value.seconds == WAIT
    assert list((await states(house)).values()) == ["retiring", "active", "next"]


async def test_keys_age_by_themselves(open_house: Opener, clock: Clock) -> None:
    """After the days of the setting another key signs, nobody's token dies of it; and nothing happens where it is off."""
    async with open_house(key_rotation_days=30) as house:
        kid = house.accounts.identities.ring.kid
        clock.forward(days=29.999)
        await house.accounts.identities.look()
        assert sorted((await states(house)).values()) == ["active", "next"]
        told = await house.register()
        clock.forward(seconds=90)
        await house.accounts.identities.look()
        expect(await house.me(told["access_token"]), 200)
        assert (await states(house))[kid] == "retiring"
    async with open_house(key_rotation_days=0) as house:
        kid = house.accounts.identities.ring.kid
        clock.forward(days=4000)
        await house.accounts.identities.look()
        assert (await states(house))[kid] == "active"


async def test_a_server_notices_a_rotation_by_itself(house: House) -> None:
    """Within five seconds, and not by being asked."""
    before = house.accounts.identities.ring.kid
    await rotate(house, at_once=True)
    assert LOOK_SECONDS < 5
    async with asyncio.timeout(20):
        while house.accounts.identities.ring.kid == before:
            await asyncio.sleep(0.05)


async def test_a_key_made_elsewhere_is_found(house: House, clock: Clock) -> None:
    """A token of a key that we have not seen is recognised without a restart, at one read in five seconds."""
    told = await house.register()
    before = house.accounts.identities.ring
    await house.change("DELETE FROM signing_keys")
    made = await keys.load(house.store, Sources(), SECRET, PERIODS)
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
    answers = await asyncio.gather(*(house.http.get("/v1/auth/me", headers=bearer(token)) for _ in range(20)))
    assert {refused(answer) for answer in answers} == {(401, "invalid_token")}
    assert loads == 1


async def test_a_new_secret_seals_the_keys_anew(open_house: Opener) -> None:
    """Started once with both secrets, the old one opens nothing any more."""
    new = Secrets("another secret, just as long and of many letters")
    async with open_house() as house:
        kid = house.accounts.identities.ring.kid
    async with open_house(secret=Secrets(new.newest, (SECRET.newest,))) as house:
        for name, sealed in await house.rows("SELECT kid, sealed_private FROM signing_keys"):
            assert Box(SECRET, PURPOSE).open(sealed, name) is None
    async with open_house(secret=new) as house:
        assert house.accounts.identities.ring.kid == kid


async def test_a_node_with_another_secret_says_so(open_house: Opener, caplog: pytest.LogCaptureFixture) -> None:
    """It can only make keys of its own in place of those it cannot open, and so ends everybody's tokens: the operator reads why."""
    async with open_house():
        pass
    assert "another secret" not in caplog.text
    async with open_house(secret=Secrets("another secret, just as long and of many letters")):
        assert caplog.text.count("make QUINTET_SECRET_KEY the same on every node") == 2, "one for each key"


async def test_a_new_secret_seals_authenticators_anew(open_house: Opener) -> None:
    """All of them, also of whoever does not come meanwhile: then the old secret may be taken away."""
    new, old = (
        Secrets("another secret, just as long and of many letters", (SECRET.newest,)),
        Box(SECRET, "second factors"),
    )
    async with open_house() as house:
        people = [(await house.register())["user"]["id"] for _ in range(3)]
        for who in people:
            sealed = old.seal(who.encode(), who, bytes(12))
            await house.change("INSERT INTO totps (user_id, sealed_secret, created_at) VALUES (?, ?, 1)", who, sealed)
    async with open_house(secret=new) as house:
        for who, sealed in await house.rows("SELECT user_id, sealed_secret FROM totps"):
            assert old.open(sealed, who) is None
            found = Box(Secrets(new.newest), "second factors").open(sealed, who)
            assert found is not None
            assert (found.text, found.outdated) == (who.encode(), False)


def test_a_derived_key_is_for_one_purpose() -> None:
    """Two purposes never share a key."""
    assert len({derive(SECRET, purpose) for purpose in ("a", "b")} | {derive(Secrets("other"), "a")}) == 3
