"""The second factor: enrolment, codes that work once, recovery codes, bounds on guessing, and what the audit says of it."""

from typing import Any

import httpx
import pytest
from pyotp import TOTP

from accounts.house import PASSWORD, SECRET, Clock, House, Opener, bearer, expect, refused
from quintet.accounts import Secrets

pytestmark = pytest.mark.l2

ADA = "ada@example.com"


class Holder:
    """Somebody with an account and an authenticator."""

    def __init__(self, house: House, told: dict[str, Any]) -> None:
        self.house = house
        self.id: str = told["user"]["id"]
        self.headers = bearer(told["access_token"])
        self.totp = TOTP("A" * 32)
        self.recovery: list[str] = []

    @property
    def code(self) -> str:
        """What the authenticator shows now."""
        return self.totp.at(int(self.house.clock.seconds))

    async def ask(self, verb: str, path: str, body: Any = None) -> httpx.Response:
        """One call in their name."""
        return await self.house.http.request(verb, f"/v1/auth/{path}", json=body, headers=self.headers)

    async def enrol(self) -> None:
        """Switch it on."""
        told = expect(await self.ask("POST", "factor", {"password": PASSWORD}), 200)
        self.totp = TOTP(told["secret"])
        self.recovery = expect(await self.ask("POST", "factor/confirm", {"code": self.code}), 200)["recovery_codes"]
        self.house.clock.forward(seconds=30)

    async def pending(self) -> str:
        """The token of a sign-in whose password was right."""
        answer = await self.house.login(ADA)
        assert refused(answer) == (401, "factor_required")
        token: str = answer.json()["pending_token"]
        return token

    async def step(self, token: str, code: str) -> httpx.Response:
        """The second step of a sign-in."""
        return await self.house.http.post("/v1/auth/login/factor", json={"pending_token": token, "code": code})

    async def actions(self) -> list[str]:
        """What the audit has of them, the oldest first."""
        found = await self.house.rows("SELECT action FROM audit WHERE subject_id = ? ORDER BY id", self.id)
        return [row[0] for row in found]


@pytest.fixture
async def holder(house: House) -> Holder:
    """Ada, without a factor yet."""
    return Holder(house, await house.register(ADA))


async def test_a_sign_in_with_a_factor_takes_two_steps(holder: Holder) -> None:
    """The password alone opens nothing: 401 `factor_required` with a token that lives for minutes; the code brings the session."""
    assert (await holder.ask("GET", "factor")).json() == {"on": False}
    await holder.enrol()
    shown = (await holder.ask("GET", "factor")).json()
    assert shown["on"] is True
    assert shown["recovery_codes_left"] == 10
    answer = await holder.house.login(ADA)
    assert answer.json()["expires_in"] == 300
    assert "access_token" not in answer.text
    assert await holder.house.rows("SELECT count(*) FROM sessions") == [(1,)], "the password alone has opened nothing"
    token = answer.json()["pending_token"]
    assert refused(await holder.house.me(token)) == (401, "invalid_token")
    signed_in = expect(await holder.step(token, holder.code), 200)
    assert signed_in["user"]["id"] == holder.id
    expect(await holder.house.me(signed_in["access_token"]), 200)
    assert refused(await holder.step(token, holder.code)) == (401, "invalid_token"), "a step is taken once"
    assert (await holder.actions())[-2:] == ["factor_added", "signed_in"]


async def test_a_code_is_good_once_and_for_one_step_of_drift(holder: Holder, clock: Clock) -> None:
    """The code that was used, and every one before it, is refused for ever; the neighbours of now are taken, others are not."""
    await holder.enrol()
    code = holder.code
    expect(await holder.step(await holder.pending(), code), 200)
    assert refused(await holder.step(await holder.pending(), code)) == (401, "code_wrong")
    now = int(clock.seconds)
    assert refused(await holder.step(await holder.pending(), holder.totp.at(now - 30))) == (401, "code_wrong")
    assert refused(await holder.step(await holder.pending(), holder.totp.at(now + 60))) == (401, "code_wrong")
    expect(await holder.step(await holder.pending(), holder.totp.at(now + 30)), 200)
    assert refused(await holder.step(await holder.pending(), holder.code)) == (401, "code_wrong")
    clock.forward(seconds=60)
    expect(await holder.step(await holder.pending(), f" {holder.code[:3]} {holder.code[3:]} "), 200)


async def test_a_recovery_code_is_good_once(holder: Holder) -> None:
    """Ten of them, shown once, stored as digests; a used one is wrong; new ones end the old ones."""
    await holder.enrol()
    assert len(set(holder.recovery)) == 10
    expect(await holder.step(await holder.pending(), holder.recovery[0].upper().replace("-", " ")), 200)
    assert refused(await holder.step(await holder.pending(), holder.recovery[0])) == (401, "code_wrong")
    assert (await holder.ask("GET", "factor")).json()["recovery_codes_left"] == 9
    stored = await holder.house.rows("SELECT digest FROM recovery_codes")
    assert not [row for row in stored for code in holder.recovery if code.encode() in row[0]]
    fresh = expect(await holder.ask("POST", "factor/recovery-codes", {"password": PASSWORD}), 200)["recovery_codes"]
    assert refused(await holder.step(await holder.pending(), holder.recovery[1])) == (401, "code_wrong")
    expect(await holder.step(await holder.pending(), fresh[0]), 200)
    assert "recovery_code_used" in await holder.actions()


async def test_guessing_ends(holder: Holder, clock: Clock) -> None:
    """The fifth wrong code ends the step, the tenth within an hour the trying: then the right code is refused as well. All are told."""
    await holder.enrol()
    for _ in range(2):
        token = await holder.pending()
        answers = [await holder.step(token, "000000") for _ in range(5)]
        assert {refused(answer) for answer in answers} == {(401, "code_wrong")}
        if len(await holder.actions()) < 10:
            assert refused(await holder.step(token, holder.code)) == (401, "invalid_token")
    answer = await holder.step(await holder.pending(), holder.code)
    assert refused(answer) == (429, "rate_limited")
    assert int(answer.headers["Retry-After"]) > 3000
    assert (await holder.actions()).count("factor_failed") == 10
    clock.forward(seconds=3601)
    expect(await holder.step(await holder.pending(), holder.code), 200)


async def test_a_step_ends_by_itself(holder: Holder, clock: Clock) -> None:
    """After five minutes the token is nobody's; of six steps at once the oldest has gone."""
    await holder.enrol()
    token = await holder.pending()
    clock.forward(seconds=301)
    assert refused(await holder.step(token, holder.code)) == (401, "invalid_token")
    tokens = []
    for _ in range(6):
        tokens.append(await holder.pending())
        clock.forward(seconds=1)
    assert refused(await holder.step(tokens[0], holder.code)) == (401, "invalid_token")
    expect(await holder.step(tokens[1], holder.code), 200)


async def test_changing_it_takes_the_password(holder: Holder) -> None:
    """A stolen access token alone adds, renews and removes nothing; an unconfirmed authenticator is asked of nobody."""
    for verb, path in (("POST", "factor"), ("POST", "factor/recovery-codes"), ("DELETE", "factor")):
        assert refused(await holder.ask(verb, path, {})) == (401, "credentials_wrong")
        assert refused(await holder.ask(verb, path, {"password": "x" * 20})) == (401, "credentials_wrong")
    holder.house.clock.forward(seconds=301)
    assert refused(await holder.ask("POST", "factor/confirm", {"code": "123456"})) == (409, "conflict")
    expect(await holder.ask("POST", "factor", {"password": PASSWORD}), 200)
    expect(await holder.house.login(ADA), 200)
    assert refused(await holder.ask("POST", "factor/confirm", {"code": "12345"})) == (401, "code_wrong")
    await holder.enrol()
    assert refused(await holder.ask("POST", "factor", {"password": PASSWORD})) == (409, "conflict")
    assert (await holder.ask("DELETE", "factor", {"password": PASSWORD})).status_code == 204
    expect(await holder.house.login(ADA), 200)
    assert "factor_removed" in await holder.actions()
    assert await holder.house.rows("SELECT count(*) FROM recovery_codes") == [(0,)]


async def test_the_secret_is_sealed(open_house: Opener, clock: Clock) -> None:
    """The database has nothing an authenticator could be made of; the server's secret opens it, another one does not, an older one does."""
    async with open_house() as house:
        holder = Holder(house, await house.register(ADA))
        await holder.enrol()
        sealed = (await house.rows("SELECT sealed_secret FROM totps"))[0][0]
        assert holder.totp.byte_secret() not in sealed
        token = await holder.pending()
    async with open_house(Secrets("another secret of the tests, as long and as varied")) as other:
        holder.house = other
        assert refused(await holder.step(token, holder.code)) == (401, "code_wrong")
    async with open_house(Secrets("the newest secret of the tests, as long and as varied", (SECRET.newest,))) as newer:
        holder.house = newer
        expect(await holder.step(token, holder.code), 200)
        resealed = (await newer.rows("SELECT sealed_secret FROM totps"))[0][0]
        assert resealed != sealed, "what an older secret has sealed is sealed again when it is used"


async def test_a_disabled_user_gets_no_further(holder: Holder) -> None:
    """The right code of a user who was disabled between the steps opens nothing."""
    await holder.enrol()
    token = await holder.pending()
    await holder.house.change("UPDATE users SET disabled_at = 1 WHERE id = ?", holder.id)
    assert refused(await holder.step(token, holder.code)) == (403, "forbidden")
