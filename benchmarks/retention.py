"""What does it cost to take old events away from a large PostgreSQL? Half of the rows go, row by row, while others append.

The rows are made by the database itself; what is too old goes by the very function that a server runs once an hour. Beside it somebody
appends at a steady pace, before and meanwhile, and says how long that took.
"""

import argparse
import asyncio
import sys
import time
from array import array
from functools import partial
from typing import Any

import psycopg

from benchmarks.kit.database import Database, database
from benchmarks.kit.figures import percentiles, publish, table
from benchmarks.kit.machine import facts, warn_if_busy
from benchmarks.kit.wish import options
from quintet.events import AgentThinking, draft
from quintet.log import Expiring
from quintet.log.numbers import append_in
from quintet.sources import Sources
from quintet.store import Store, Tx, open_store

DAYS, DAY_MS = 60, 86_400_000
_USERS = """
INSERT INTO users (id, email, email_key, email_verified, password_hash, role, created_at)
SELECT 'usr_' || u, '', 'usr_' || u, false, '', 'user', 0 FROM generate_series(1, %(users)s::int) u
"""
_HEADS = """
INSERT INTO heads (user_id, epoch, seq, digest) SELECT 'usr_' || u, 'abcdef', %(each)s::int, '00000000' FROM generate_series(1, %(users)s::int) u
"""
_EVENTS = """
INSERT INTO events (user_id, seq, run_id, run_seq, type, digest, final, body)
SELECT 'usr_' || u, s, 'run_' || u || '_' || s / 20, s %% 20, 'agent_thinking', '00000000', 0, convert_to(
  '{"id":"' || md5(u::text || s) || '","time":"' || to_char(
    to_timestamp((%(now)s::bigint - (%(each)s::int - s)::bigint * %(step)s::bigint) / 1000.0) AT TIME ZONE 'UTC',
  'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '","type":"agent_thinking","data":{"text":"' || repeat('x', 220) || '"}}', 'UTF8')
FROM generate_series(1, %(each)s::int) s, generate_series(%(first)s::int, %(last)s::int) u
"""
PORTION = 1_000_000  # rows that one statement makes
PACE = 0.005  # seconds between two appends


def main() -> None:
    """Measure, and print."""
    wish = _wish()
    warn_if_busy()
    with database() as found:
        figures = asyncio.run(_measured(found, wish.rows, wish.each, wish.calm))
    took = [(when, *figures[when].values()) for when in ("before", "meanwhile")]
    table(f"Appends of one event, {wish.rows:,} rows, ms", ["", "p50", "p90", "p99", "max", "appends"], took)
    shown = {
        "taken away": "gone",
        "seconds": "seconds",
        "rows/s": "per_second",
        "CPU µs a row": "cpu_us",
        "GB before": "gb_before",
        "GB after": "gb_after",
        "GB after vacuum": "gb_vacuumed",
        "of it for new rows": "reusable_gb",
    }
    table("Retention by DELETE", list(shown), [tuple(figures[name] for name in shown.values())])
    publish("retention", {"machine": facts(), "rows": wish.rows, **figures}, keep=wish.keep)


async def _measured(found: Database, rows: int, each: int, calm: float) -> dict[str, Any]:
    now = Sources().now_ms()
    await asyncio.to_thread(_fill, found.url, rows, each, now)
    store = open_store(found.url)
    await store.start()
    try:
        before = await _appending(store, asyncio.create_task(asyncio.sleep(calm)))
        gb_before, cpu, began = _gb(found.url), found.cpu(), time.monotonic()
        expiring = Expiring(store, Sources(), DAYS // 2)
        meanwhile = await _appending(store, asyncio.create_task(expiring.look()))
        seconds, used = time.monotonic() - began, found.cpu().since(cpu).total
    finally:
        await store.close()
    gone = int(_one(found.url, "SELECT sum(kept_after) FROM heads"))
    gb_after = _gb(found.url)
    _one(found.url, "VACUUM events")
    return {
        "before": before, "meanwhile": meanwhile, "gone": gone, "seconds": round(seconds, 1), "per_second": round(gone / seconds),
        "cpu_us": round(used / gone, 1), "gb_before": gb_before, "gb_after": gb_after, "gb_vacuumed": _gb(found.url),
        "reusable_gb": _reusable(found.url),
    }  # fmt: skip


def _fill(url: str, rows: int, each: int, now: int) -> None:
    users, asked = rows // each, {"each": each, "now": now, "step": DAYS * DAY_MS // each}
    with psycopg.connect(url, autocommit=True) as raw:
        raw.execute(_USERS, {"users": users})
        raw.execute(_HEADS, {"users": users, **asked})
        at_once = max(1, PORTION // each)
        for first in range(1, users + 1, at_once):
            raw.execute(_EVENTS, {"first": first, "last": min(users, first + at_once - 1), **asked})
            print(f"{min(users, first + at_once - 1) * each:,} rows", file=sys.stderr)
        raw.execute("VACUUM ANALYZE")


async def _appending(store: Store, over: "asyncio.Task[None]") -> dict[str, Any]:
    """Append at a pace to one log after another until that is done."""
    sources, lasted, number = Sources(), array("d"), 0
    while not over.done():
        number += 1
        said = draft(
            AgentThinking("a thought", 1), event_id=f"{number:032x}", time_ms=sources.now_ms(), thread_id="thr_1"
        )
        began = time.monotonic()
        await store.write(f"usr_{number % 100 + 1}", partial(_append, user_id=f"usr_{number % 100 + 1}", said=said))
        lasted.append((time.monotonic() - began) * 1000)
        await asyncio.sleep(PACE)
    await over
    return {**{name: round(value, 2) for name, value in percentiles(lasted).items()}, "count": len(lasted)}


def _append(tx: Tx, user_id: str, said: Any) -> None:
    append_in(tx, user_id, None, 0, [said])


def _one(url: str, statement: str) -> Any:
    with psycopg.connect(url, autocommit=True) as raw:
        found = raw.execute(statement.encode())
        row = found.fetchone() if found.description else None
        return None if row is None else row[0]


def _gb(url: str) -> float:
    return round(float(_one(url, "SELECT pg_total_relation_size('events')")) / 1e9, 2)


def _reusable(url: str) -> float:
    """Room in the table that new rows take before it grows."""
    _one(url, "CREATE EXTENSION IF NOT EXISTS pg_freespacemap")
    return round(float(_one(url, "SELECT sum(avail) FROM pg_freespace('events')")) / 1e9, 2)


def _wish() -> argparse.Namespace:
    parser = options("retention", __doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--each", type=int, default=1_000, help="events of a user")
    parser.add_argument("--calm", type=float, default=20, help="seconds of appending before anything is taken away")
    wish = parser.parse_args()
    if wish.quick:
        wish.rows, wish.calm = 100_000, 2
    return wish


if __name__ == "__main__":
    main()
