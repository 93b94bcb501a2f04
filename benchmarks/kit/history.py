"""Many users with many days behind them, made by the database itself; and the same log in a table partitioned by time."""

import sys

import psycopg

__all__ = ["DAY_MS", "WEEK_MS", "by_week", "drop_week", "fill", "scalar"]

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
PORTION = 1_000_000  # rows that one statement makes
_AT_A_TIME = 500  # users whose heads one transaction locks

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
# What a partitioned table allows: its unique keys contain what it is partitioned by, so they guard numbers and endings within a week only.
_PARTITIONED = """
ALTER TABLE events RENAME TO events_before;
CREATE TABLE events (LIKE events_before, at bigint NOT NULL DEFAULT extract(epoch FROM clock_timestamp()) * 1000) PARTITION BY RANGE (at)
"""
_INDEXES = """
CREATE UNIQUE INDEX ON events (user_id, seq, at);
CREATE UNIQUE INDEX ON events (user_id, run_id, at) WHERE final = 1;
CREATE INDEX ON events (user_id, seq) WHERE run_id IS NULL
"""
_COPY = """
INSERT INTO events SELECT *, extract(epoch FROM (convert_from(body, 'UTF8')::json ->> 'time')::timestamptz) * 1000 FROM events_before
"""
_LAST = "CREATE TEMPORARY TABLE last AS SELECT DISTINCT ON (user_id) user_id, seq, digest FROM {week} ORDER BY user_id, seq DESC"
_CUT = """
WITH due AS (DELETE FROM last WHERE user_id IN (SELECT user_id FROM last ORDER BY user_id LIMIT %s) RETURNING *),
     kept AS (INSERT INTO gone_digests (user_id, seq, digests) SELECT user_id, seq, decode(digest, 'hex') FROM due)
UPDATE heads SET kept_after = due.seq FROM due WHERE heads.user_id = due.user_id
"""


def fill(url: str, rows: int, each: int, now: int, days: int) -> None:
    """`rows` events of 400 bytes, `each` of them a user's, told evenly over the `days` before `now` (Unix milliseconds)."""
    users, asked = rows // each, {"each": each, "now": now, "step": days * DAY_MS // each}
    with psycopg.connect(url, autocommit=True) as raw:
        raw.execute(_USERS, {"users": users})
        raw.execute(_HEADS, {"users": users, **asked})
        at_once = max(1, PORTION // each)
        for first in range(1, users + 1, at_once):
            raw.execute(_EVENTS, {"first": first, "last": min(users, first + at_once - 1), **asked})
            print(f"{min(users, first + at_once - 1) * each:,} rows", file=sys.stderr)
        raw.execute("VACUUM ANALYZE")


def by_week(url: str, now: int, weeks: int) -> None:
    """Put the events into partitions of a week, the last of which begins at `now`."""
    with psycopg.connect(url, autocommit=True) as raw:
        raw.execute(_PARTITIONED)
        for week in range(weeks + 1):
            first = now - (weeks - week) * WEEK_MS
            raw.execute(
                f"CREATE TABLE events_{week} PARTITION OF events FOR VALUES FROM ({first}) TO ({first + WEEK_MS})".encode()
            )
        raw.execute(_INDEXES)
        raw.execute(_COPY)
        raw.execute("DROP TABLE events_before")
        raw.execute("VACUUM ANALYZE")


def drop_week(url: str, week: int) -> None:
    """Retention as partitions would have it: every user's head is told, then the table goes. Open runs are not looked for."""
    with psycopg.connect(url, autocommit=True) as raw:
        raw.execute(_LAST.format(week=f"events_{week}").encode())
        while raw.execute(_CUT, (_AT_A_TIME,)).rowcount:
            pass
        raw.execute(f"DROP TABLE events_{week}".encode())


def scalar(url: str, statement: str) -> object:
    """The first value that the statement gives, None where it gives none."""
    with psycopg.connect(url, autocommit=True) as raw:
        found = raw.execute(statement.encode())
        row = found.fetchone() if found.description else None
        return None if row is None else row[0]
