"""A commit of which nobody can find out whether it took place: PostgreSQL alone can leave that open."""

import pytest

from quintet.errors import QuintetError
from quintet.store import Tx
from quintet.store.postgres.connection import WritingConnection
from quintet.store.postgres.faults import OutcomeUnknownError
from store.test_postgres import cut, opened
from support.kernel import within
from support.postgres import PostgresDatabase

pytestmark = pytest.mark.l2


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> list[PostgresDatabase]:
    """For each database put in here: the next commit takes place, its mark is gone, and its connection is cut before the answer."""
    asked: list[PostgresDatabase] = []
    real = WritingConnection.commit

    def commit(connection: WritingConnection) -> None:
        if asked:
            database = asked.pop()
            connection._raw.execute("COMMIT")
            database.change("DELETE FROM commit_marks")
            cut(database)
        real(connection)

    monkeypatch.setattr(WritingConnection, "commit", commit)
    return asked


async def test_what_may_have_been_stored_is_never_run_again(lost: list[PostgresDatabase]) -> None:
    """Its caller is told `unavailable`, and the function was called once: a second time it would do everything twice."""
    database = PostgresDatabase()
    calls: list[int] = []

    def once(tx: Tx) -> None:
        calls.append(1)
        tx.sql("INSERT INTO agents (worker_id, name, description) VALUES ('w', ?, '')", (f"call {len(calls)}",))

    async with opened(database) as kernel:
        user = await kernel.user()
        lost.append(database)
        with pytest.raises(QuintetError) as told:
            await within(kernel.store.write(user, once))
        assert told.value.code == "unavailable"
        assert database.rows("SELECT name FROM agents WHERE worker_id = 'w'") == [("call 1",)]
        assert len(calls) == 1


async def test_events_that_may_be_stored_are_not_asked_for_again(lost: list[PostgresDatabase]) -> None:
    """An append is refused as what it is, for good: one that could be tried again would be, and its events would stand there twice."""
    database = PostgresDatabase()
    async with opened(database) as kernel:
        run = await kernel.running(await kernel.user())
        lost.append(database)
        with pytest.raises(OutcomeUnknownError):
            await within(kernel.append(run, kernel.thought(run, "once")))
        assert [event.data.get("text") for event in await kernel.story(run.user_id)][2:] == ["once"]
