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

from support import oracle
from support.faithful import Faithful, heal
from support.oracle import Kept, Row
from support.server import Factory, Server
from support.world import World

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "1"))
SEED = int(os.environ.get("FAULT_SEED", "0")) or random.randrange(1, 1 << 32)
USERS = 2
COMMAND = ("faults/serve.py", "--")

pytestmark = [pytest.mark.l3, pytest.mark.timeout(150)]

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
OF_EVENTS = {"before_flush", "in_append", "before_telling"}


@pytest.mark.parametrize("point", sorted(THERE | NOT_THERE))
async def test_a_server_killed_at_a_named_point_loses_and_doubles_nothing(
    server_factory: Factory, tmp_path: Path, point: str
) -> None:
    """What was on its way is there whole or not at all; after the restart every promise of log, runs and tools holds, for every client."""
    chance = random.Random(f"{SEED} {point}")
    for number in range(ROUNDS):
        where = f"{point}:{chance.choice(OFTEN if point in OF_EVENTS else SELDOM)}"
        server = server_factory(start=False, command=COMMAND)
        try:
            await _killed(server, where, chance, tmp_path / str(number))
        except BaseException as fault:
            fault.add_note(
                f"died at {where}; again: FAULT_SEED={SEED} FAULT_ROUNDS={ROUNDS} .venv/bin/python -m pytest"
                f" 'tests/faults/test_points.py::{test_a_server_killed_at_a_named_point_loses_and_doubles_nothing.__name__}[{point}]'"
            )
            raise
        finally:
            server.end()


async def _killed(server: Server, where: str, chance: random.Random, copies: Path) -> None:
    point = where.partition(":")[0]
    arm(server, where)
    await asyncio.to_thread(server.start)
    async with World(server) as world:
        accounts = await world.users(USERS)
        people = [Faithful(server, a, f"user{n}", random.Random(chance.random())) for n, a in enumerate(accounts)]
        lives = asyncio.gather(*(person.live() for person in people))
        what = await died(server, point)
        await asyncio.gather(*(person.alone() for person in people))
        left = oracle.read(server.database(copies / "left"))
        oracle.check_left(left, people, server.done())
        _check_what_was_on_its_way(point, what, left, people, server.done())

        await asyncio.to_thread(server.start)
        for person in people:
            await person.audit()
        ended = await heal(server, people, lives, copies / "healed")
        oracle.check_nothing_changed(left, oracle.read(server.database(copies / "healed")))
        _check_the_tool(point, _executing(left, what), server.done())
        assert point not in OF_EVENTS or any(person.resumed for person in people), "no device resumed"
        assert point not in UNANSWERED or any(person.repeated for person in people), "nobody had to send again"
        assert point not in LOST or ended["worker_lost"], f"no run was hit, so nothing was proven: {ended}"


def arm(server: Server, where: str) -> None:
    """Its next start has this point armed, and no later one."""
    server.environment |= {"FAULT_POINT": where, "FAULT_REACHED": str(_note(server))}


async def died(server: Server, point: str, within: float = 40) -> str:
    """Wait until it died, at that point; returns what was on its way there."""
    await asyncio.to_thread(server.wait, within)
    del server.environment["FAULT_POINT"]
    assert _note(server).exists(), f"the server ended, but not at {point}\n{server.tail()}"
    name, what = _note(server).read_text().split()
    assert name == point, f"the server died at {name}"
    return what


def _note(server: Server) -> Path:
    return server.home / "reached"


def _check_what_was_on_its_way(
    point: str, what: str, left: Kept, people: Sequence[Faithful], done: Sequence[str]
) -> None:
    found = THERE[point](left, what) if point in THERE else []
    assert point not in THERE or len(found) == 1, f"{what} is {len(found)} times in the log"
    assert point not in NOT_THERE or not NOT_THERE[point](left, what), f"{what} is in the log"
    if point in UNHEARD:
        row = found[0]
        for person in people:
            assert row not in left.rows[person.user_id] or row.seq not in person.seen, f"{person.name} has seen {row}"
    _check_the_tool(point, _executing(left, what), done)


def _check_the_tool(point: str, call: Sequence[Row], done: Sequence[str]) -> None:
    """Before the point of a tool it has done nothing, and never will; after it, it has, and once."""
    if point in {"before_tool", "after_tool"} and _data(call[0])["tool"] == "lookup":
        times = [line.split(" ", 1)[1] for line in done].count(f"lookup {_data(call[0])['arguments']['mark']}")
        assert times == (point == "after_tool"), f"the tool ran {times} times"


def _data(row: Row) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(row.body)["data"]
    return data
