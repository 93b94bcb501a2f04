"""P8, out is out: logging out and reusing a refresh token end sockets and tokens in under a second."""

import asyncio
import time

import httpx
import pytest

from quintet.testing.accounts.account import Account, http_client
from quintet.testing.contracts import whole
from support.world import World

pytestmark = pytest.mark.l3


async def test_logout_closes_the_sockets_of_its_session(world: World) -> None:
    """4501 within 1 s on every socket of the session; another session of the user goes on; the token is dead."""
    alice = await world.user()
    other = await world.again(alice)
    mine = [await world.device(alice, name=f"mine {n}") for n in range(2)]
    quiet = await world.device(alice, after=None, name="not following")
    kept = await world.device(other, name="other session")
    begun = time.monotonic()
    assert (await alice.http.post("/v1/auth/logout")).status_code == 204
    for device in (*mine, quiet):
        assert await device.closed(3) == (4501, "session_revoked")
        assert device.closed_at - begun < 1, device.shown("the socket outlived its session by more than 1 s")
    refused = await alice.http.get("/v1/auth/me")
    assert (refused.status_code, refused.json()["code"]) == (401, "session_revoked")
    whole(await kept.tell("still signed in", "echo"))
    assert (await alice.http.post("/v1/auth/logout")).status_code == 204, "logging out again is no error"


async def test_nothing_is_delivered_after_a_logout(world: World) -> None:
    """A run of the user goes on, but the closed session sees none of it."""
    alice = await world.user()
    other = await world.again(alice)
    watcher, mine = await world.device(other, name="watcher"), await world.device(alice, name="mine")
    said = await watcher.say({"steps": 40, "pause": 0.02}, agent="stepper")
    await mine.find("some of it", lambda e: (e.run_order or 0) > 10)
    await alice.http.post("/v1/auth/logout")
    assert (await mine.closed(3))[0] == 4501
    run = whole(await watcher.run(said.run_id))
    assert mine.events[-1]["seq"] < run[-1]["seq"]


async def test_reuse_of_a_refresh_token_ends_the_family_and_its_sockets(world: World) -> None:
    """Within 10 s a second use is a conflict; later it ends the session: 401 `refresh_reused`, 4501 within 1 s, token dead. The two sockets
    look for themselves at different moments, so what closes both is that they were told."""
    alice = await world.user()
    devices = [await world.device(alice)]
    first = await _refresh(world, alice.refresh_token)
    assert first.status_code == 200
    used = time.monotonic()
    second = await _refresh(world, alice.refresh_token)
    assert (second.status_code, second.json()["code"]) == (409, "refresh_conflict")
    assert devices[0].close_code is None, "a conflict closes nothing"
    await asyncio.sleep(2.5)
    devices.append(await world.device(alice, name="half a look later"))
    while (reused := await _refresh(world, alice.refresh_token)).status_code == 409:
        assert time.monotonic() - used < 13, "reuse after 10 s is still called a conflict"
        await asyncio.sleep(0.5)
    at = time.monotonic()
    assert at - used > 8, "reuse was punished within the time of a parallel use"
    assert (reused.status_code, reused.json()["code"]) == (401, "refresh_reused")
    for device in devices:
        assert await device.closed(3) == (4501, "session_revoked")
        assert device.closed_at - at < 1, device.shown("the socket outlived its session by more than 1 s")
    newest = first.json()
    assert (await _refresh(world, newest["refresh_token"])).status_code == 401, "the whole family has ended"
    async with http_client(world.server, newest["access_token"]) as http:
        refused = await http.get("/v1/auth/me")
    assert (refused.status_code, refused.json()["code"]) == (401, "session_revoked")


async def test_five_refreshes_at_once_have_one_winner(world: World) -> None:
    """One 200 and four 409, and the session lives on with the winner's pair."""
    alice = await world.user()
    device = await world.device(alice)
    answers = await asyncio.gather(*(_refresh(world, alice.refresh_token) for _ in range(5)))
    assert sorted(a.status_code for a in answers) == [200, 409, 409, 409, 409]
    pair = next(a for a in answers if a.status_code == 200).json()
    assert (await _refresh(world, pair["refresh_token"])).status_code == 200
    whole(await device.tell("undisturbed", "echo"))


async def test_the_same_attempt_gets_the_same_answer(world: World) -> None:
    """A reload in the middle of a refresh: the same `attempt_id` returns the same successor."""
    alice = await world.user()
    answers = [await _refresh(world, alice.refresh_token, attempt_id="attempt-1234567890abcdef") for _ in range(2)]
    assert [a.status_code for a in answers] == [200, 200]
    assert answers[0].json()["refresh_token"] == answers[1].json()["refresh_token"]


async def test_a_token_of_an_ended_session_opens_no_socket(world: World) -> None:
    """401 before the upgrade without an Origin; with one the upgrade and then a close that says stop."""
    alice = await world.user()
    await alice.http.post("/v1/auth/logout")
    browser = await world.stranger(alice.access_token, origin=world.server.url, how="subprotocol")
    assert (await browser.closed())[0] in {4500, 4501}
    assert await _upgrade_status(world, alice) == 401


async def _upgrade_status(world: World, account: Account) -> int:
    raw = await world.connect.raw(world.server, token=account)
    await raw.cut()
    return raw.handshake.status


async def _refresh(world: World, token: str, **more: str) -> httpx.Response:
    async with http_client(world.server) as http:
        return await http.post("/v1/auth/refresh", json={"refresh_token": token, **more})
