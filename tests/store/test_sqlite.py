"""What only the one-file database promises: its lock, its files, its refusals."""

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

import quintet.store.sqlite as sqlite_module
from quintet.errors import QuintetError
from quintet.store import AlreadyServedError, Tx, open_store
from support.databases import SqliteDatabase
from support.kernel import eventually, within

pytestmark = pytest.mark.l2

_HOLD = """
import asyncio, sys
from quintet.store import open_store

async def main():
    store = open_store(sys.argv[1])
    await store.start()
    print("started", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

asyncio.run(main())
"""


@contextmanager
def other_process(url: str) -> Iterator["subprocess.Popen[str]"]:
    """Another process that has the store open."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        assert process.stdout.readline() == "started\n"
        yield process
    finally:
        process.kill()
        process.wait(20)
        process.stdout.close()
        process.stdin.close()


@pytest.mark.l3
def test_a_second_process_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    """Two servers on one file would give the same numbers twice: the second is refused, also through a link, and the lock goes with
    a process that is killed."""
    database = SqliteDatabase(tmp_path)
    link = tmp_path / "link.db"
    link.symlink_to(database.path)
    with other_process(database.url) as first:
        for url in (database.url, f"sqlite:///{link}"):
            with pytest.raises(AlreadyServedError):
                open_store(url)
        first.send_signal(signal.SIGKILL)
        first.wait(20)
        store = database.open()
    asyncio.run(_start_and_close(store))


async def _start_and_close(store: sqlite_module.SqliteStore | object) -> None:
    assert isinstance(store, sqlite_module.SqliteStore)
    await store.start()
    await store.close()


async def test_the_second_store_of_one_process_is_refused_too(tmp_path: Path) -> None:
    """The lock also holds between two stores of one process, and a store that could not open leaves no lock behind."""
    database = SqliteDatabase(tmp_path)
    store = database.open()
    with pytest.raises(AlreadyServedError):
        database.open()
    await within(store.close())
    await _start_and_close(database.open())


async def test_administration_goes_beside_a_server(tmp_path: Path) -> None:
    """A store that is not exclusive opens beside the server's, and each sees what the other commits."""
    database = SqliteDatabase(tmp_path)
    server, beside = database.open(), open_store(database.url, exclusive=False)
    await within(server.start())
    await within(beside.start())
    insert = "INSERT INTO agents (worker_id, name, description) VALUES ('w', ?, '')"
    await within(beside.write("u", lambda tx: tx.sql(insert, ("a",)).rowcount))
    await within(server.write("u", lambda tx: tx.sql(insert, ("b",)).rowcount))
    for store in (server, beside):
        assert await within(store.read(lambda tx: tx.sql("SELECT count(*) FROM agents").fetchone()[0])) == 2
        await within(store.close())


async def test_its_files_are_the_owners_alone(tmp_path: Path) -> None:
    """The database, its log and its lock hold what users wrote: mode 0600 whatever the umask says."""
    before = os.umask(0)
    try:
        store = open_store(f"sqlite:///{tmp_path / 'new.db'}", migrate=True)
        await within(store.start())
    finally:
        os.umask(before)
    await within(store.write("u", lambda tx: tx.sql("DELETE FROM agents").rowcount))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    await within(store.close())
    assert modes == dict.fromkeys(("new.db", "new.db-wal", "new.db-shm", "new.db.lock"), 0o600)


async def test_every_commit_is_synced(tmp_path: Path) -> None:
    """The writer's connection works in write-ahead mode with full syncing and enforced foreign keys; readers cannot write."""
    store = SqliteDatabase(tmp_path).open()
    await within(store.start())

    def ask(tx: object) -> list[object]:
        assert isinstance(tx, Tx)
        names = ("journal_mode", "synchronous", "foreign_keys", "query_only")
        return [tx.sql(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert await within(store.write("u", ask)) == ["wal", 2, 1, 0]
    assert await within(store.read(ask)) == ["wal", 2, 1, 1]
    await within(store.close())


async def test_another_writer_makes_a_whole_batch_busy_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While an administration command holds the write lock, a batch waits once, not once for each of its functions, and is then told
    `busy`; afterwards writes go on."""
    monkeypatch.setattr(sqlite_module, "_BUSY_MS", 300)
    database = SqliteDatabase(tmp_path)
    store = database.open()
    await within(store.start())
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        loop = asyncio.get_running_loop()
        started = loop.time()
        answers = await asyncio.gather(*(store.write("u", lambda tx: 1) for _ in range(200)), return_exceptions=True)
        assert loop.time() - started < 3
        other.execute("ROLLBACK")
    assert {answer.code for answer in answers if isinstance(answer, QuintetError)} == {"busy"}
    assert len(answers) == 200
    assert await within(store.write("u", lambda tx: 1)) == 1
    await within(store.close())


async def test_two_writers_of_one_file_take_turns(tmp_path: Path) -> None:
    """A server and a command beside it count the same row up, each reading it first: the lock is taken before the first read, so no
    number is given twice and nobody is refused."""
    database = SqliteDatabase(tmp_path)
    stores = [database.open(), open_store(database.url, exclusive=False)]
    for store in stores:
        await within(store.start())

    def count(tx: Tx) -> None:
        name, text = "counted", tx.sql("SELECT coalesce(max(description), '0') FROM agents").fetchone()[0]
        tx.sql(
            "INSERT INTO agents (worker_id, name, description) VALUES (?, ?, ?)", (text, name, f"{int(text) + 1:04}")
        )

    async def often(number: int) -> None:
        for _ in range(60):
            await stores[number].write("u", count)

    await within(asyncio.gather(often(0), often(1)))
    for store in stores:
        await within(store.close())
    assert database.rows("SELECT count(*), max(description) FROM agents") == [(120, "0120")]


async def test_a_long_reader_delays_the_cleaning_and_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was deleted cannot leave the files while somebody reads for long (a backup): it is tried now and then, not with every
    commit, and a try that fails ends nothing. Afterwards it is gone."""
    database = SqliteDatabase(tmp_path)
    store, tried = database.open(), []
    clean = sqlite_module._Connection.scrub

    def scrub(self: sqlite_module._Connection) -> bool:
        tried.append(1)
        if len(tried) == 1:
            raise sqlite3.OperationalError("disk I/O error")
        return clean(self)

    monkeypatch.setattr(sqlite_module._Connection, "scrub", scrub)
    await within(store.start())

    def write(tx: Tx, text: str) -> None:
        tx.sql("INSERT INTO agents (worker_id, name, description) VALUES ('w', ?, '')", (text,))

    with closing(sqlite3.connect(database.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM agents").fetchall()
        await within(store.write("u", partial(write, text="deleted")))
        await within(store.write("u", lambda tx: tx.scrub()))
        await eventually(lambda: tried)
        for number in range(60):
            await within(store.write("u", partial(write, text=f"{number}")))
        assert len(tried) <= 6, f"{len(tried)} tries within 60 commits"
        reader.execute("COMMIT")
    log = database.path.with_name(database.path.name + "-wal")
    assert log.stat().st_size, "there was nothing to clean"
    async with asyncio.timeout(15):
        while log.stat().st_size:
            await within(store.write("u", lambda tx: None))
            await asyncio.sleep(0.05)
    await within(store.close())


async def test_a_folder_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    """A database that cannot be opened is an error at once, never a server that waits for ever."""
    with pytest.raises(FileNotFoundError):
        open_store(f"sqlite:///{tmp_path}/nowhere/quintet.db", migrate=True)


async def test_a_file_that_went_away_stops_the_start(tmp_path: Path) -> None:
    """Starting fails with the driver's reason when the file cannot be opened any more, and the lock can be given back."""
    database = SqliteDatabase(tmp_path)
    store = database.open()
    database.path.unlink()
    database.path.mkdir()
    with pytest.raises(sqlite3.OperationalError):
        await within(store.start())
    await within(store.close())


def test_only_known_urls_open_a_store() -> None:
    """A URL of another database is refused by name, before anything is touched."""
    with pytest.raises(ValueError, match="sqlite:///"):
        open_store("mysql://localhost/x")
