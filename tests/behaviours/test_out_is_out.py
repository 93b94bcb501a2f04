"""P8, whatever ends a session ends its sockets within a second: a table. Resets are in tests/page and tests/mail, an administrator's acts in
tests/admin, the reuse of a refresh token in test_revocation."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from quintet.testing.accounts.account import Account
from support.checks.accounts import (
    check_a_code_is_good_once,
    check_a_revoked_token_opens_no_socket,
    check_deletion_leaves_nothing,
    check_only_administrators_administer,
)
from support.world import World

pytestmark = pytest.mark.l3


async def _another_device(mine: Account, other: Account) -> None:
    assert (await other.http.delete(f"/v1/auth/sessions/{mine.session_id}")).status_code == 204


async def _all_others(_: Account, other: Account) -> None:
    assert (await other.http.delete("/v1/auth/sessions?others=true")).status_code == 204


async def _new_password(_: Account, other: Account) -> None:
    body = {"current": other.password, "new": f"{other.password} and more"}
    assert (await other.http.post("/v1/auth/password", json=body)).status_code == 204


async def _logout(mine: Account, _: Account) -> None:
    assert (await mine.http.post("/v1/auth/logout")).status_code == 204


@pytest.mark.parametrize("act", [_logout, _another_device, _all_others, _new_password], ids=lambda act: act.__name__)
async def test_sockets_close_within_a_second(world: World, act: Callable[[Account, Account], Awaitable[None]]) -> None:
    """4501 on a socket that follows and on one that does not, at most 1 s after the answer; the other session goes on."""
    mine = await world.user()
    other = await world.again(mine)
    devices = [await world.device(mine), await world.device(mine, after=None, name="quiet")]
    kept = await world.device(other, name="other session")
    await act(mine, other)
    at = time.monotonic()
    for device in devices:
        assert await device.closed(3) == (4501, "session_revoked")
        assert device.closed_at - at < 1, device.shown("the socket outlived its session by more than 1 s")
    assert kept.close_code is None


async def test_a_deletion_closes_every_socket_within_a_second(world: World) -> None:
    """Also where nothing runs whose ending would wake them: those of all sessions, which look for themselves at different moments."""
    mine = await world.user()
    devices = [await world.device(mine), await world.device(mine, after=None, name="quiet")]
    await asyncio.sleep(2.5)
    devices.append(await world.device(await world.again(mine), name="other session"))
    answer = await mine.http.request("DELETE", "/v1/auth/me", json={"password": mine.password})
    assert answer.status_code == 204
    at = time.monotonic()
    for device in devices:
        assert await device.closed(3) == (4501, "session_revoked")
        assert device.closed_at - at < 1, device.shown("the socket outlived its account by more than 1 s")


async def test_deleted_is_gone(world: World) -> None:
    """An account with a conversation and running work: its socket closed, its run ended, no row left, its address free."""
    await check_deletion_leaves_nothing(world)


async def test_no_gap_lets_a_session_through(world: World) -> None:
    """A session that ends while its socket is being opened gets no event, whichever comes first."""
    await check_a_revoked_token_opens_no_socket(world)


async def test_what_planted_defects_of_accounts_break(world: World) -> None:
    """The checks of the planted defects are green on the sound product."""
    await check_a_code_is_good_once(world)
    await check_only_administrators_administer(world)
