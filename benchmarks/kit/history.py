"""Many users with many days behind them, made by the database itself: in one table, or in the segments of those weeks."""

import sys
from collections.abc import Sequence

import psycopg

__all__ = ["DAY_MS", "WEEK_MS", "fill", "in_one_table", "in_segments", "scalar"]

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
PORTION = 1_000_000  # rows that one statement makes
_NONE = [1 << 62]  # beginnings of segments, where there are none

_USERS = """
INSERT INTO users (id, email, email_key, email_verified, password_hash, role, created_at)
SELECT 'usr_' || u, '', 'usr_' || u, false, '', 'user', 0 FROM generate_series(1, %(users)s::int) u
"""
_HEADS = """
INSERT INTO heads (user_id, epoch, seq, digest) SELECT 'usr_' || u, 'abcdef', %(each)s::int, '00000000' FROM generate_series(1, %(users)s::int) u
"""
_EVENTS = """
INSERT INTO events (user_id, seq, run_id, run_seq, type, digest, final, body, segment)
SELECT 'usr_' || u, s, 'run_' || u || '_' || s / 20, s %% 20, 'agent_thinking', '00000000', 0, convert_to(
  '{"id":"' || md5(u::text || s) || '","time":"' || to_char(
    to_timestamp((%(now)s::bigint - (%(each)s::int - s)::bigint * %(step)s::bigint) / 1000.0) AT TIME ZONE 'UTC',
  'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '","type":"agent_thinking","data":{"text":"' || repeat('x', 220) || '"}}', 'UTF8'),
  width_bucket(%(now)s::bigint - (%(each)s::int - s)::bigint * %(step)s::bigint, %(begins)s::bigint[])
FROM generate_series(1, %(each)s::int) s, generate_series(%(first)s::int, %(last)s::int) u
"""
# The same columns and indexes, and no partition: what is deleted there goes row by row.
_PLAIN = """
CREATE TABLE plain (LIKE events_0 INCLUDING ALL);
DROP TABLE events;
ALTER TABLE plain RENAME TO events
"""
_HEADS_TURNED = """
UPDATE heads SET segment = %(last)s::int,
  segment_after = (SELECT max(seq) FROM events WHERE events.user_id = heads.user_id AND segment < %(last)s::int)
"""


def fill(url: str, rows: int, each: int, now: int, days: int, begins: Sequence[int] = ()) -> None:
    """`rows` events of 400 bytes, `each` of them a user's, told evenly over the `days` before `now` (Unix milliseconds), into the
    segments that begin at `begins`."""
    users, asked = rows // each, {"each": each, "now": now, "step": days * DAY_MS // each}
    with psycopg.connect(url, autocommit=True) as raw:
        raw.execute(_USERS, {"users": users})
        raw.execute(_HEADS, {"users": users, **asked})
        at_once = max(1, PORTION // each)
        for first in range(1, users + 1, at_once):
            last = min(users, first + at_once - 1)
            raw.execute(_EVENTS, {"first": first, "last": last, "begins": list(begins) or _NONE, **asked})
            print(f"{last * each:,} rows", file=sys.stderr)
        if begins:
            raw.execute(_HEADS_TURNED, {"last": len(begins)})
        raw.execute("VACUUM ANALYZE")


def in_one_table(url: str) -> None:
    """Make the table of events, which is empty, one without partitions."""
    with psycopg.connect(url, autocommit=True) as raw:
        raw.execute(_PLAIN)


def in_segments(url: str, begins: Sequence[int]) -> None:
    """Make the segments that begin at these times (Unix milliseconds), as retention would have made them."""
    with psycopg.connect(url, autocommit=True) as raw:
        for number, begin in enumerate(begins, 1):
            raw.execute(f"CREATE TABLE events_{number} PARTITION OF events FOR VALUES IN ({number})".encode())
            raw.execute("INSERT INTO segments (number, began_at) VALUES (%s, %s)", (number, begin))


def scalar(url: str, statement: str) -> object:
    """The first value that the statement gives, None where it gives none."""
    with psycopg.connect(url, autocommit=True) as raw:
        found = raw.execute(statement.encode())
        row = found.fetchone() if found.description else None
        return None if row is None else row[0]
