"""One statement for many rows, whatever their number."""

import pytest

from quintet.store import Store, Tx

pytestmark = pytest.mark.l2

NOTE = "INSERT INTO agents (worker_id, name, description) VALUES (?, ?, ?)"


@pytest.mark.parametrize("count", [0, 1, 2, 31, 32, 33, 64, 100])
async def test_many_rows_are_each_stored_once(store: Store, count: int) -> None:
    """Each in its own columns, from a list or as they come."""
    rows = [("w", f"agent {number:03d}", f"does {number}") for number in range(count)]
    await store.write("u", lambda tx: tx.many(NOTE, iter(rows)))
    found = await store.read(
        lambda tx: tx.sql("SELECT worker_id, name, description FROM agents ORDER BY name").fetchall()
    )
    assert [tuple(row) for row in found] == rows


async def test_many_rows_are_stored_or_none(store: Store) -> None:
    """One that cannot be, wherever it stands, takes all of them back, and nothing else that queued."""
    rows = [("w", f"agent {number % 90:03d}", "") for number in range(100)]

    def both(tx: Tx) -> None:
        tx.many(NOTE, rows)

    with pytest.raises(Exception, match=r"(?i)unique"):
        await store.write("u", both)
    await store.write("u", lambda tx: tx.many(NOTE, rows[:90]))
    assert await store.read(lambda tx: tx.sql("SELECT count(*) FROM agents").fetchone()[0]) == 90
