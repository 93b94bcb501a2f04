"""A commit of which nobody can find out whether it took place: PostgreSQL alone can leave that open."""

from functools import partial

import pytest

from quintet.errors import QuintetError
from quintet.store import Tx
from quintet.store.postgres.connection import WritingConnection
from quintet.store.postgres.faults import OutcomeUnknownError
from store.test_postgres import cut, opened
from store.test_transactions import one_batch, settled
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
    """Two functions of one commit: both callers are told `unavailable`, and each was called once. A second time they would do it twice."""
    database = PostgresDatabase()
    calls: list[str] = []

    def once(tx: Tx, name: str) -> None:
        if not calls:
            lost.append(database)
        calls.append(name)
        tx.sql("INSERT INTO agents (worker_id, name, description) VALUES ('w', ?, '')", (f"{name} {len(calls)}",))

    async with opened(database) as kernel:
        with one_batch(kernel.store):
            futures = [kernel.store.submit("u", partial(once, name=name)) for name in ("a", "b")]
        answers = settled(futures)
        assert [isinstance(answer, QuintetError) and answer.code for answer in answers] == ["unavailable"] * 2
        assert calls == ["a", "b"]
        assert database.rows("SELECT name FROM agents WHERE worker_id = 'w' ORDER BY name") == [("a 1",), ("b 2",)]


async def test_events_that_may_be_stored_are_not_asked_for_again(lost: list[PostgresDatabase]) -> None:
    """An append is refused as what it is, for good: one that could be tried again would be, and its events would stand there twice."""
    database = PostgresDatabase()
    async with opened(database) as kernel:
        run = await kernel.running(await kernel.user())
        lost.append(database)
        with pytest.raises(OutcomeUnknownError):
            await within(kernel.append(run, kernel.thought(run, "once")))
        assert [event.data.get("text") for event in await kernel.story(run.user_id)][2:] == ["once"]
