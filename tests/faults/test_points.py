"""kill -9 at named points of the server: all or nothing, one ending, no tool again, and clients that miss nothing.

`FAULT_SEED` repeats a run, `FAULT_ROUNDS` (1) sets how often each point is tried, each time at another of its passes.
"""

import asyncio
import json
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from faults.arming import dies_at, mortal, restarted_to_die_at
from quintet.testing.sockets.connecting import Connect
from support import oracle
from support.faithful import Faithful, faithful, heal, living
from support.kept import Kept, Row, read
from support.server import Factory, Server

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "1"))
SEED = int(os.environ.get("FAULT_SEED", "0")) or random.randrange(1, 1 << 32)
USERS = 2

pytestmark = [pytest.mark.l3, pytest.mark.hang_guard(60 + 60 * ROUNDS)]

Find = Callable[[Kept, str], list[Row]]


def _accepted(kept: Kept, client_id: str) -> list[Row]:
    return [row for row in kept.find(type="message_accepted") if _data(row)["client_id"] == client_id]


def _event(kept: Kept, digest: str) -> list[Row]:
    return kept.find(digest=digest)


def _started(kept: Kept, run_id: str) -> list[Row]:
    return kept.find(run_id=run_id, type="agent_started")


def _final(kept: Kept, run_id: str) -> list[Row]:
    return kept.find(run_id=run_id, final=True)


def _executing(kept: Kept, call_id: str) -> list[Row]:
    return [row for row in kept.find(type="tool_executing") if _data(row)["call_id"] == call_id]


def _completed(kept: Kept, call_id: str) -> list[Row]:
    return [row for row in kept.find(type="tool_completed") if _data(row)["call_id"] == call_id]


# What was on its way at the point: it is in the files of the dead server, or nothing of it is.
THERE: dict[str, Find] = {
    "after_submit": _accepted,
    "before_wake": _event,
    "after_lease": _started,
    "before_telling": _event,
    "before_tool": _executing,
    "after_tool": _executing,
    "after_ending": _final,
}
NOT_THERE: dict[str, Find] = {
    "in_submit": _accepted,
    "before_flush": _event,
    "in_append": _event,
    "before_tool": _completed,
    "after_tool": _completed,
    "in_ending": _final,
}
UNHEARD = {"before_wake", "before_telling", "after_ending"}  # durable, and no client can have it
UNANSWERED = {"in_submit", "after_submit", "before_wake"}  # somebody must have sent the same again
LOST = {"after_lease", "before_flush", "in_append", "before_telling", "before_tool", "after_tool", "in_ending"}

SELDOM, OFTEN = range(1, 5), range(8, 33)  # at which pass of a point, for those of each run and those of each event
BREACHES = {  # a planted defect: the death that shows it, and what is then said
    "torn_submit": ("in_submit:2", "with a message|refers to what is not there"),
    "torn_ending": ("in_ending:1", "its events say otherwise|is running, with 1 endings"),
    "tool_before_its_event": ("after_tool:1", "that the log does not know|is 0 times in the log"),
    "run_again": ("before_tool:3", "was begun 2 times|a tool ran twice"),
}
OF_EVENTS = {"before_flush", "in_append", "before_telling"}


@pytest.mark.parametrize("point", sorted(THERE | NOT_THERE))
async def test_a_server_killed_at_a_named_point_loses_and_doubles_nothing(
    server_factory: Factory, connect: Connect, tmp_path: Path, point: str
) -> None:
    """What was on its way is there whole or not at all; after the restart every promise of log, runs and tools holds, for every client."""
    chance = random.Random(f"{SEED} {point}")
    for number in range(ROUNDS):
        where = f"{point}:{chance.choice(OFTEN if point in OF_EVENTS else SELDOM)}"
        try:
            server = mortal(server_factory, where)
            await _killed(server, connect, where, chance, tmp_path / str(number))
            server.end()
        except BaseException as fault:
            fault.add_note(f"{where}; {_again()}")
            raise


async def test_a_start_killed_while_it_ends_the_runs_of_the_dead_is_made_good_by_the_next(
    server_factory: Factory, connect: Connect, tmp_path: Path
) -> None:
    """Two deaths in a row, the second in the recovery from the first: each run still has one ending, and no tool runs again."""
    chance = random.Random(SEED)
    try:
        server = mortal(server_factory, "before_tool:2")
        await _killed(server, connect, "before_tool:2", chance, tmp_path, then="in_recovery:1")
    except BaseException as fault:
        fault.add_note(_again())
        raise


async def _killed(
    server: Server, connect: Connect, where: str, chance: random.Random, copies: Path, then: str = ""
) -> None:
    point = where.partition(":")[0]
    people = faithful(server, connect, USERS, lambda: random.Random(chance.random()))
    async with living(people) as lives:
        what = await dies_at(server, where)
        await asyncio.gather(*(person.alone() for person in people))
        left = read(server.database(copies / "left"))
        oracle.check_left(left, people, server.done())
        _check_what_was_on_its_way(point, what, left, people)
        _check_the_tool(point, _executing(left, what), server.done())
        if then:
            run_id = await restarted_to_die_at(server, then)
            again = read(server.database(copies / "again"))
            assert again == left, "a recovery that was cut off has left something"
            assert again.find(run_id=run_id), f"{run_id} was not there to be recovered"

        await asyncio.to_thread(server.start)
        for person in people:
            await person.audit()
            await person.goes_on()
        ended = await heal(server, people, lives, copies / "healed")
        oracle.check_nothing_changed(left, read(server.database(copies / "last")))
        _check_the_tool(point, _executing(left, what), server.done())
        assert point not in OF_EVENTS or any(person.resumed for person in people), "no device resumed"
        assert point not in UNANSWERED or any(person.repeated for person in people), "nobody had to send again"
        assert point not in LOST or ended["worker_lost"], f"no run was hit, so nothing was proven: {ended}"


def _again() -> str:
    return f"again: FAULT_SEED={SEED} FAULT_ROUNDS={ROUNDS} .venv/bin/python -m pytest {os.environ['PYTEST_CURRENT_TEST'].split(' ')[0]!r}"


@pytest.mark.sabotage
@pytest.mark.parametrize("defect", BREACHES)
async def test_a_planted_defect_that_shows_only_in_a_death_is_seen(
    server_factory: Factory, connect: Connect, tmp_path: Path, defect: str
) -> None:
    """A submit or an ending in two commits; a tool before its event; the runs of the dead begun again."""
    where, says = BREACHES[defect]
    server = mortal(server_factory, where, defect)
    with pytest.raises(AssertionError, match=says):
        await _killed(server, connect, where, random.Random(SEED), tmp_path)


def _check_what_was_on_its_way(point: str, what: str, left: Kept, people: Sequence[Faithful]) -> None:
    found = THERE[point](left, what) if point in THERE else []
    assert point not in THERE or len(found) == 1, f"{what} is {len(found)} times in the log"
    assert point not in NOT_THERE or not NOT_THERE[point](left, what), f"{what} is in the log"
    if point in UNHEARD:
        row = found[0]
        for person in people:
            assert row not in left.rows[person.user_id] or row.seq not in person.seen, f"{person.name} has seen {row}"


def _check_the_tool(point: str, call: Sequence[Row], done: Sequence[str]) -> None:
    """Before the point of a tool it has done nothing, and never will; after it, it has, and once."""
    if point in {"before_tool", "after_tool"} and _data(call[0])["tool"] == "lookup":
        times = [line.split(" ", 1)[1] for line in done].count(f"lookup {_data(call[0])['arguments']['mark']}")
        assert times == (point == "after_tool"), f"the tool ran {times} times"


def _data(row: Row) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(row.body)["data"]
    return data
