"""The rows in which lanes leave the numbers of their commits: each process start adds some, so each removes what nobody can ask for.

1. A lane asks only for its last commit, within seconds of losing it; a row that has not been written for a week is of a process that is gone.
2. One that sleeps longer and then asks finds no row, and takes that for "nobody knows", never for "it did not take place".
3. A bounded number at a time, passing over rows that are held: more are removed by a start than it adds.
"""

from quintet.store.base import Tx

__all__ = ["ENROL", "NOW", "prune"]

NOW = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"  # the database's own clock: processes may differ
ENROL = f"INSERT INTO commit_marks (lane, number, at) VALUES (%s, 0, {NOW})"  # noqa: S608 - of a constant
_KEPT_MS = 7 * 24 * 3_600_000
_AT_ONCE = 1_000
_PRUNE = (
    "DELETE FROM commit_marks WHERE lane IN (SELECT lane FROM commit_marks"  # noqa: S608 - of constants
    f" WHERE at < {NOW} - {_KEPT_MS} LIMIT {_AT_ONCE} FOR UPDATE SKIP LOCKED)"
)


def prune(tx: Tx) -> int:
    """Remove some of the rows that no lane will ask for; answers how many."""
    return int(tx.sql(_PRUNE).rowcount)
