"""Every way in which a sign-in with a provider may be wrong, by a provider that does each of them."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from accounts.house import CONFIG, Clock, House, bearer, expect, opened
from accounts.meanwhile import Meanwhile
from external.hostile import ES, OTHER, RS, Hostile
from external.visitor import Visitor
from quintet.accounts.elsewhere import Provider
from quintet.accounts.external.exchange import challenge_of

pytestmark = pytest.mark.l2

HOME = "http://localhost:8750"
START = f"{HOME}/v1/auth/oidc/house/start"


Opening = Callable[..., Any]


@pytest.fixture
def open_here(tmp_path: Any, clock: Clock, hostile: Hostile) -> Opening:
    """Accounts with the provider `house`; `trusted` and what of the configuration is otherwise."""

    def make(*, trusted: bool = False, **changes: Any) -> Any:
        from dataclasses import replace

        house = Provider("house", "The house", hostile.url, "quintet", "hush", trusted)
        other = Provider("other", "Another", "https://other.example", "quintet", "hush")
        config = replace(CONFIG, site=HOME, providers=(house, other), **changes)
        return opened(tmp_path / "quintet.db", clock, config)

    return make


@pytest.fixture
async def house(open_here: Opening) -> AsyncIterator[House]:
    """They, open to all."""
    async with open_here() as made:
        yield made


class Way:
    """One sign-in under way, as the browser and the provider see it."""

    def __init__(self, house: House, hostile: Hostile) -> None:
        self.browser = Visitor({HOME: house.http._transport})
        self.hostile = hostile
        self.clock = house.clock
        self.asked: dict[str, str] = {}

    async def begin(self) -> "Way":
        """Go to the provider."""
        answer = await self.browser.ask("GET", START)
        assert answer.status_code == 303, answer.text
        address = urlsplit(answer.headers["location"])
        assert f"{address.scheme}://{address.netloc}{address.path}" == f"{self.hostile.url}/auth"
        self.asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        return self

    def claims(self, **other: Any) -> dict[str, Any]:
        """Those of a good ID token, but for these; None leaves one out."""
        now = int(self.clock.seconds)
        good = {
            **{"iss": self.hostile.url, "aud": "quintet", "sub": "ada", "nonce": self.asked["nonce"]},
            **{"iat": now, "exp": now + 300, "email": "ada@example.com", "email_verified": True},
        }
        return {name: value for name, value in {**good, **other}.items() if value is not None}

    async def back(self, **other: str | None) -> str:
        """Come back with a code; where the page is sent."""
        fields = {"state": self.asked["state"], "code": "a code", **other}
        query = httpx.QueryParams({name: value for name, value in fields.items() if value is not None})
        answer = await self.browser.ask("GET", f"{HOME}/v1/auth/oidc/house/callback?{query}")
        assert answer.status_code == 303, answer.text
        cookies = [line for line in answer.headers.get_list("set-cookie") if "quintet-8750=" in line]
        assert bool(cookies) == answer.headers["location"].startswith("/?entered"), "a session came with a refusal"
        return str(answer.headers["location"])

    async def come(self, **other: Any) -> str:
        """The whole way, with these claims."""
        await self.begin()
        self.hostile.id_token = self.hostile.signed(self.claims(**other))
        return await self.back()


async def test_what_the_provider_is_asked(house: House, hostile: Hostile) -> None:
    """A code with PKCE (S256), state and nonce, each new every time; the verifier fits and comes with the code, and with our secret."""
    ways = [await Way(house, hostile).begin() for _ in range(2)]
    for name in ("state", "nonce", "code_challenge"):
        assert len({way.asked[name] for way in ways}) == 2
    way = ways[0]
    assert way.asked["response_type"] == "code"
    assert way.asked["code_challenge_method"] == "S256"
    assert set(way.asked["scope"].split()) == {"openid", "email", "profile"}
    hostile.id_token = hostile.signed(way.claims())
    assert await way.back() == "/?entered=1"
    (form,) = hostile.forms
    assert challenge_of(form["code_verifier"]) == way.asked["code_challenge"], "PKCE proves nothing"
    assert form["redirect_uri"] == way.asked["redirect_uri"] == f"{HOME}/v1/auth/oidc/house/callback"
    assert "client_secret" not in form
    stored = str(await house.rows("SELECT * FROM challenges"))
    assert way.asked["state"] not in stored


WRONG: dict[str, Callable[[Way], str]] = {
    "another nonce": lambda way: way.hostile.signed(way.claims(nonce="another")),
    "no nonce": lambda way: way.hostile.signed(way.claims(nonce=None)),
    "another audience": lambda way: way.hostile.signed(way.claims(aud="somebody")),
    "several, for somebody else": lambda way: way.hostile.signed(way.claims(aud=["quintet", "b"], azp="b")),
    "several, for nobody": lambda way: way.hostile.signed(way.claims(aud=["quintet", "b"])),
    "another issuer": lambda way: way.hostile.signed(way.claims(iss="https://other.example")),
    "expired": lambda way: way.hostile.signed(way.claims(iat=1_799_990_000, exp=1_799_999_900)),
    "for ever": lambda way: way.hostile.signed(way.claims(exp=9_999_999_999)),
    "without an end": lambda way: way.hostile.signed(way.claims(exp=None)),
    "of the future": lambda way: way.hostile.signed(
        way.claims(iat=int(way.clock.seconds) + 100, exp=int(way.clock.seconds) + 400)
    ),
    "no subject": lambda way: way.hostile.signed(way.claims(sub=None)),
    "a long subject": lambda way: way.hostile.signed(way.claims(sub="a" * 256)),
    "a number for a subject": lambda way: way.hostile.signed(way.claims(sub=7)),
    "the public key as a shared one": lambda way: way.hostile.signed(way.claims(), "HS256", kid="rs"),
    "a foreign key of the same name": lambda way: way.hostile.signed(way.claims(), key=OTHER),
    "an algorithm that is not believed": lambda way: way.hostile.signed(way.claims(), "RS512"),
    "a key of another kind": lambda way: way.hostile.signed(way.claims(), key=ES, kid="rs"),
    "an unknown key": lambda way: way.hostile.signed(way.claims(), kid="nobody's"),
    "critical": lambda way: way.hostile.signed(way.claims(), crit=["b64"], b64=True),
    "no signature": lambda way: way.hostile.signed(way.claims()).rpartition(".")[0] + ".",
    "no algorithm": lambda way: "eyJhbGciOiJub25lIn0." + way.hostile.signed(way.claims()).split(".")[1] + ".",
    "no token": lambda way: "hello",
    "none at all": lambda way: "",
}


async def test_a_token_that_is_not_right_lets_nobody_in(house: House, hostile: Hostile) -> None:
    """Each of the known tricks and slips is refused, and no account is made."""
    for name, forge in WRONG.items():
        way = await Way(house, hostile).begin()
        hostile.id_token = forge(way)
        assert (await way.back()).startswith("/?refused="), f"{name}: let in"
        assert await house.rows("SELECT count(*) FROM users") == [(0,)], name


async def test_the_right_ones_are_let_in(house: House, hostile: Hostile) -> None:
    """By either key; for several audiences where it says that it is for us."""
    for key, more in ((ES, {}), (RS, {"sub": "bob"}), (ES, {"sub": "eve", "aud": ["quintet", "b"], "azp": "quintet"})):
        way = await Way(house, hostile).begin()
        claims = way.claims(**{"email": None, **more})
        hostile.id_token = hostile.signed(claims, "RS256" if key is RS else "ES256")
        assert await way.back() == "/?entered=1"
    assert await house.rows("SELECT count(*) FROM users") == [(3,)]


async def test_a_way_back_is_for_one_browser_once_and_soon(house: House, hostile: Hostile, clock: Clock) -> None:
    """A made-up state, a replay, another browser, another provider, another's answer, and eleven minutes are each the end of it; two
    tabs of one browser do not meet."""
    first, second = Way(house, hostile), Way(house, hostile)
    second.browser = first.browser
    for way in (first, second):
        await way.begin()
    for way in (first, second):
        hostile.id_token = hostile.signed(way.claims())
        assert await way.back() == "/?entered=1"
    assert await first.back() == "/?refused=forbidden"
    assert await first.back(state="made up") == "/?refused=forbidden"
    assert await first.back(state=None) == "/?refused=forbidden"
    victim, thief = await Way(house, hostile).begin(), await Way(house, hostile).begin()
    victim.asked = thief.asked
    hostile.id_token = hostile.signed(thief.claims())
    assert await victim.back() == "/?refused=forbidden"
    late = await Way(house, hostile).begin()
    clock.forward(seconds=601)
    hostile.id_token = hostile.signed(late.claims())
    assert await late.back() == "/?refused=forbidden"
    mixed = await Way(house, hostile).begin()
    hostile.id_token = hostile.signed(mixed.claims())
    assert await mixed.back(iss="https://other.example") == "/?refused=invalid_token"
    crossed = await Way(house, hostile).begin()
    answer = await crossed.browser.ask(
        "GET", f"{HOME}/v1/auth/oidc/other/callback?state={crossed.asked['state']}&code=x"
    )
    assert answer.headers["location"] == "/?refused=forbidden"
    assert len(hostile.forms) == 2


async def test_who_refuses_is_not_asked_further(house: House, hostile: Hostile) -> None:
    """Nor is anything fetched for an answer without a code, or with a flood in it."""
    for more in ({"error": "access_denied", "code": None}, {"code": None}, {"code": "x" * 5000}):
        way = await Way(house, hostile).begin()
        assert await way.back(**more) == "/?refused=forbidden"
    assert hostile.forms == []


BROKEN = {
    "fails": (500, b"{}"),
    "redirects": (302, b"{}"),
    "floods": (200, b'{"keys": "' + b"x" * 300_000 + b'"}'),
    "is no JSON": (200, b"<html>"),
    "is a list": (200, b"[]"),
}


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks", "/token"])
async def test_a_provider_that_does_not_answer_harms_nobody(house: House, hostile: Hostile, path: str) -> None:
    """Whatever comes instead of an answer, the page hears of it; no redirect is followed and nothing is read without end."""
    for what, answer in BROKEN.items():
        hostile.answers[path] = lambda answer=answer: answer  # type: ignore[misc]
        house.clock.forward(seconds=61)
        way = Way(house, hostile)
        if path.endswith("configuration"):
            told = (await way.browser.ask("GET", START)).headers["location"]
        else:
            await way.begin()
            hostile.id_token = hostile.signed(way.claims())
            told = await way.back()
        assert told in ("/?refused=unavailable", "/?refused=invalid_token"), what
    assert "/elsewhere" not in hostile.asked


async def test_an_issuer_that_calls_itself_otherwise_is_not_believed(house: House, hostile: Hostile) -> None:
    """Nor one that sends us to an address inside our network."""
    for lie in ({"issuer": "https://other.example"}, {"authorization_endpoint": "http://10.0.0.1/auth"}):
        hostile.metadata = lie
        answer = await Way(house, hostile).browser.ask("GET", START)
        assert answer.headers["location"] == "/?refused=unavailable"


async def test_an_address_joins_an_account_only_where_both_are_sure(open_here: Opening, hostile: Hostile) -> None:
    """By a provider that the operator trusts, into an account whose own address was confirmed. Else whoever has registered somebody's
    address first would wait for them inside."""
    async with open_here() as house:
        told = await house.register("ada@example.com")
        await house.change("UPDATE users SET email_verified = 1")
        assert await Way(house, hostile).come() == "/?refused=email_taken"
    async with open_here(trusted=True) as house:
        await house.change("UPDATE users SET email_verified = 0")
        assert await Way(house, hostile).come() == "/?refused=email_taken"
        await house.change("UPDATE users SET email_verified = 1")
        assert await Way(house, hostile).come(email_verified=None, sub="other") == "/?entered=1"
        assert await Way(house, hostile).come(email="ADA@example.com") == "/?entered=1"
        rows = await house.rows("SELECT subject FROM external_identities WHERE user_id = ?", told["user"]["id"])
        assert rows == [("ada",)], "a claimed address has joined an account"
        expect(await house.me(told["access_token"]), 200)


async def test_an_address_that_any_provider_calls_confirmed_is_not_confirmed_here(
    open_here: Opening, hostile: Hostile
) -> None:
    """Whoever can say anything at a provider has an account with somebody's address: its owner sets a password by letter, and is alone.
    Where the operator trusts the provider, its word counts."""
    for trusted, verified in ((False, 0), (True, 1)):
        async with open_here(trusted=trusted) as house:
            assert await Way(house, hostile).come(sub=f"s{verified}", email=f"a{verified}@example.com") == "/?entered=1"
            query = "SELECT email_verified FROM users WHERE email = ?"
            assert [bool(row[0]) for row in await house.rows(query, f"a{verified}@example.com")] == [trusted]


async def test_where_strangers_may_not_sign_up_a_provider_changes_nothing(open_here: Opening, hostile: Hostile) -> None:
    """Unless the operator trusts it. Whoever is disabled here stays out, and whoever has no confirmed address where one is asked for."""
    async with open_here(sign_up="closed") as house:
        assert await Way(house, hostile).come() == "/?refused=forbidden"
    async with open_here(sign_up="invite", trusted=True) as house:
        assert await Way(house, hostile).come() == "/?entered=1"
        await house.change("UPDATE users SET disabled_at = 1")
        assert await Way(house, hostile).come() == "/?refused=forbidden"
    async with open_here(verify_email=True) as house:
        assert await Way(house, hostile).come(sub="bob", email="bob@example.com") == "/?entered=1"
        assert await Way(house, hostile).come(sub="eve", email_verified=False) == "/?refused=forbidden"


async def test_a_link_ends_with_the_session_that_began_it(house: House, hostile: Hostile) -> None:
    """Signed out meanwhile, nothing is linked; an identity that another account has is not taken from it."""
    told, other = await house.register(), await house.register()
    assert await Way(house, hostile).come() == "/?entered=1"
    for account, ended, due in ((told, True, "session_revoked"), (other, False, "conflict")):
        way = Way(house, hostile)
        answer = await way.browser.ask(
            "POST",
            f"{HOME}/v1/auth/oidc/house/link",
            json={"password": "violet anchor 77 marmalade"},
            headers=bearer(account["access_token"]),
        )
        address = expect(answer, 200)["address"]
        way.asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        if ended:
            await house.http.post("/v1/auth/logout", headers=bearer(account["access_token"]))
        hostile.id_token = hostile.signed(way.claims())
        assert await way.back() == f"/?refused={due}"


async def test_what_was_unlinked_meanwhile_is_not_linked_again(
    house: House, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner takes a link away (or resets the password of an address that was never confirmed) while somebody comes back by it: they
    do not come in, and it stays away."""
    assert await Way(house, hostile).come() == "/?entered=1"
    way = await Way(house, hostile).begin()
    hostile.id_token = hostile.signed(way.claims())
    gone = Meanwhile(house, monkeypatch, lambda: house.change("DELETE FROM external_identities"), nth=2)
    assert await way.back() == "/?refused=busy"
    assert gone.happened
    assert await house.rows("SELECT count(*) FROM external_identities") == [(0,)]
    assert await house.rows("SELECT count(*) FROM sessions") == [(1,)]


async def test_a_person_who_comes_in_two_tabs_for_the_first_time_has_one_account(
    house: House, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second tab's answer arrives between what the first has read and what it writes: both come in, to the same account."""
    for email in ("ada@example.com", None):
        first, second = [await Way(house, hostile).begin() for _ in range(2)]
        who = {"sub": f"somebody with {email}", "email": email}

        async def other(second: Way = second, who: dict[str, Any] = who) -> None:
            hostile.id_token = hostile.signed(second.claims(**who))
            assert await second.back() == "/?entered=1"
            hostile.id_token = hostile.signed(first.claims(**who))  # noqa: B023

        with monkeypatch.context() as patch:
            meanwhile = Meanwhile(house, patch, other, nth=2)
            hostile.id_token = hostile.signed(first.claims(**who))
            assert await first.back() == "/?entered=1"
        assert meanwhile.happened
        linked = "SELECT user_id FROM external_identities WHERE subject = ?"
        ((user_id,),) = await house.rows(linked, who["sub"])
        assert await house.rows("SELECT count(*) FROM sessions WHERE user_id = ?", user_id) == [(2,)]
