"""Which cluster this is, and what follows when it is another than the one that wrote the logs.

1. A cluster is its system identifier and its timeline: a promoted standby and a restored backup begin a new timeline.
2. Another cluster may lack the last commits and give their numbers again. So every stream begins a new epoch, in one transaction and
   before anything else is written: cursors of before get `resync`, and nobody skips or takes a number for what it was.
3. What was open then may have gone on, or have ended, among the commits that are missing: it is nobody's any more, so it ends as
   `worker_lost` and no tool runs twice. Attempts that were given there are worth nothing here, although they will be counted again.
4. Where the operator vouches that a failover lost nothing (synchronous replication, verified), epochs are kept.
"""

import logging
import time
from typing import Any, NamedTuple

import psycopg

__all__ = ["Lineage", "adopt", "lineage_of"]

log = logging.getLogger(__name__)

_WHO = (
    "SELECT pg_is_in_recovery(), (SELECT system_identifier FROM pg_control_system())::text,"
    " CASE WHEN pg_is_in_recovery() THEN 0 ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint END"
)
_KNOWN = "SELECT to_regclass('lineages') IS NOT NULL"
_NEWEST = "SELECT system, timeline FROM lineages ORDER BY since DESC, timeline DESC LIMIT 1"
_ALONE = "SELECT pg_advisory_xact_lock(20837, 1)"
_ADD = (  # after the one before, though its clock may go ahead: else every process that starts would meet the same loss again
    "INSERT INTO lineages (system, timeline, since)"
    " SELECT %s, %s, greatest(%s, coalesce(max(since), 0) + 1) FROM lineages"
    " ON CONFLICT (system, timeline) DO UPDATE SET since = excluded.since"
)
_OPEN = (  # a queued run may have run as well; the reaper ends what is running under a worker that is not there
    "UPDATE runs SET state = 'running', ready = 0, worker_id = '', attempt = attempt + 1000 WHERE state IN ('queued', 'running')"
)
_EPOCHS = "UPDATE heads SET epoch = substr(md5(random()::text || user_id || clock_timestamp()::text), 1, 12) WHERE epoch <> '-'"


class Lineage(NamedTuple):
    """A cluster's identity."""

    system: str
    timeline: int


def lineage_of(raw: "psycopg.Connection[tuple[Any, ...]]") -> Lineage | None:
    """Whose connection this is; None for a standby."""
    row = raw.execute(_WHO.encode()).fetchone()
    assert row is not None
    return None if row[0] else Lineage(row[1], row[2])


def adopt(raw: "psycopg.Connection[tuple[Any, ...]]", lineage: Lineage, *, keep: bool) -> bool:
    """Write the cluster down as the one that writes the logs. True when every stream has begun a new epoch for it."""
    row = raw.execute(_KNOWN.encode()).fetchone()
    if row is None or not row[0]:
        return False  # not migrated: there are no streams
    newest = raw.execute(_NEWEST.encode()).fetchone()
    if newest == lineage:
        return False
    with raw.transaction():
        raw.execute(_ALONE.encode())
        newest = raw.execute(_NEWEST.encode()).fetchone()
        if newest == lineage:
            return False
        renewed = newest is not None and not keep
        if renewed:
            raw.execute(b"SET LOCAL statement_timeout = 0")  # a row for each user
            raw.execute(_EPOCHS.encode())
            raw.execute(_OPEN.encode())
        raw.execute(_ADD.encode(), (*lineage, time.time_ns() // 1_000_000))
    if newest is not None:
        log.warning("the database is another cluster than before: epochs %s", "begin anew" if renewed else "are kept")
    return renewed
