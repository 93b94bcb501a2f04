"""What the two cells of a move do in their transactions. Who leaves is written down in a table of the old cell, beside what is set aside."""

from sqlalchemy import Table

from quintet.store.base import Tx
from quintet.store.cells.holding import CLOSED, HOUSED
from quintet.store.cells.shards import shard_in
from quintet.store.moving.batches import Progress, Steps, batches
from quintet.store.moving.end import MoveError
from quintet.store.moving.postgres import streamed
from quintet.store.moving.sums import Sum
from quintet.store.moving.tables import insertion, selection
from quintet.store.nodes import now_in
from quintet.store.postgres.alone import Alone
from quintet.store.tables import CONVERSATIONS, metadata

__all__ = ["clean", "close", "copied", "is_set_aside", "settled"]

_ASIDE = ("heads", "runs", "deletions")  # what those who work on all logs of a database look for
_THEIRS = "user_id IN (SELECT user_id FROM leaving_heads)"
_HEAD = "user_id, epoch, seq, digest, kept_after"  # all but the revision, which is the account's
_NOTHING = "epoch = ?, seq = 0, digest = '0', kept_after = 0, segment = 0, segment_after = 0"
_HOUSE = (
    "INSERT INTO users (id, email, email_key, email_verified, password_hash, role, created_at)"
    " SELECT user_id, '', user_id, false, '', ?, ? FROM leaving_heads ON CONFLICT (id) DO NOTHING"
)
_OPEN = "UPDATE heads SET epoch = ?, seq = ?, digest = ?, kept_after = ? WHERE user_id = ?"


def is_set_aside(tx: Tx) -> bool:
    """Whether this database has closed shards and not deleted yet what was in them."""
    return tx.sql("SELECT to_regclass('leaving_heads')").fetchone()[0] is not None


def close(tx: Tx, shards: range) -> None:
    """Whoever is in these shards is appended to no more, and what is open there is found no more."""
    for name in _ASIDE:
        tx.sql(f"CREATE TABLE leaving_{name} (LIKE {name})")
    which = f"{shard_in('user_id')} BETWEEN ? AND ? AND epoch <> ?"
    tx.sql(  # in key order, as writers lock them: it waits for those that are at work and for nobody twice
        f"INSERT INTO leaving_heads SELECT * FROM heads WHERE {which} ORDER BY user_id FOR UPDATE",  # noqa: S608 - of constants
        (shards[0], shards[-1], CLOSED),
    )
    tx.sql("ALTER TABLE leaving_heads ADD PRIMARY KEY (user_id)")
    tx.sql("ANALYZE leaving_heads")
    for name in _ASIDE[1:]:
        tx.sql(f"INSERT INTO leaving_{name} SELECT * FROM {name} WHERE {_THEIRS}")  # noqa: S608 - of constants
        tx.sql(f"DELETE FROM {name} WHERE {_THEIRS}")  # noqa: S608 - of constants
    tx.sql(f"UPDATE heads SET {_NOTHING} WHERE {_THEIRS}", (CLOSED,))  # noqa: S608 - of constants


def copied(source: Alone, target: Alone, *, housed: bool, progress: Progress) -> dict[str, int]:
    """Copy what was closed, and compare it; the rows by table, none where they had come before. `housed`: the accounts are elsewhere.

    Raises:
        MoveError: it did not arrive whole, or somebody is there already.
    """
    if target.tx.sql("SELECT to_regclass('arrived')").fetchone()[0] is not None:
        return {}
    _name_who_comes(source, target)
    speaking = f"SELECT 1 FROM heads WHERE epoch <> ? AND seq > 0 AND {_THEIRS} LIMIT 1"  # noqa: S608 - of constants
    if target.tx.sql(speaking, (CLOSED,)).fetchone():  # never to be taken for the copy, which would then be deleted
        raise MoveError("The new cell has logs of these users already", "Nothing was copied. Find out whose they are.")
    if housed:
        target.tx.sql(_HOUSE, (HOUSED, now_in(target.tx)))
    tables = _tables()
    rows = {"heads": 0} | {table.name: _count(source.tx, table) for table in tables}
    steps = Steps(progress, sum(rows.values()))
    for table in tables:
        more = steps.of("Copying")
        for batch in batches(streamed(source.raw, _left(table))):
            target.tx.many(insertion(table), batch)
            more(len(batch))
    target.tx.sql(
        "INSERT INTO heads (user_id, epoch) SELECT user_id, ? FROM leaving_heads ON CONFLICT DO NOTHING", (CLOSED,)
    )
    for batch in batches(streamed(source.raw, f"SELECT {_HEAD} FROM leaving_heads")):  # noqa: S608 - of constants
        target.tx.many(_OPEN, [(*head, user_id) for user_id, *head in batch])
        rows["heads"] += len(batch)
    _compare(source, target, tables, steps)
    target.tx.sql("CREATE TABLE arrived (at BIGINT)")  # says after a kill that this was committed
    return rows


def _name_who_comes(source: Alone, target: Alone) -> None:
    target.tx.sql("CREATE TEMPORARY TABLE leaving_heads (user_id VARCHAR(40) PRIMARY KEY) ON COMMIT DROP")
    for batch in batches(streamed(source.raw, "SELECT user_id FROM leaving_heads")):
        target.tx.sql("INSERT INTO leaving_heads SELECT unnest(?::text[])", ([row[0] for row in batch],))
    target.tx.sql("ANALYZE leaving_heads")


def _tables() -> list[Table]:
    """What others refer to comes before them; without the heads."""
    return [table for table in metadata.sorted_tables if table in CONVERSATIONS and table.name != "heads"]


def _left(table: Table) -> str:
    """What the old cell has of a table."""
    if table.name in _ASIDE:
        return f"SELECT {', '.join(table.c.keys())} FROM leaving_{table.name}"  # noqa: S608 - of the schema
    return f"{selection(table, 'leaving_heads')} AND {_THEIRS}"


def _count(tx: Tx, table: Table) -> int:
    return int(tx.sql(f"SELECT count(*) FROM ({_left(table)}) AS t").fetchone()[0])  # noqa: S608 - of the schema


def _compare(source: Alone, target: Alone, tables: list[Table], steps: Steps) -> None:
    """Both sides as they can be read now."""
    heads = (f"SELECT {_HEAD} FROM leaving_heads", f"SELECT {_HEAD} FROM heads WHERE {_THEIRS}")  # noqa: S608 - of constants
    both = {table.name: (_left(table), f"{selection(table)} AND {_THEIRS}") for table in tables} | {"heads": heads}
    more = steps.of("Comparing")
    for name, (left, came) in both.items():
        theirs, ours = Sum(), Sum()
        for told, rows in ((theirs, streamed(source.raw, left)), (ours, streamed(target.raw, came))):
            for row in rows:
                told.add(tuple(row))
        if theirs != ours:
            raise MoveError(
                f"{name} did not arrive whole: {theirs.rows} rows left, {ours.rows} came, or what is in them differs",
                "Look at the disks of both databases, then start the move again.",
            )
        more(ours.rows)


def settled(tx: Tx) -> None:
    """The new cell needs to remember no more that it has them."""
    tx.sql("DROP TABLE IF EXISTS arrived")


def clean(tx: Tx) -> None:
    """Delete what has come to the new cell. The closed heads stay, with the ids they belong to."""
    for table in reversed(_tables()):
        tx.sql(f"DELETE FROM {table.name} WHERE {_THEIRS}")  # noqa: S608 - of the schema
    for name in _ASIDE:
        tx.sql(f"DROP TABLE leaving_{name}")
