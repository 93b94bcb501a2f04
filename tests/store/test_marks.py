"""What lanes leave in `commit_marks`: it goes when nobody can ask for it, and its absence is never taken for an answer."""

from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest

from quintet.errors import QuintetError
from quintet.store import Tx
from quintet.store.postgres.connection import WritingConnection
from quintet.store.postgres.marks import prune
from support.kernel import eventually, within
from support.postgres import PostgresDatabase

pytestmark = pytest.mark.l2

DAY_MS = 24 * 3_600_000
OLD = "INSERT INTO commit_marks SELECT 'old' || n, 7, (extract(epoch FROM now()) * 1000)::bigint - ? FROM generate_series(1, ?) n"


@pytest.fixture
def database() -> Iterator[PostgresDatabase]:
    """An empty, migrated database."""
    yield PostgresDatabase()


async def test_rows_of_processes_that_are_gone_are_removed_at_a_start(database: PostgresDatabase) -> None:
    """Those that nobody has written for a week, a bounded number at a time; a row of yesterday and the living lanes' own stay."""
    database.change(OLD, (8 * DAY_MS, 2500))
    database.change("UPDATE commit_marks SET at = at + ? WHERE lane = 'old1'", (7 * DAY_MS,))
    store = database.open()
    await within(store.start())
    await eventually(lambda: database.rows("SELECT count(*) FROM commit_marks WHERE lane LIKE 'old%'") == [(1500,)])
    assert await within(store.write("", prune)) == 1000
    assert await within(store.write("", prune)) == 499
    assert await within(store.write("", prune)) == 0
    await within(store.close())
    left = database.rows("SELECT lane FROM commit_marks WHERE lane LIKE 'old%'")
    assert left == [("old1",)]
    assert database.rows("SELECT count(*) FROM commit_marks") == [(1 + 5,)]


@pytest.mark.parametrize("took_place", [True, False])
async def test_a_lane_whose_row_was_removed_does_not_know(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch, took_place: bool
) -> None:
    """A process that slept for a week in the middle of a commit finds no row of its own: it says that nobody knows, and neither tells
    what it wrote as stored nor writes it again."""
    store = database.open()
    await within(store.start())
    real = WritingConnection.commit
    tries: list[str] = []

    def write(tx: Tx) -> None:
        tries.append("tried")
        tx.sql("INSERT INTO agents (worker_id, name, description) VALUES ('w', ?, '')", (f"{len(tries)}",))

    def commit(connection: WritingConnection) -> None:
        if tries and not database.rows("SELECT 1 FROM agents"):
            if took_place:
                connection._raw.execute("COMMIT")
            database.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'quintet' AND datname = current_database()"
            )
            with suppress(psycopg.Error):
                while True:  # until the end of the backend is felt here
                    connection._raw.execute("SELECT 1")
            database.change("DELETE FROM commit_marks")
        real(connection)

    monkeypatch.setattr(WritingConnection, "commit", commit)
    with pytest.raises(QuintetError) as refused:
        await within(store.write("u", write), 40)
    assert refused.value.code == "unavailable"
    assert tries == ["tried"]
    assert database.rows("SELECT count(*) FROM agents") == [(int(took_place),)]
    await within(store.close())
