"""P12, the tests bite: for each planted defect the check of its promise goes red, and for the right reason.

The checks are the very functions that the ordinary tests run green against the sound product.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from crowds.slow_readers import check_slow_readers
from isolation.one_connection import check_one_connection
from sabotage.by_fleet import DEFECTS_OF_FLEETS
from sabotage.defects import DEFECTS
from sabotage.refusals import check_refusals_are_told
from support.checks.accounts import (
    check_a_code_is_good_once,
    check_a_revoked_token_opens_no_socket,
    check_deletion_leaves_nothing,
    check_only_administrators_administer,
)
from support.checks.canaries import check_canaries
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
    check_a_revoked_key_opens_nothing,
    check_an_unsigned_token_opens_nothing,
    check_logout_closes_sockets,
)
from support.server import Factory, Server
from support.world import World

pytestmark = [pytest.mark.l3, pytest.mark.sabotage]

SECONDS = 100.0


class Case(NamedTuple):
    """A defect, the promise that it breaks, the check that keeps it, and what the check must say."""

    promise: str
    defect: str
    check: Callable[[Server], Awaitable[object]]
    says: str
    by: str = ""  # where a defect has more than one case


def _in_world(check: Callable[[World], Awaitable[None]], *, strict: bool = True) -> Callable[[Server], Awaitable[None]]:
    async def run(server: Server) -> None:
        async with World(server, strict=strict) as world:
            await check(world)

    return run


async def _canaries(server: Server) -> None:
    await check_canaries(server, examples=1, steps=40, start=1, strict=False)


CASES = [
    Case("P1", "deliver_before_commit", check_killed_at_receipt, "the log has (not what was delivered|changed)"),
    Case("P2", "number_outside_the_lock", _in_world(check_many_writers), r"closed \(4010 internal\)|was due|a hole"),
    Case(
        "P3", "read_before_registering", _in_world(check_nothing_is_late), "the wake-up was lost|in vain for the ending"
    ),
    Case("P3", "retry_a_tool", _in_world(check_a_tool_runs_once), "the tool ran 2 times"),
    Case("P4", "two_endings", _in_world(check_one_ending, strict=False), "the run has 2 endings"),
    Case("P5", "skip_the_fence", check_given_up_agent_is_fenced, "follow the ending"),
    Case(
        "P6", "query_without_the_user", _in_world(check_foreign_ids), r"GET /v1/runs/\{run_id\} with a foreign id: 200"
    ),
    Case("P6", "query_without_the_user", _canaries, "received what belongs to", "canaries"),
    Case("P6", "cursor_is_a_number", _in_world(check_a_foreign_cursor), "a foreign cursor was answered by following"),
    Case("P6", "cursor_is_a_number", _canaries, "a foreign cursor was answered", "canaries"),
    Case(
        "P6", "sent_before_without_the_user", _in_world(check_the_same_client_id_of_two_users), "answered with another"
    ),
    Case(
        "P6", "broadcast", _in_world(lambda world: check_isolation(world, 3), strict=False), "received what belongs to"
    ),
    Case("P6", "broadcast", _canaries, "received what belongs to", "canaries"),
    Case("P6", "remember_who_called", check_one_connection, "was answered with another's"),
    Case("P7", "deaf_to_cancel", _in_world(check_cancel_stops), "in vain for the ending"),
    Case("P8", "deaf_to_logout", _in_world(check_logout_closes_sockets), "in vain for the server to close"),
    Case("P8", "believe_any_signature", _in_world(check_an_unsigned_token_opens_nothing), "a forged token opened"),
    Case(
        "P8", "reset_leaves_sessions", _in_world(check_reset_closes_sockets), "in vain for the server to close|outlived"
    ),
    Case("P8", "keep_a_used_link", _in_world(check_a_link_is_good_once), "a link used twice|a used link was answered"),
    Case("P8", "spend_by_looking", _in_world(check_looking_at_a_link_uses_nothing_up), "only looked at"),
    Case("P6", "anybody_administers", _in_world(check_only_administrators_administer), "answered a user with 200"),
    Case("P8", "believe_revoked_keys", _in_world(check_a_revoked_key_opens_nothing), "a revoked key opened"),
    Case("P8", "delete_all_but_the_log", _in_world(check_deletion_leaves_nothing), "left in .*events"),
    Case("P8", "forget_the_last_step", _in_world(check_a_code_is_good_once), "a code worked twice"),
    Case(
        "P8",
        "register_without_looking_again",
        _in_world(check_a_revoked_token_opens_no_socket),
        "in vain for the server to close",
    ),
    Case("P9", "queue_for_a_slow_reader", check_slow_readers, "readers that take nothing"),
    Case("P10", "swallow_a_failure", _in_world(check_a_failure_is_told), "a failure was told as agent_completed"),
    Case("P10", "swallow_a_refusal", check_refusals_are_told, "in vain for the refusal"),
    Case("P10", "tell_the_exception", check_refusals_are_told, "tells of the inside"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.defect} {case.by}".strip())
async def test_a_planted_defect_turns_its_check_red(
    server_factory: Factory, case: Case, record_property: Callable[[str, object], None]
) -> None:
    """For each promise at least one defect, and the very check that keeps the promise sees it."""
    record_property("sabotage", f"{case.promise:4} {case.defect} {case.by}".strip())
    server = server_factory(command=("sabotage/serve.py", case.defect, "--"))
    with pytest.raises(AssertionError, match=case.says):
        async with asyncio.timeout(SECONDS):
            await case.check(server)


def test_every_promise_has_a_defect() -> None:
    """P1 to P11, and no defect lies about unused. P12 is all of them."""
    promises = {case.promise for case in CASES} | {"P11"}  # that of the start has a test of its own, below
    assert promises == {f"P{number}" for number in range(1, 12)}
    beside = {"deaf_worker", "ignore_a_missing_secret", *DEFECTS_OF_FLEETS}  # those of fleets are seen in tests/fleet
    assert {case.defect for case in CASES} == DEFECTS.keys() - beside


def test_a_planted_defect_of_the_start_turns_its_check_red(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """A default where there must be none: the start does not end with 78."""
    record_property("sabotage", "P11  ignore_a_missing_secret")
    command = ("sabotage/serve.py", "ignore_a_missing_secret", "--")
    with pytest.raises(AssertionError, match="without a secret the start ended with"):
        check_a_missing_secret_stops_the_start(tmp_path, command)


async def test_the_checks_are_green_on_the_sound_product(world: World, tmp_path: Path) -> None:
    """Those that no other test runs: what goes red under a defect is green without it."""
    await check_refusals_are_told(world.server)
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
