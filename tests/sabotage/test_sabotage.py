"""P12, the tests bite: for each planted defect the check of its promise goes red, and for the right reason.

The checks are the very functions that the ordinary tests run green against the sound product.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from support.checks.durability import check_killed_at_receipt
from support.checks.fence import check_given_up_agent_is_fenced
from support.checks.isolation import check_a_foreign_cursor, check_foreign_ids, check_isolation
from support.checks.letters import (
    check_a_link_is_good_once,
    check_looking_at_a_link_uses_nothing_up,
    check_reset_closes_sockets,
)
from support.checks.once import (
    check_a_failure_is_told,
    check_a_tool_runs_once,
    check_cancel_stops,
    check_one_ending,
    check_the_same_client_id_of_two_users,
)
from support.checks.order import check_many_writers, check_nothing_is_late
from support.checks.out import (
    check_a_missing_secret_stops_the_start,
    check_an_unsigned_token_opens_nothing,
    check_logout_closes_sockets,
)
from support.server import Factory, Server
from support.world import World

pytestmark = [pytest.mark.l3, pytest.mark.sabotage]

SECONDS = 100.0


class Case(NamedTuple):
    """A check, and what it must say when the defect is there."""

    check: Callable[[Server], Awaitable[None]]
    says: str


def _in_world(check: Callable[[World], Awaitable[None]], *, strict: bool = True) -> Callable[[Server], Awaitable[None]]:
    async def run(server: Server) -> None:
        async with World(server, strict=strict) as world:
            await check(world)

    return run


CASES = {
    "deliver_before_commit": Case(check_killed_at_receipt, "the log has (not what was delivered|changed)"),
    "skip_the_fence": Case(check_given_up_agent_is_fenced, "follow the ending"),
    "query_without_the_user": Case(_in_world(check_foreign_ids), r"GET /v1/runs/\{run_id\} with a foreign id: 200"),
    "number_outside_the_lock": Case(_in_world(check_many_writers), r"closed \(4010 internal\)|was due|a hole"),
    "read_before_registering": Case(_in_world(check_nothing_is_late), "the wake-up was lost|in vain for the ending"),
    "cursor_is_a_number": Case(_in_world(check_a_foreign_cursor), "a foreign cursor was answered by following"),
    "two_endings": Case(_in_world(check_one_ending, strict=False), "the run has 2 endings"),
    "sent_before_without_the_user": Case(_in_world(check_the_same_client_id_of_two_users), "was answered with another"),
    "deaf_to_cancel": Case(_in_world(check_cancel_stops), "in vain for the ending"),
    "deaf_to_logout": Case(_in_world(check_logout_closes_sockets), "in vain for the server to close"),
    "keep_a_used_link": Case(_in_world(check_a_link_is_good_once), "a (used link|link used twice at once) was answered"),
    "spend_by_looking": Case(_in_world(check_looking_at_a_link_uses_nothing_up), "only looked at was answered 401"),
    "reset_leaves_sessions": Case(_in_world(check_reset_closes_sockets), "in vain for the server to close"),
    "retry_a_tool": Case(_in_world(check_a_tool_runs_once), "the tool ran 2 times"),
    "swallow_a_failure": Case(_in_world(check_a_failure_is_told), "a failure was told as agent_completed"),
    "believe_any_signature": Case(_in_world(check_an_unsigned_token_opens_nothing), "a forged token opened"),
    "broadcast": Case(_in_world(lambda world: check_isolation(world, 3), strict=False), "received what belongs to"),
}


@pytest.mark.parametrize("defect", CASES)
async def test_a_planted_defect_turns_its_check_red(server_factory: Factory, defect: str) -> None:
    """Deliver before commit; skip the fence; a query without the user; number outside the lock; read first; broadcast."""
    server = server_factory(command=("sabotage/serve.py", defect, "--"))
    case = CASES[defect]
    with pytest.raises(AssertionError, match=case.says):
        async with asyncio.timeout(SECONDS):
            await case.check(server)


def test_a_planted_defect_of_the_start_turns_its_check_red(tmp_path: Path) -> None:
    """A default where there must be none: the start does not end with 78."""
    command = ("sabotage/serve.py", "ignore_a_missing_secret", "--")
    with pytest.raises(AssertionError, match="without a secret the start ended with"):
        check_a_missing_secret_stops_the_start(tmp_path, command)


async def test_the_checks_are_green_on_the_sound_product(world: World, tmp_path: Path) -> None:
    """Those that no other test runs: what goes red under a defect is green without it."""
    await check_a_foreign_cursor(world)
    await check_the_same_client_id_of_two_users(world)
    await check_a_tool_runs_once(world)
    await check_one_ending(world)
    await check_a_failure_is_told(world)
    await check_an_unsigned_token_opens_nothing(world)
    await check_cancel_stops(world)
    await check_logout_closes_sockets(world)
    check_a_missing_secret_stops_the_start(tmp_path)


async def test_the_fence_alone_is_enough(server_factory: Factory) -> None:
    """With a worker that does not notice that its run was given up, the fence still keeps the log clean."""
    await check_given_up_agent_is_fenced(server_factory(command=("sabotage/serve.py", "deaf_worker", "--")))


async def test_a_name_that_is_no_defect_starts_nothing(server_factory: Factory) -> None:
    """A misspelt sabotage is an error, not a green test."""
    with pytest.raises(AssertionError, match="NAME one of"):
        server_factory(command=("sabotage/serve.py", "deliver_befor_commit", "--"))
