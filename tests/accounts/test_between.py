"""What happens between a flow's reading and its writing: the owner shuts somebody out, and what was under way comes to nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from accounts.house import PASSWORD, House, bearer, expect, refused
from accounts.meanwhile import Meanwhile
from accounts.test_factor import ADA, Holder
from quintet.accounts.admin import acts
from quintet.accounts.admin.acts import Actor
from quintet.errors import QuintetError
from quintet.scope import Identity
from support.authenticator import Authenticator

pytestmark = pytest.mark.l2

NEW = "another anchor 99 of quinces"
KEPT = ("api_keys", "totps", "recovery_codes", "passkeys", "external_identities", "mail_tokens", "challenges", "users")

Act = Callable[[Holder], Awaitable[Callable[[], Awaitable[httpx.Response]]]]


class Owner:
    """The same person at another device, who shuts out whoever is at the first."""

    def __init__(self, holder: Holder, told: dict[str, Any]) -> None:
        self.holder = holder
        self.house = holder.house
        self.headers = bearer(told["access_token"])
        self.after: dict[str, Any] = {}

    async def ask(self, verb: str, path: str, body: Any = None) -> None:
        """One call, which must be granted."""
        expect(await self.house.http.request(verb, f"/v1/auth/{path}", json=body, headers=self.headers), 204)

    async def kept(self) -> dict[str, Any]:
        """Everything by which the account can be entered."""
        return {name: sorted(await self.house.rows(f"SELECT * FROM {name}"), key=repr) for name in KEPT}


async def _password(owner: Owner) -> None:
    await owner.ask("POST", "password", {"current": PASSWORD, "new": NEW})


async def _others(owner: Owner) -> None:
    await owner.ask("DELETE", "sessions?others=true")


async def _disabled(owner: Owner) -> None:
    user_id = owner.holder.id
    await owner.house.store.write(user_id, lambda tx: acts.disable(tx, user_id, Actor(), 1))


async def _deleted(owner: Owner) -> None:
    await owner.ask("DELETE", "me", {"password": PASSWORD})


ENDINGS = {"another password": _password, "signed out": _others, "disabled": _disabled, "deleted": _deleted}


def act(verb: str, path: str, **body: Any) -> Act:
    """A call with the password."""

    async def ready(holder: Holder) -> Callable[[], Awaitable[httpx.Response]]:
        return lambda: holder.ask(verb, path, {"password": PASSWORD, **body})

    return ready


def with_factor(then: Act) -> Act:
    """The same, with a second factor on."""

    async def ready(holder: Holder) -> Callable[[], Awaitable[httpx.Response]]:
        await holder.enrol()
        return await then(holder)

    return ready


async def _confirm(holder: Holder) -> Callable[[], Awaitable[httpx.Response]]:
    told = expect(await holder.ask("POST", "factor", {"password": PASSWORD}), 200)
    holder.totp = type(holder.totp)(told["secret"])
    return lambda: holder.ask("POST", "factor/confirm", {"code": holder.code})


async def _add_passkey(holder: Holder) -> Callable[[], Awaitable[httpx.Response]]:
    options = expect(await holder.ask("POST", "passkeys/options", {"password": PASSWORD}), 200)["publicKey"]
    made = Authenticator("http://localhost:8750").make(options)
    return lambda: holder.ask("POST", "passkeys", {"name": "thief's", "credential": made})


async def _take_passkey(holder: Holder) -> Callable[[], Awaitable[httpx.Response]]:
    made = expect(await (await _add_passkey(holder))(), 201)
    return lambda: holder.ask("DELETE", f"passkeys/{made['id']}", {"password": PASSWORD})


async def _unlink(holder: Holder) -> Callable[[], Awaitable[httpx.Response]]:
    await holder.house.change("INSERT INTO external_identities VALUES (?, 'i', 's', NULL, 1, 1)", holder.id)
    (link,) = (await holder.ask("GET", "identities")).json()["items"]
    return lambda: holder.ask("DELETE", f"identities/{link['id']}", {"password": PASSWORD})


async def _change_password(holder: Holder) -> Callable[[], Awaitable[httpx.Response]]:
    return lambda: holder.ask("POST", "password", {"current": PASSWORD, "new": "the anchor of a thief 31"})


ACTS: dict[str, Act] = {
    "make a key": act("POST", "keys", name="k"),
    "begin a factor": act("POST", "factor"),
    "switch a factor on": _confirm,
    "make recovery codes": with_factor(act("POST", "factor/recovery-codes")),
    "switch the factor off": with_factor(act("DELETE", "factor")),
    "begin a passkey": act("POST", "passkeys/options"),
    "add a passkey": _add_passkey,
    "remove a passkey": _take_passkey,
    "unlink a provider": _unlink,
    "change the password": _change_password,
    "delete the account": act("DELETE", "me"),
}
SECOND = {"add a passkey"}  # the first write uses its challenge up


@pytest.fixture
async def holder(house: House) -> Holder:
    """Ada, or whoever has got into her first session and knows her password."""
    return Holder(house, await house.register(ADA))


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", ACTS)
async def test_who_was_shut_out_changes_nothing_any_more(
    holder: Holder, name: str, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password was right and the token good when the request came; before its commit the owner shuts them out: 401, and every way into
    the account is as the owner left it."""
    owner = Owner(holder, expect(await holder.house.login(ADA), 200))
    ask = await ACTS[name](holder)

    async def ends() -> None:
        await ENDINGS[ending](owner)
        owner.after = await owner.kept()

    meanwhile = Meanwhile(holder.house, monkeypatch, ends, nth=2 if name in SECOND else 1)
    answer = await ask()
    assert meanwhile.happened
    assert answer.status_code == 401, answer.text
    assert await owner.kept() == owner.after


async def test_what_was_begun_in_the_same_session_ends_with_the_password(holder: Holder) -> None:
    """The session that changes the password goes on; an authenticator and a passkey whose addition began with the old one do not."""
    code, passkey = await _confirm(holder), await _add_passkey(holder)
    expect(await holder.ask("POST", "password", {"current": PASSWORD, "new": NEW}), 204)
    assert refused(await code()) == (409, "conflict")
    assert refused(await passkey()) == (401, "credentials_wrong")


async def test_an_administrator_who_was_signed_out_ends_and_stops_nothing(holder: Holder) -> None:
    """Whether whoever acts still may is decided in the transaction of the act: by the role and by the session."""
    house = holder.house
    bob = await house.register("bob@example.com")
    told = expect(await house.login(ADA), 200)
    actor = Actor(holder.id, identity=Identity(holder.id, told["session_id"], 0))
    desk = house.accounts.desk
    for change, code in (
        ("UPDATE users SET role = 'user'", "forbidden"),
        ("UPDATE sessions SET ended_at = 1 WHERE id = '" + told["session_id"] + "'", "session_revoked"),
    ):
        await house.change("UPDATE users SET role = 'admin' WHERE id = ?", holder.id)
        await house.change(change)
        for doing in (
            lambda: desk.end_sessions(bob["user"]["id"], None, actor),
            lambda: desk.cancel(bob["user"]["id"], "run_1", actor),
            lambda: desk.change(bob["user"]["id"], actor, role=None, disabled=True),
        ):
            with pytest.raises(QuintetError, match=code):
                await doing()
    assert expect(await house.me(bob["access_token"]), 200)["role"] == "user"


async def test_a_failed_sign_in_leaves_no_address_of_who_was_deleted_meanwhile(
    holder: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong passwords are noted beside the answer; what is noted after the deletion has no address to leave behind."""
    house = holder.house
    submit, waiting = house.store.submit, list[tuple[str, Any]]()
    monkeypatch.setattr(house.store, "submit", lambda key, fn: waiting.append((key, fn)))
    assert refused(await house.login(ADA, "violet anchor 78 marmalade")) == (401, "credentials_wrong")
    expect(await holder.ask("DELETE", "me", {"password": PASSWORD}), 204)
    ((key, note),) = waiting
    await asyncio.wrap_future(submit(key, note))
    assert await house.rows("SELECT address FROM audit WHERE address IS NOT NULL") == []


async def test_nobody_comes_back_while_they_are_deleted(house: House) -> None:
    """The host enables an account whose deletion has begun: it stays nobody's."""
    told = await house.register(ADA)
    user_id = told["user"]["id"]
    await house.change("UPDATE users SET role = 'deleted', disabled_at = 1 WHERE id = ?", user_id)
    assert not await house.store.write(user_id, lambda tx: acts.enable(tx, user_id, Actor(), 2))
    assert await house.rows("SELECT disabled_at FROM users") == [(1,)]
