"""Another issuer's access tokens: believed as far as its keys, its algorithms and our audience go."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from accounts.house import CONFIG, PASSWORD, Clock, House, bearer, expect, opened, refused
from external.hostile import ES, OTHER, RS, Hostile
from quintet.accounts.elsewhere import Issuer
from quintet.accounts.external.keysets import AGAIN_SECONDS, FRESH_SECONDS, OLDEST_SECONDS

pytestmark = pytest.mark.l2


@pytest.fixture
async def house(tmp_path: Any, clock: Clock, hostile: Hostile) -> Any:
    """Accounts that believe it, by ES256 alone."""
    issuer = Issuer(hostile.url, "chat", ("ES256",))
    async with opened(tmp_path / "quintet.db", clock, replace(CONFIG, foreign_issuer=issuer)) as made:
        yield made


def claims(house: House, hostile: Hostile, **other: Any) -> dict[str, Any]:
    """Those of a good token, but for these; None leaves one out."""
    now = int(house.clock.seconds)
    good = {"iss": hostile.url, "aud": "chat", "sub": "ada", "iat": now, "exp": now + 600, "jti": "1"}
    return {name: value for name, value in {**good, **other}.items() if value is not None}


async def test_a_user_is_made_at_first_sight_and_once(house: House, hostile: Hostile) -> None:
    """Ten at once make one account; it has a name of ours, the confirmed address where there is one, and no session of ours."""
    token = hostile.signed(claims(house, hostile, email="ada@example.com", email_verified=True, name="Ada"))
    told = [expect(answer, 200) for answer in await asyncio.gather(*(house.me(token) for _ in range(10)))]
    assert len({one["id"] for one in told}) == 1
    assert (told[0]["email"], told[0]["email_verified"], told[0]["name"]) == ("ada@example.com", True, "Ada")
    assert await house.rows("SELECT count(*) FROM sessions") == [(0,)]
    other = expect(await house.me(hostile.signed(claims(house, hostile, sub="eve", email="ada@example.com"))), 200)
    assert other["id"] != told[0]["id"]
    assert other["email"].endswith("@external.invalid")
    assert hostile.asked.count("/jwks") == 1


async def test_it_takes_no_account_over(house: House, hostile: Hostile) -> None:
    """Neither by an address, confirmed or claimed, nor by an id of ours in its subject; and its users change no accounts here."""
    told = await house.register("ada@example.com")
    for sub in ("ada", told["user"]["id"]):
        token = hostile.signed(claims(house, hostile, sub=sub, email="ada@example.com", email_verified=True))
        assert expect(await house.me(token), 200)["id"] != told["user"]["id"]
        for path, body in (
            ("/v1/auth/password", {"current": PASSWORD, "new": PASSWORD}),
            ("/v1/auth/keys", {"name": "x"}),
        ):
            answer = await house.http.post(path, json=body, headers=bearer(token))
            assert refused(answer) == (403, "forbidden")


WRONG: dict[str, Callable[[House, Hostile], str]] = {
    "for another": lambda house, it: it.signed(claims(house, it, aud="another")),
    "for nobody": lambda house, it: it.signed(claims(house, it, aud=None)),
    "an algorithm that is not pinned": lambda house, it: it.signed(claims(house, it), "RS256"),
    "the public key as a shared one": lambda house, it: it.signed(claims(house, it), "HS256", kid="rs"),
    "a foreign key of the same name": lambda house, it: it.signed(claims(house, it), key=OTHER),
    "a key of another kind": lambda house, it: it.signed(claims(house, it), key=ES, kid="rs"),
    "an unknown key": lambda house, it: it.signed(claims(house, it), kid="nobody's"),
    "no key's name, of several keys": lambda house, it: it.signed(claims(house, it), kid=None),
    "no algorithm": lambda house, it: "eyJhbGciOiJub25lIn0." + it.signed(claims(house, it)).split(".")[1] + ".",
    "no signature": lambda house, it: it.signed(claims(house, it)).rpartition(".")[0] + ".AA",
    "another type": lambda house, it: it.signed(claims(house, it), typ="logout+jwt"),
    "a key in the header": lambda house, it: it.signed(
        claims(house, it), key=OTHER, kid=None, jwk=OTHER.as_dict(private=False)
    ),
    "not yet": lambda house, it: it.signed(claims(house, it, nbf=int(house.clock.seconds) + 60)),
    "of the future": lambda house, it: it.signed(claims(house, it, iat=int(house.clock.seconds) + 60)),
    "without an end": lambda house, it: it.signed(claims(house, it, exp=None)),
    "for ever": lambda house, it: it.signed(claims(house, it, exp=int(house.clock.seconds) + 10**8)),
    "no subject": lambda house, it: it.signed(claims(house, it, sub="")),
    "an absurd time": lambda house, it: it.signed(claims(house, it, exp="tomorrow")),
}


async def test_what_is_not_right_is_nobody(house: House, hostile: Hostile) -> None:
    """401 `invalid_token`, and no account."""
    for name, forge in WRONG.items():
        assert refused(await house.me(forge(house, hostile))) == (401, "invalid_token"), name
    assert await house.rows("SELECT count(*) FROM users") == [(0,)]


async def test_it_speaks_for_itself_alone(house: House, hostile: Hostile) -> None:
    """A token of ours is checked by our keys, one in our name by nobody else's; ended and disabled are said as such."""
    told = await house.register()
    expect(await house.me(told["access_token"]), 200)
    ours = claims(
        house, hostile, iss="http://localhost:8750", sub=told["user"]["id"], sid=told["session_id"], aud="quintet"
    )
    assert refused(await house.me(hostile.signed(ours, typ="at+jwt"))) == (401, "invalid_token")
    token = hostile.signed(claims(house, hostile))
    expect(await house.me(token), 200)
    house.clock.forward(seconds=629)
    expect(await house.me(token), 200)
    house.clock.forward(seconds=2)
    assert refused(await house.me(token)) == (401, "token_expired")
    token = hostile.signed(claims(house, hostile))
    await house.change("UPDATE users SET disabled_at = 1")
    assert refused(await house.me(token)) == (401, "session_revoked")


async def test_keys_are_kept_and_asked_for_again(house: House, hostile: Hostile, clock: Clock) -> None:
    """A new key is found, at most one request a minute whatever comes; an outage is lived through for a day, and then nothing is
    believed; a key that was taken away is believed no longer than an hour."""
    token = hostile.signed(claims(house, hostile))
    expect(await house.me(token), 200)
    hostile.keys = [OTHER]
    OTHER.ensure_kid()
    for number in range(30):
        strange = hostile.signed(claims(house, hostile), kid=f"strange{number}")
        assert refused(await house.me(strange)) == (401, "invalid_token")
    assert hostile.asked.count("/jwks") == 1
    clock.forward(seconds=AGAIN_SECONDS)
    await house.me(hostile.signed(claims(house, hostile), kid="new"))
    assert hostile.asked.count("/jwks") == 2
    expect(await house.me(hostile.signed(claims(house, hostile), key=OTHER)), 200)
    assert refused(await house.me(hostile.signed(claims(house, hostile)))) == (401, "invalid_token")
    hostile.answers["/jwks"] = lambda: (500, b"{}")
    clock.forward(seconds=FRESH_SECONDS + 1)
    expect(await house.me(hostile.signed(claims(house, hostile), key=OTHER)), 200)
    clock.forward(seconds=OLDEST_SECONDS)
    assert refused(await house.me(hostile.signed(claims(house, hostile), key=OTHER))) == (503, "unavailable")
    del hostile.answers["/jwks"]
    clock.forward(seconds=AGAIN_SECONDS)
    expect(await house.me(hostile.signed(claims(house, hostile), key=OTHER)), 200)


async def test_weak_and_secret_keys_are_not_kept(house: House, hostile: Hostile) -> None:
    """What is published by mistake opens nothing: a shared key, a key for encrypting, one that is too short, one that cannot be read."""
    short = {"kty": "RSA", "e": "AQAB", "n": RS.as_dict(private=False)["n"][:171], "kid": "short"}
    wrong = [
        {"kty": "oct", "k": "AAAA", "kid": "es"},
        {**RS.as_dict(private=False), "use": "enc"},
        short,
        {"kty": "?"},
        7,
    ]
    hostile.answers["/jwks"] = lambda: (200, json.dumps({"keys": wrong}).encode())
    assert refused(await house.me(hostile.signed(claims(house, hostile)))) == (401, "invalid_token")
