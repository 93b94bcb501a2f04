"""Passkeys, against an authenticator in software: what opens a session, and everything that must not."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from accounts.house import PASSWORD, Clock, House, bearer, expect, refused
from support.authenticator import Authenticator

pytestmark = pytest.mark.l2

ORIGIN = "http://localhost:8750"
WRONG = (401, "passkey_wrong")


class Owner:
    """A user, and calls in their name."""

    def __init__(self, house: House, told: dict[str, Any]) -> None:
        self.house = house
        self.id: str = told["user"]["id"]
        self.headers = bearer(told["access_token"])

    async def ask(self, verb: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """One call."""
        headers = {**self.headers, **headers}
        return await self.house.http.request(verb, f"/v1/auth/passkeys{path}", json=body, headers=headers)

    async def options(self) -> dict[str, Any]:
        """What a browser needs to make one."""
        told: dict[str, Any] = expect(await self.ask("POST", "/options", {"password": PASSWORD}), 200)["publicKey"]
        return told

    async def add(self, device: Authenticator, name: str = "laptop") -> httpx.Response:
        """Make one and hand it in."""
        return await self.ask("POST", "", {"name": name, "credential": device.make(await self.options())})

    async def actions(self) -> list[str]:
        """What the audit has of them."""
        found = await self.house.rows("SELECT action FROM audit WHERE subject_id = ? ORDER BY id", self.id)
        return [row[0] for row in found]


@pytest.fixture
async def owner(house: House) -> Owner:
    """Ada."""
    return Owner(house, await house.register("ada@example.com"))


async def request(house: House, host: str = "localhost:8750") -> httpx.Response:
    """The options of a sign-in."""
    return await house.http.post("/v1/auth/login/passkey/options", headers={"Host": host})


async def enter(house: House, device: Authenticator) -> httpx.Response:
    """A whole sign-in."""
    return await hand_in(house, device.answer(expect(await request(house), 200)["publicKey"]))


async def hand_in(house: House, credential: dict[str, Any]) -> httpx.Response:
    """The second half of a sign-in."""
    return await house.http.post("/v1/auth/login/passkey", json={"credential": credential, "device": "laptop"})


async def test_a_passkey_signs_in_without_a_password(owner: Owner) -> None:
    """Discoverable, its holder verified; the session is the owner's; also where a second factor is on; both are in the audit."""
    device = Authenticator(ORIGIN)
    options = await owner.options()
    assert options["rp"] == {"id": "localhost", "name": "Quintet"}
    chosen = options["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == ("required", "required")
    made = expect(await owner.ask("POST", "", {"name": " My laptop ", "credential": device.make(options)}), 201)
    assert made["name"] == "My laptop"
    await owner.house.change("INSERT INTO totps VALUES (?, X'00', 1, 1, 0)", owner.id)
    asked = expect(await request(owner.house), 200)["publicKey"]
    assert asked["userVerification"] == "required"
    assert not asked.get("allowCredentials"), "nobody is named before they have shown who they are"
    told = expect(await hand_in(owner.house, device.answer(asked)), 200)
    assert told["user"]["id"] == owner.id
    expect(await owner.house.me(told["access_token"]), 200)
    listed = (await owner.ask("GET", "")).json()["items"]
    assert [(item["name"], "used_at" in item) for item in listed] == [("My laptop", True)]
    assert (await owner.actions())[-2:] == ["passkey_added", "signed_in"]


async def test_a_counter_that_goes_back_is_refused_and_told(owner: Owner) -> None:
    """An authenticator that counts must count up: the same count and a lower one open nothing and stand in the audit; none at all is fine."""
    device, silent = Authenticator(ORIGIN, count=10), Authenticator(ORIGIN, counts=False)
    expect(await owner.add(device), 201)
    expect(await owner.add(silent), 201)
    expect(await enter(owner.house, device), 200)
    copy = replace(device, count=device.count - 1)
    assert refused(await enter(owner.house, copy)) == WRONG
    assert refused(await enter(owner.house, replace(device, count=3))) == WRONG
    assert (await owner.actions())[-2:] == ["passkey_refused", "passkey_refused"]
    expect(await enter(owner.house, device), 200)
    for _ in range(2):
        expect(await enter(owner.house, silent), 200)


async def test_a_challenge_is_answered_once_and_in_time(owner: Owner, clock: Clock) -> None:
    """The same answer again, one to a challenge nobody made, one after five minutes, and one to the other ceremony's: all refused."""
    device = Authenticator(ORIGIN)
    options = await owner.options()
    credential = device.make(options)
    expect(await owner.ask("POST", "", {"name": "laptop", "credential": credential}), 201)
    assert refused(await owner.ask("POST", "", {"name": "again", "credential": credential})) == WRONG
    answer = device.answer(expect(await request(owner.house), 200)["publicKey"])
    expect(await hand_in(owner.house, answer), 200)
    assert refused(await hand_in(owner.house, answer)) == WRONG
    assert refused(await hand_in(owner.house, device.answer({"challenge": "A" * 43}))) == WRONG
    assert refused(await hand_in(owner.house, device.answer(await owner.options()))) == WRONG
    late = expect(await request(owner.house), 200)["publicKey"]
    clock.forward(seconds=301)
    assert refused(await hand_in(owner.house, device.answer(late))) == WRONG


async def test_what_is_not_quite_right_opens_nothing(owner: Owner) -> None:
    """Another page, another name, a holder who was not verified, another key, an unknown passkey, and nonsense: 401, no stack trace."""
    device = Authenticator(ORIGIN)
    expect(await owner.add(device), 201)
    for almost in (
        replace(device, origin="http://localhost:8751"),
        replace(device, origin="https://localhost.example"),
        replace(device, name="example.com"),
        replace(device, verifies=False),
        replace(device, key=Authenticator(ORIGIN).key),
        Authenticator(ORIGIN),
    ):
        assert refused(await enter(owner.house, almost)) == WRONG
    good = device.answer(expect(await request(owner.house), 200)["publicKey"])
    for nonsense in (
        {},
        {"response": 7},
        {"response": {"clientDataJSON": "!"}},
        {**good, "rawId": 5},
        {**good, "id": "x"},
    ):
        assert refused(await hand_in(owner.house, nonsense)) == WRONG
    assert refused(await owner.add(Authenticator(ORIGIN, verifies=False))) == WRONG
    assert refused(await owner.add(Authenticator("http://evil.localhost:8750"))) == WRONG
    assert refused(await owner.add(device)) == (409, "conflict")


async def test_a_passkey_is_made_for_whoever_asked(owner: Owner) -> None:
    """The challenge of one user adds no passkey to another; adding asks for the password."""
    other = Owner(owner.house, await owner.house.register("bob@example.com"))
    credential = Authenticator(ORIGIN).make(await owner.options())
    assert refused(await other.ask("POST", "", {"name": "mine", "credential": credential})) == WRONG
    assert refused(await owner.ask("POST", "/options", {})) == (401, "credentials_wrong")
    assert refused(await owner.ask("POST", "/options", {"password": "x" * 20})) == (401, "credentials_wrong")


async def test_passkeys_are_renamed_and_removed(owner: Owner) -> None:
    """By their owner; another's and one that never was are the same 404; a removed one opens nothing any more."""
    other = Owner(owner.house, await owner.house.register("bob@example.com"))
    device = Authenticator(ORIGIN)
    made = expect(await owner.add(device), 201)
    for verb, body in (("PATCH", {"name": "mine"}), ("DELETE", None)):
        answers = [await other.ask(verb, f"/{known}", body) for known in (made["id"], "psk_nothing")]
        assert {refused(answer) for answer in answers} == {(404, "not_found")}
    assert (await owner.ask("PATCH", f"/{made['id']}", {"name": "desk"})).status_code == 204
    assert [item["name"] for item in (await owner.ask("GET", "")).json()["items"]] == ["desk"]
    assert (await owner.ask("DELETE", f"/{made['id']}", {"password": PASSWORD})).status_code == 204
    assert refused(await enter(owner.house, device)) == WRONG
    assert (await owner.actions())[-2:] == ["passkey_renamed", "passkey_removed"]


async def test_a_disabled_user_enters_no_more(owner: Owner) -> None:
    """403, as with the password."""
    device = Authenticator(ORIGIN)
    expect(await owner.add(device), 201)
    await owner.house.change("UPDATE users SET disabled_at = 1")
    assert refused(await enter(owner.house, device)) == (403, "forbidden")


async def test_an_address_of_digits_holds_none(owner: Owner) -> None:
    """It says so, and so does a public URL of digits; a public URL with a name is the only page there is."""
    answer = await owner.ask("POST", "/options", {"password": PASSWORD}, Host="127.0.0.1:8750")
    assert refused(answer) == (403, "forbidden")
    assert "address of digits" in answer.json()["detail"]
    assert refused(await request(owner.house, "127.0.0.1:8750")) == (403, "forbidden")
    from quintet.accounts.factors import RelyingParty
    from quintet.errors import QuintetError

    with pytest.raises(QuintetError, match="digits"):
        RelyingParty("https://10.0.0.7").page("chat.example.com")
    assert RelyingParty("https://chat.example.com").page("10.0.0.7") == ("chat.example.com", "https://chat.example.com")


async def test_twenty_are_all_there_can_be(owner: Owner) -> None:
    """The twenty-first is refused before a browser is asked for it."""
    for number in range(20):
        await owner.house.change(
            "INSERT INTO passkeys VALUES (?, ?, ?, X'00', 0, '', 'x', 1, NULL)",
            owner.id,
            f"psk_{number}",
            bytes([number]),
        )
    assert refused(await owner.ask("POST", "/options", {"password": PASSWORD})) == (409, "conflict")
