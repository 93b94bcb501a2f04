"""Planted defects that only a fault shows: with each of them the test of its fault is red."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from faults import test_clock, test_disk, test_stopped, test_wakes
from quintet.testing.sockets.connecting import Connect
from support.server import Factory, Server

pytestmark = [pytest.mark.l3, pytest.mark.sabotage, pytest.mark.hang_guard(180)]

Check = Callable[[Factory, Connect, Path], Awaitable[None]]


async def _on_a_full_disk(make: Factory, connect: Connect, folder: Path) -> None:
    with test_disk.places(make) as place:
        await test_disk.test_a_full_disk_refuses_what_is_new_and_ends_what_runs(place, connect, folder, "pages")


SHOWN_BY: dict[str, tuple[Check, str]] = {
    "endings_need_room": (_on_a_full_disk, "in vain for the ending of"),
    "accuse_asleep": (
        test_stopped.test_a_process_that_stood_still_fails_nobodys_run,
        "runs were failed because the process stood still",
    ),
    "count_by_the_wall": (
        lambda make, connect, folder: test_clock.test_an_hour_more_or_less_ends_no_run_and_no_socket(
            make, connect, folder, 0, 3600
        ),
        "had to connect again",
    ),
    "never_look": (
        lambda make, connect, _: test_wakes.test_wake_ups_that_are_all_lost_cost_five_seconds_at_most(make, connect),
        "in vain for the ending of|s late",
    ),
}


def planted(make: Factory, defect: str) -> Factory:
    """The same servers with a defect in each."""

    def made(*, start: bool = True, **options: Any) -> Server:
        server = make(start=False, **options)
        server.environment["FAULT_DEFECT"] = defect
        if start:
            server.start()
        return server

    return made


@pytest.mark.parametrize("defect", SHOWN_BY)
async def test_a_planted_defect_that_shows_only_in_a_fault_is_seen(
    server_factory: Factory, connect: Connect, tmp_path: Path, defect: str
) -> None:
    """No room for endings; the frozen process's agents blamed; deadlines by the wall clock; a feed that never looks by itself."""
    check, says = SHOWN_BY[defect]
    with pytest.raises(AssertionError, match=says):
        await check(planted(server_factory, defect), connect, tmp_path)
