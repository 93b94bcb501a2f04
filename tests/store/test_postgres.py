"""What only PostgreSQL can do to a store: connections lost at any moment, restarts, deadlocks, other processes, another cluster."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import psycopg
import pytest

from quintet import runs
from quintet.errors import QuintetError
from quintet.log import Log
from quintet.runs import Completed
from quintet.store import Elsewhere, Store, Tx, UnreachableError, open_store, schema
from quintet.store.postgres.connection import WritingConnection
from quintet.testing.services.postgres.server import PostgresServer
from support.kernel import WAIT, Kernel, eventually, patiently, within
from support.postgres import PostgresDatabase, own_server

T = TypeVar("T")

pytestmark = pytest.mark.l2


@pytest.fixture
def database() -> PostgresDatabase:
    """An empty, migrated database."""
    return PostgresDatabase()


@pytest.fixture
def own() -> Iterator[PostgresServer]:
    """A server that the test may kill, with a log that a backup can be restored from."""
    made = own_server({"wal_level": "replica"})
    yield made
    made.end()


@asynccontextmanager
async def opened(database: PostgresDatabase) -> AsyncIterator[Kernel]:
    """A started store with its log."""
    store = database.open()
    await within(store.start())
    log = Log(store, poll_seconds=30)
    await log.start()
    try:
        await eventually(lambda: store.in_touch)
        yield Kernel(store, log)
    finally:
        await log.close()
        await within(store.close())


def cut(database: PostgresDatabase, what: str = "true") -> int:
    """End the server's side of connections that are ours; how many there were."""
    return len(
        database.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE application_name = 'quintet' AND datname = current_database() AND {what}"
        )
    )


async def test_cut_connections_are_nobodys_concern(database: PostgresDatabase) -> None:
    """All connections ended again and again while many write: every write and read is answered, each row is there once."""
    async with opened(database) as kernel:
        run = await kernel.running(await kernel.user())
        for number in range(30):
            if number % 5 == 0:
                assert cut(database) >= (1 if number else 8)
            await kernel.append(run, kernel.thought(run, f"{number}", number + 1))
        texts = [event.data.get("text") for event in await kernel.story(run.user_id)][2:]
    assert texts == [f"{number}" for number in range(30)]


async def test_a_connection_cut_inside_a_transaction(database: PostgresDatabase) -> None:
    """The function it happened to is run again, and those that were to be committed with it: each is stored once and answered."""
    cuts: list[int] = []

    def write(name: str, tx: Tx) -> str:
        tx.sql("INSERT INTO agents (worker_id, name, description) VALUES ('w', ?, '')", (name,))
        if not cuts:
            cuts.append(cut(database))
        tx.sql("UPDATE agents SET description = 'told' WHERE name = ?", (name,))
        return name

    async with opened(database) as kernel:
        assert await within(kernel.store.write("u", partial(write, "a"))) == "a"
        assert cuts.pop()
        asked = [kernel.store.submit("u", partial(write, name)) for name in "bc"]
        assert [future.result(WAIT) for future in asked] == ["b", "c"]
    assert cuts
    assert database.rows("SELECT name, description FROM agents ORDER BY name") == [(name, "told") for name in "abc"]


async def test_workers_of_two_processes_share_the_runs(database: PostgresDatabase) -> None:
    """Asking at the same time, again and again: every run goes to exactly one of them, and each begins once."""
    async with opened(database) as here, opened(database) as there:
        users = [await here.user() for _ in range(8)]
        sent = sorted([await here.send(user) for user in users for _ in range(5)])
        got: list[str] = []

        async def work(kernel: Kernel, worker: str) -> None:
            announce = partial(runs.announce, worker_id=worker, descriptions={"assistant": ""})
            await kernel.store.write(worker, announce)
            while len(got) < len(sent):
                step = partial(runs.lease, worker_id=worker, limit=3, moment=kernel.moment())
                got.extend(run.run_id for run in await kernel.store.write(worker, step))

        await within(asyncio.gather(*(work(kernel, f"w{at}") for at, kernel in enumerate((here, there) * 3))), 60)
        assert sorted(got) == sent
        for user in users:
            assert [event.type for event in await here.story(user)].count("agent_started") == 5


@pytest.mark.parametrize("took_place", [True, False])
async def test_a_commit_whose_answer_is_lost_is_found_out(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch, took_place: bool
) -> None:
    """The connection goes while COMMIT is under way: whether it took place is asked of the database, so the append is there once, told
    once, and its caller is answered."""
    async with opened(database) as kernel:
        run = await kernel.running(await kernel.user())
        told: list[Any] = []
        kernel.store.on_commit(told.extend)
        real = WritingConnection.commit
        lost: list[WritingConnection] = []

        def commit(connection: WritingConnection) -> None:
            if not lost:
                lost.append(connection)
                if took_place:
                    connection._raw.execute("COMMIT")
                cut(database)  # the next COMMIT meets a connection that is gone
            real(connection)

        monkeypatch.setattr(WritingConnection, "commit", commit)
        await kernel.append(run, kernel.thought(run, "once"))
        assert lost
        assert [event.data.get("text") for event in await kernel.story(run.user_id)][2:] == ["once"]
        assert len(told) == 1


async def test_a_deadlock_is_run_again(database: PostgresDatabase) -> None:
    """Two transactions that wait for each other: PostgreSQL takes one back, it is run again, and both are stored."""
    database.change("INSERT INTO agents (worker_id, name, description) VALUES ('w', 'a', ''), ('w', 'b', '')")
    both = threading.Barrier(2)
    tries: list[str] = []

    def add(first: str, second: str, tx: Tx) -> None:
        tries.append(first)
        statement = "UPDATE agents SET description = description || ? WHERE name = ?"
        tx.sql(statement, (first, first))
        if len(tries) <= 2:
            both.wait(WAIT)
        tx.sql(statement, (first, second))

    async with opened(database) as kernel:
        store = kernel.store
        await within(asyncio.gather(store.write("", partial(add, "a", "b")), store.write("u", partial(add, "b", "a"))))
    assert len(tries) > 2
    assert sorted(database.rows("SELECT description FROM agents")) in ([("ab",), ("ab",)], [("ba",), ("ba",)])


async def test_away_and_back(own: PostgresServer) -> None:
    """While the server is down writes and reads are refused at once with `unavailable`; once it is back all goes on, and a server that
    is killed under load has lost nothing that was answered and doubled nothing."""
    database = PostgresDatabase(on=own)
    async with opened(database) as kernel:
        run = await kernel.running(await kernel.user())
        own.kill()
        for ask in (partial(kernel.store.write, "u", lambda tx: None), partial(kernel.store.read, lambda tx: None)):
            with pytest.raises(QuintetError) as refused:
                await within(ask(), 5)
            assert refused.value.code == "unavailable"
        stored: list[str] = []
        over = asyncio.Event()

        async def write() -> None:
            number = 0
            while not over.is_set():
                try:
                    await kernel.append(run, kernel.thought(run, f"{number}"))
                except QuintetError:
                    await asyncio.sleep(0.05)
                    continue
                stored.append(f"{number}")
                number += 1

        writing = asyncio.create_task(write())
        await asyncio.to_thread(own.start)
        for _ in range(3):
            before = len(stored)
            await eventually(lambda before=before: len(stored) > before + 20, 60)  # type: ignore[misc]
            await asyncio.to_thread(own.restart)
        over.set()
        await within(writing, 60)
        story = await patiently(lambda: kernel.story(run.user_id))
    assert [event.data["text"] for event in story if "text" in event.data][1:] == stored
    assert [event.seq for event in story] == list(range(1, len(story) + 1))


async def test_what_one_process_commits_wakes_the_others(database: PostgresDatabase) -> None:
    """Users and topics reach the other process within the poll's time, are not told back, and go on being told after the listening
    connection was cut."""
    async with opened(database) as here, opened(database) as there:
        told: dict[str, list[Any]] = {"here": [], "there": []}
        woken: list[str] = []
        for name, kernel in (("here", here), ("there", there)):
            kernel.store.on_commit(lambda facts, name=name: told[name].extend(facts))  # type: ignore[misc]
        there.store.wakes.listen("work", lambda: woken.append("work"))
        user = await here.user()
        run = await here.running(user)
        await eventually(lambda: Elsewhere(user) in told["there"] and woken)
        follower_woken = asyncio.Event()
        follower = there.log.follow(user, follower_woken.set)
        await there.log.resolve(user, "$")
        for _ in range(2):
            follower_woken.clear()
            await here.append(run, here.thought(run))
            await within(follower_woken.wait(), 10)
            assert cut(database, "query LIKE 'LISTEN%'") == 2
            await eventually(lambda: len(database.rows(_LISTENING)) == 2)
        follower.close()
        assert not any(isinstance(fact, Elsewhere) for fact in told["here"])


_LISTENING = (
    "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND state = 'idle' AND datname = current_database()"
)


async def test_a_commit_is_durable_whatever_the_database_says(database: PostgresDatabase) -> None:
    """An operator's `synchronous_commit = off` is not ours: what was answered must survive."""
    database.change(f"ALTER DATABASE {database.url.rsplit('/', 1)[1]} SET synchronous_commit = off")
    async with opened(database) as kernel:
        row = await within(kernel.store.write("u", lambda tx: tx.sql("SHOW synchronous_commit").fetchone()))
    assert row == ("on",)


async def test_a_server_that_is_not_there_is_told_in_words(database: PostgresDatabase) -> None:
    """Opening says why, without the password."""
    url = database.url.replace(f":{database.server.port}/", ":9/")
    with pytest.raises(UnreachableError) as refused:
        open_store(url)
    assert "refused" in str(refused.value)
    assert database.url.split(":")[2].split("@")[0] not in str(refused.value)


def test_an_address_may_name_several_servers(database: PostgresDatabase) -> None:
    """The first that takes writes is meant, for migrations as well; one that is not there is passed over."""
    databases = database.server.databases
    assert databases is not None
    name = f"{database.url.rsplit('/', 1)[1]}_empty"
    url = databases.create(name).url.replace("@127.0.0.1:", "@127.0.0.1:9,127.0.0.1:")
    schema.migrate(f"{url}?target_session_attrs=read-write")
    assert schema.revision_of(url) == schema.REVISION


async def test_one_user_written_from_two_processes_has_one_order(database: PostgresDatabase) -> None:
    """Appends of two processes to runs of one user: numbers without a hole, each process's in its own order."""
    async with opened(database) as here, opened(database) as there:
        user = await here.user()
        held = [await here.running(user), await here.running(user)]

        async def write(kernel: Kernel, at: int) -> None:
            for number in range(40):
                await kernel.append(held[at], kernel.thought(held[at], f"{number}"))

        await within(asyncio.gather(write(here, 0), write(there, 1)), 60)
        story = await here.story(user)
    assert [event.seq for event in story] == list(range(1, 85))
    for run in held:
        mine = [event for event in story if event.run_id == run.run_id]
        assert [event.run_seq for event in mine] == list(range(1, 43))
        assert [event.data["text"] for event in mine[2:]] == [f"{number}" for number in range(40)]


async def test_a_text_with_nul_is_stored(database: PostgresDatabase) -> None:
    """An agent may say what no text column holds: its run ends all the same, the events keep the bytes, the message a sign for it."""
    async with opened(database) as kernel:
        run = await kernel.running(await kernel.user())
        await kernel.append(run, kernel.piece(run, "m", 0, "a\0b"))
        assert await kernel.close(run, Completed("m", "a\0b")) == "completed"
        assert (await kernel.story(run.user_id))[-1].data["text"] == "a\0b"
    assert database.rows("SELECT text FROM messages WHERE role = 'agent'") == [("a\ufffdb",)]


async def test_the_store_is_of_the_asked_kind(database: PostgresDatabase) -> None:
    """Both spellings of the scheme are PostgreSQL, and it is shared: no lock of one process proves another dead."""
    stores: list[Store] = [open_store(database.url), open_store(database.url.replace("postgresql://", "postgres://"))]
    assert all(store.shared for store in stores)


def test_psycopg_is_what_was_tested() -> None:
    """The driver's own implementation is the fast one."""
    assert psycopg.pq.__impl__ in {"binary", "c"}
