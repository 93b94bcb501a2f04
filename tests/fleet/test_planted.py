"""P12 for a fleet: with a defect planted in each of its processes the check of its promise goes red, and for the right reason."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from fleet.checks import (
    check_a_sleeper_is_fenced,
    check_clients_are_told,
    check_one_order_of_two_gateways,
    check_told_at_once,
)
from fleet.fleet import Fleet
from quintet.testing.sockets.connecting import Connect
from support.standby import Pair, PairDatabase

pytestmark = [pytest.mark.l3, pytest.mark.sabotage, pytest.mark.hang_guard(240)]

Maker = Callable[..., Fleet]
Note = Callable[[str, object], None]


def planted(defect: str) -> tuple[str, ...]:
    """The words that start a server with it."""
    return ("sabotage/serve.py", defect, "--")


async def test_notices_that_nobody_hears_are_seen(fleet_of: Maker, connect: Connect, record_property: Note) -> None:
    """Everything comes by the slow poll."""
    record_property("sabotage", "P3   deaf_to_notices")
    fleet = fleet_of(workers=1, command=planted("deaf_to_notices"))
    with pytest.raises(AssertionError, match="was told late"):
        await check_told_at_once(fleet, connect)


async def test_a_fence_that_lets_old_attempts_through_is_seen(
    fleet_of: Maker, connect: Connect, tmp_path: Path, record_property: Note
) -> None:
    """A worker that was taken for dead writes on."""
    record_property("sabotage", "P5   write_after_the_lease")
    fleet = fleet_of(gateways=1, workers=1, command=planted("write_after_the_lease"))
    with pytest.raises(AssertionError, match="follow the ending"):
        await check_a_sleeper_is_fenced(fleet, connect, tmp_path / "copy")


async def test_the_fence_alone_is_enough_in_a_fleet(fleet_of: Maker, connect: Connect, tmp_path: Path) -> None:
    """A worker that never notices that it was taken for dead adds nothing to what was ended."""
    fleet = fleet_of(gateways=1, workers=1, command=planted("outlive_the_lease"))
    await check_a_sleeper_is_fenced(fleet, connect, tmp_path / "copy")


async def test_a_number_that_two_gateways_give_is_seen(
    fleet_of: Maker, connect: Connect, record_property: Note
) -> None:
    """No transaction waits for another's of the same user."""
    record_property("sabotage", "P2   number_without_the_lock")
    fleet = fleet_of(workers=1, command=planted("number_without_the_lock"))
    with pytest.raises(AssertionError, match="gave the same numbers"):
        await check_one_order_of_two_gateways(fleet, connect)


async def test_an_epoch_that_outlasts_a_loss_is_seen(
    fleet_of: Maker, both: Pair, connect: Connect, record_property: Note
) -> None:
    """Numbers are given again, and clients are ahead of them."""
    record_property("sabotage", "P3   keep_epochs_after_a_loss")
    fleet = fleet_of(
        await asyncio.to_thread(PairDatabase, both), workers=1, command=planted("keep_epochs_after_a_loss")
    )
    with pytest.raises(AssertionError, match="in vain for the server to close"):
        await check_clients_are_told(fleet, both, connect)
