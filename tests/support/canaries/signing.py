"""How users' sessions go on and end."""

import secrets

import pytest

from quintet.testing.sockets.connection import Refused
from support.canaries.owner import Owner
from support.canaries.reading import ids_in
from support.routes import ROUTES
from support.ways_in import passkey_of

__all__ = ["have_doors", "refresh", "renew_with_anothers_token", "sign_out_and_in", "use_a_revoked"]

_GUARDED = [route for route in ROUTES if route.whom != "open"]


async def have_doors(owner: Owner) -> None:
    """A key and a passkey, named with the canary. Each costs a password hash."""
    made = await owner.ask("POST", "/v1/auth/keys", json={"name": owner.word(), "password": owner.account.password})
    assert made.status_code == 201, made.text
    passkey = await passkey_of(owner.account, owner.word())
    link = f"ext_{secrets.token_hex(12)}"  # nobody's: links are made at a provider, see tests/external
    owner.doors = {
        "user_id": owner.account.id,
        "key_id": made.json()["id"],
        "passkey_id": passkey,
        "link_id": link,
    }


async def refresh(owner: Owner) -> None:
    """New tokens, and the socket is told."""
    account = owner.account
    answer = await owner.ask("POST", "/v1/auth/refresh", json={"refresh_token": account.refresh_token})
    assert answer.status_code == 200, answer.text
    account.access_token, account.refresh_token = (answer.json()[key] for key in ("access_token", "refresh_token"))
    told = await owner.request("auth", token=account.access_token)
    assert told["type"] == "result", owner.device.shown(str(told))
    owner.counts["refresh"] += 1


async def renew_with_anothers_token(owner: Owner, other: Owner) -> None:
    """A socket never becomes somebody else's: 4500, and the next one of its user goes on."""
    await owner.device.send({"do": "auth", "token": other.account.access_token})
    assert (await owner.device.closed())[0] == 4500, owner.device.shown("another's token was taken")
    await owner.rejoin()
    owner.counts["foreign token"] += 1


async def sign_out_and_in(owner: Owner, *, itself: bool) -> None:
    """The session ends and its socket with it, 4501; a new session goes on where the old one was. Costs a password hash."""
    old = owner.account
    ends = ("DELETE", f"/v1/auth/sessions/{old.session_id}") if itself else ("POST", "/v1/auth/logout")
    answer = await owner.ask(*ends)
    assert answer.status_code == 204, answer.text
    assert (await owner.device.closed())[0] == 4501, owner.device.shown("the session has ended")
    owner.account = await owner.world.again(old)
    owner.revoked.append(old)
    for token in (owner.account.session_id, owner.account.access_token, owner.account.refresh_token):
        owner.belongings.judge(owner.name, token.encode(), "the answer to signing in")
    await owner.rejoin()
    owner.counts["sign out"] += 1


async def use_a_revoked(owner: Owner, place: int) -> None:
    """The token of a session that has ended opens no operation, no stream and no socket, though all it names is there."""
    for gone in owner.revoked:
        route = _GUARDED[place % len(_GUARDED)]
        path = route.filled({kind: owner.ids(kind)[0] for kind in ids_in(route)})
        answer = await owner.ask(route.verb, path, account=gone, json=route.body)
        told = (answer.status_code, answer.json().get("code"))
        assert told == (401, "session_revoked"), f"{route.name} with a revoked session: {answer.text}"
        stream = await owner.world.stream_refused(gone, "?after=0")
        assert stream.status == 401, f"a stream with a revoked session: {stream.status}"
        with pytest.raises(Refused, match="401"):
            await owner.world.stranger(gone.access_token)
        owner.counts["revoked session"] += 1
