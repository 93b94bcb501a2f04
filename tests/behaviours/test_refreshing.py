"""Nobody is signed out by a reload, by a second tab, or by a program that runs twice."""

import asyncio
import random
import secrets

import pytest

from quintet.testing.contracts import whole
from support.tabs import Tabs
from support.world import World

pytestmark = pytest.mark.l3

MODES = pytest.mark.parametrize("web", [True, False], ids=["browser", "program"])


@MODES
async def test_a_reload_in_the_middle_of_a_refresh_never_signs_out(world: World, web: bool) -> None:
    """Gone before the request was sent, before the answer, inside its head, between head and body, at its last byte: it goes on."""
    tabs = await Tabs.sign_up(world.server, web=web)
    device = await world.device(tabs.account())
    told = await tabs.refresh()
    places = [-1, 0, 1, told.head_bytes - 1, told.head_bytes, told.head_bytes + 1, told.bytes - 1, told.bytes]
    for place in places:
        await tabs.reload_after(place)
        again = await tabs.refresh()
        assert again.status == 200, f"after a reload at {place}: {again}\n{world.server.tail()}"
    for _ in range(3):  # somebody who is impatient
        for place in random.sample(places, 4):
            await tabs.reload_after(place)
        assert (await tabs.refresh()).status == 200
    whole(await device.tell("the socket never noticed", "echo"))
    assert (await tabs.account().snapshot())["last_seq"] > 0


@MODES
async def test_two_that_refresh_at_once_never_sign_out(world: World, web: bool) -> None:
    """Two of one sign-in, again and again at once, under attempts of their own: one wins, the other goes on with what it brought."""
    tabs = await Tabs.sign_up(world.server, web=web)
    device = await world.device(tabs.account())
    for _ in range(12):
        await asyncio.gather(_until_refreshed(tabs), _until_refreshed(tabs))
    assert set(tabs.statuses) == {200, 409}, f"{tabs.statuses}\n{world.server.tail()}"
    whole(await device.tell("the socket never noticed", "echo"))
    assert (await tabs.refresh()).status == 200


async def _until_refreshed(tabs: Tabs) -> None:
    attempt = secrets.token_hex(16)
    for _ in range(12):
        answer = await tabs.refresh(attempt=attempt)
        if answer.status == 200:
            return
        assert (answer.status, answer.body["code"]) == (409, "refresh_conflict"), answer
        await asyncio.sleep(random.uniform(0.005, 0.05))  # the pause of the client's own rule
    raise AssertionError(f"twelve conflicts in a row: {tabs.statuses}")


async def test_a_tab_that_was_closed_in_the_middle_leaves_nobody_out(world: World) -> None:
    """The attempt is the whole browser's: another tab repeats it and gets the answer that the closed one never read; at once, too."""
    tabs = await Tabs.sign_up(world.server, web=True)
    device = await world.device(tabs.account())
    for place in (0, 1, 50):
        await tabs.reload_after(place)
        both = await asyncio.gather(tabs.refresh(), tabs.refresh())
        assert [answer.status for answer in both] == [200, 200], tabs.statuses
        assert (await tabs.refresh()).status == 200
    whole(await device.tell("the socket never noticed", "echo"))
