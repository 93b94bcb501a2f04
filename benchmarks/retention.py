"""What do old events cost on a large PostgreSQL, and what do partitions cost whoever appends and reads?

Two databases hold the same events: six weeks of them, the oldest of which is to go. One is as Quintet makes it, with a segment for each
week; in the other the table has no partitions, so that events go row by row. Everything else is the same code. Rounds alternate. Appends,
catching up and looking for nothing new are done one after another; what it costs to take old events away is measured beside appends at
a steady pace. Of segments both looks are counted: the one that hides, and the one after it that drops.
"""

import argparse
import asyncio
import contextlib
import time
from array import array
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

from benchmarks.kit.database import Database, database
from benchmarks.kit.figures import median, percentiles, publish, table
from benchmarks.kit.history import DAY_MS, WEEK_MS, fill, in_one_table, in_segments, scalar
from benchmarks.kit.machine import facts, warn_if_busy
from benchmarks.kit.wish import options
from quintet.events import AgentThinking, draft
from quintet.log import Expiring
from quintet.log.numbers import append_in
from quintet.log.reading import read_in
from quintet.sources import Sources
from quintet.store import Store, Tx, open_store

ARMS = ("one table", "segments")
WEEKS = 6
AGO_MS = 3 * DAY_MS // 24  # since when the newest segment is there: no other begins meanwhile, and the oldest is over
PACE = 0.005  # seconds between two appends beside retention
ROUNDS = 3


class _Unpartitioned:
    """A store that is taken for one without partitions."""

    shared = False

    def __init__(self, store: Store) -> None:
        self.read, self.write = store.read, store.write


class Arm:
    """One of the two, with its database and its store."""

    def __init__(self, name: str, found: Database, users: int, each: int) -> None:
        self.name, self.found, self.users, self.each = name, found, users, each
        self.store: Store = open_store(found.url)
        self._sources, self._number = Sources(), 0

    async def append(self) -> None:
        """One event to the next user's log."""
        user_id = self._next()
        said = draft(
            AgentThinking("a thought", 1),
            event_id=f"{self._number:032x}",
            time_ms=self._sources.now_ms(),
            thread_id="thr_1",
        )
        await self.store.write(user_id, partial(_append, user_id=user_id, said=said))

    async def catch_up(self) -> None:
        """The next user's last hundred events."""
        await self._read(100, 100)

    async def nothing_new(self) -> None:
        """What is after the next user's last event: nothing, or the few that were appended."""
        await self._read(0, 100)

    async def take_away(self) -> None:
        """The oldest week."""
        store = self.store if self.name == "segments" else cast(Store, _Unpartitioned(self.store))
        expiring = Expiring(store, self._sources, (WEEKS - 1) * WEEK_MS // DAY_MS)
        await expiring.look()
        await expiring.look()

    async def _read(self, back: int, limit: int) -> None:
        asked = partial(read_in, user_id=self._next(), after=self.each - back, limit=limit, size=1 << 20)
        batch = await self.store.read(asked)
        if len(batch.rows) < back:
            raise AssertionError(f"{self.name}: {len(batch.rows)} events read instead of {back}")

    def _next(self) -> str:
        self._number += 1
        return f"usr_{self._number * 7919 % self.users + 1}"  # all over the table, and the same in both


def main() -> None:
    """Measure, and print."""
    wish = _wish()
    warn_if_busy()
    with contextlib.ExitStack() as both:
        arms = [Arm(name, both.enter_context(database()), wish.rows // wish.each, wish.each) for name in ARMS]
        figures = asyncio.run(_measured(arms, wish.rows, wish.seconds))
    for what in ("append", "catch_up", "nothing_new"):
        rows = [(name, *figures[name][what].values()) for name in ARMS]
        table(f"{what.replace('_', ' ')}, medians of {ROUNDS} rounds", ["", *figures[ARMS[0]][what]], rows)
    shown = figures[ARMS[0]]["retention"]
    table("The oldest week", ["", *shown], [(name, *figures[name]["retention"].values()) for name in ARMS])
    publish("retention", {"machine": facts(), "rows": wish.rows, **figures}, keep=wish.keep)


async def _measured(arms: list[Arm], rows: int, seconds: float) -> dict[str, Any]:
    now = Sources().now_ms()
    begins = [now - (WEEKS - week) * WEEK_MS - AGO_MS for week in range(WEEKS + 1)]
    figures: dict[str, Any] = {}
    for arm in arms:
        segmented = arm.name == "segments"
        await asyncio.to_thread(*((in_segments, arm.found.url, begins) if segmented else (in_one_table, arm.found.url)))
        span = (now - DAY_MS // 24, WEEKS * 7)
        await asyncio.to_thread(fill, arm.found.url, rows, arm.each, *span, begins if segmented else ())
        await arm.store.start()
        figures[arm.name] = {}
    try:
        for what in (Arm.append, Arm.catch_up, Arm.nothing_new):
            rounds: dict[str, list[dict[str, float]]] = {arm.name: [] for arm in arms}
            for _ in range(ROUNDS):
                for arm in arms:
                    rounds[arm.name].append(await _round(arm, partial(what, arm), seconds))
            for name, found in rounds.items():
                figures[name][what.__name__] = {key: median(one[key] for one in found) for key in found[0]}
        for arm in arms:
            figures[arm.name]["retention"] = await _retention(arm)
    finally:
        for arm in arms:
            await arm.store.close()
    return figures


async def _round(arm: Arm, act: Callable[[], Awaitable[None]], seconds: float) -> dict[str, float]:
    took, cpu, end = array("d"), arm.found.cpu(), time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        await act()
        took.append((time.monotonic() - began) * 1000)
    used = arm.found.cpu().since(cpu).total / len(took)
    found = percentiles(took)
    return {"database CPU µs": round(used, 1), "p50 ms": round(found["p50"], 3), "p99 ms": round(found["p99"], 3)}


async def _retention(arm: Arm) -> dict[str, float]:
    before, cpu, began = _gb(arm.found.url), arm.found.cpu(), time.monotonic()
    meanwhile = await _beside(arm, asyncio.create_task(arm.take_away()))
    seconds, used = time.monotonic() - began, arm.found.cpu().since(cpu).total
    vacuum = arm.found.cpu()
    await asyncio.to_thread(scalar, arm.found.url, "VACUUM events")
    tidied = arm.found.cpu().since(vacuum).total
    gone = int(str(scalar(arm.found.url, "SELECT sum(kept_after) FROM heads")))
    return {
        "gone": gone, "seconds": round(seconds, 1), "database CPU s": round(used / 1e6, 1), "rows/s": round(gone / seconds),
        "vacuum CPU s": round(tidied / 1e6, 1),
        "append p50 ms": round(meanwhile["p50"], 2), "p99 ms": round(meanwhile["p99"], 2), "max ms": round(meanwhile["max"], 1),
        "GB before": before, "GB after": _gb(arm.found.url),
    }  # fmt: skip


async def _beside(arm: Arm, over: "asyncio.Task[None]") -> dict[str, float]:
    """Append at a pace until that is done, and say how long it took."""
    took = array("d")
    while not over.done():
        began = time.monotonic()
        await arm.append()
        took.append((time.monotonic() - began) * 1000)
        await asyncio.sleep(PACE)
    await over
    return percentiles(took)


def _append(tx: Tx, user_id: str, said: Any) -> None:
    append_in(tx, user_id, None, 0, [said])


def _gb(url: str) -> float:
    of_all = "SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('events')"
    alone = "SELECT pg_total_relation_size('events')"
    return round(float(str(scalar(url, of_all) or scalar(url, alone))) / 1e9, 2)


def _wish() -> argparse.Namespace:
    parser = options("retention", __doc__)
    parser.add_argument("--rows", type=int, default=4_000_000)
    parser.add_argument("--each", type=int, default=1_000, help="events of a user")
    parser.add_argument("--seconds", type=float, default=10, help="how long a round lasts")
    wish = parser.parse_args()
    if wish.quick:
        wish.rows, wish.seconds = 100_000, 1
    return wish


if __name__ == "__main__":
    main()
