"""P12 for a fleet: with a defect planted in each of its processes the very test of its promise goes red, and for the right reason."""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from fleet import test_database, test_failover, test_fleet, test_network, test_rolling, test_valkey
from fleet.checks import check_a_sleeper_is_fenced
from fleet.fleet import Fleet
from quintet.testing.sockets.connecting import Connect
from sabotage.by_fleet import DEFECTS_OF_FLEETS

pytestmark = [pytest.mark.l3, pytest.mark.sabotage, pytest.mark.hang_guard(300)]

Maker = Callable[..., Fleet]


class Case(NamedTuple):
    """A defect, the promise that it breaks, the test that keeps it, what that must say, and which of its parameters."""

    promise: str
    defect: str
    test: Callable[..., Awaitable[None]]
    says: str
    given: Mapping[str, object] = {}


# a run that is open for ever; what is only slow moves
STUCK = r"finds no rest: .* unchanged for ([3-9]\d|\d{3,}) s"
# a gap, or something of which nothing is left
LOST = rf"^sequence: |^pairs: |resync|does not hold|in the log|saw \d+ as|that the log does not know|{STUCK}"
CASES = [
    Case("P3", "deaf_to_notices", test_fleet.test_one_user_at_two_gateways_has_one_order, "was told late"),
    Case("P5", "write_after_the_lease", test_fleet.test_a_worker_that_sleeps_past_its_life_is_fenced, "follow the end"),
    Case(
        "P2",
        "number_without_the_lock",
        test_fleet.test_one_user_at_two_gateways_has_one_order,
        "gave the same numbers",
    ),
    Case(
        "P3",
        "keep_epochs_after_a_loss",
        test_failover.test_whoever_has_seen_what_is_lost_is_told,
        "in vain for the server to close",
    ),
    Case(
        "P4",
        "outlive_the_lease",
        test_network.test_a_worker_that_is_cut_off_stops_its_runs_itself,
        "no 'cancelled' of 'cut-a'",
        {"network": "relay"},
    ),
]
LONG = [
    Case(
        "P1",
        "answer_before_the_log",
        test_database.test_a_database_that_is_stopped_again_and_again_loses_nothing,
        LOST,
    ),
    Case(
        "P1",
        "believe_a_lost_commit",
        test_database.test_backends_that_end_in_the_middle_of_a_commit_are_nobodys_concern,
        LOST,
    ),
    Case(
        "P3",
        "repeat_a_lost_commit",
        test_database.test_backends_that_end_in_the_middle_of_a_commit_are_nobodys_concern,
        f"is a second|twice|{LOST}",
    ),
    Case("P4", "impatient", test_database.test_commits_of_two_seconds_delay_and_lose_nothing, "in vain for the answer"),
    Case(
        "P9",
        "never_wait_for_the_log",
        test_database.test_commits_of_two_seconds_delay_and_lose_nothing,
        "made the worker grow",
    ),
    Case(
        "P3",
        "deaf_for_good",
        test_database.test_who_does_not_hear_is_late_and_nothing_else,
        "processes only",
        {"how": "cut"},
    ),
    Case(
        "P3",
        "trust_silence",
        test_database.test_who_does_not_hear_is_late_and_nothing_else,
        "processes only",
        {"how": "silent"},
    ),
    Case(
        "P3",
        "never_look_at_heads",
        test_database.test_who_does_not_hear_is_late_and_nothing_else,
        "in vain for the ending",
        {"how": "cut"},
    ),
    Case("P3", "deaf_for_good", test_valkey.test_a_fleet_without_its_valkey_is_slower_and_nothing_else, "not in touch"),
    Case("P4", "bury_late", test_fleet.test_a_dead_workers_run_ends_within_twenty_seconds, "after its worker"),
    Case("P4", "begin_it_again", test_fleet.test_a_dead_workers_run_ends_within_twenty_seconds, "in vain for the end"),
    Case(
        "P5",
        "write_after_the_lease",
        test_fleet.test_a_worker_that_falls_asleep_in_a_transaction_harms_nobody_elses_runs,
        "follows its ending|^sequence: |^pairs: ",
    ),
    Case("P4", "leave_at_once", test_rolling.test_a_rolling_restart_loses_nothing, "agent_cancelled"),
    Case(
        "P3",
        "send_away_in_silence",
        test_network.test_a_gateway_that_is_cut_off_keeps_its_sockets,
        "4000",
    ),
    Case("P4", "keep_what_was_open", test_failover.test_a_lagging_standby_takes_over, STUCK),
    Case(
        "P3",
        "forget_the_vouching",
        test_failover.test_a_standby_that_has_everything_takes_over_unnoticed,
        "answered by .*resync",
    ),
]


@pytest.fixture
def sabotaged(request: pytest.FixtureRequest) -> Callable[[], Awaitable[None]]:
    """The test of a case, with what it asks for; every fleet that it makes has the defect."""
    case: Case = request.param
    given: dict[str, Any] = dict(case.given)
    for name in inspect.signature(case.test).parameters:
        if name not in given:
            given[name] = request.getfixturevalue(name)
    given["fleet_of"] = partial(given["fleet_of"], command=planted(case.defect))
    return partial(case.test, **given)


def planted(defect: str) -> tuple[str, ...]:
    """The words that start a server with it."""
    return ("sabotage/serve.py", defect, "--")


def _name(case: Case) -> str:
    return f"{case.defect} {case.test.__name__.removeprefix('test_')}"


@pytest.mark.parametrize(
    ("sabotaged", "case"),
    [pytest.param(case, case, id=_name(case)) for case in CASES]
    + [pytest.param(case, case, id=_name(case), marks=pytest.mark.long) for case in LONG],
    indirect=["sabotaged"],
)
async def test_a_planted_defect_of_a_fleet_is_seen(
    sabotaged: Callable[[], Awaitable[None]], case: Case, record_property: Callable[[str, object], None]
) -> None:
    """The test that is green on the sound product is red with it."""
    record_property("sabotage", f"{case.promise:4} {_name(case)}")
    with pytest.raises((AssertionError, ExceptionGroup)) as told:
        await sabotaged()
    words = list(_words(told.value))
    assert any(re.search(case.says, said) for said in words), f"red for another reason: {words}"


def _words(error: BaseException) -> Iterator[str]:
    """What an assertion said, also of several clients at once."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _words(each)
    elif isinstance(error, AssertionError):
        yield str(error)


def test_every_defect_of_fleets_is_used() -> None:
    """None lies about unseen."""
    assert {case.defect for case in [*CASES, *LONG]} == DEFECTS_OF_FLEETS.keys()


async def test_the_fence_alone_is_enough_in_a_fleet(fleet_of: Maker, connect: Connect, tmp_path: Path) -> None:
    """A worker that never notices that it was taken for dead adds nothing to what was ended."""
    fleet = fleet_of(gateways=1, workers=1, command=planted("outlive_the_lease"))
    await check_a_sleeper_is_fenced(fleet, connect, tmp_path / "copy")
