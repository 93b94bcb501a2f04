"""The room that is kept for endings and deletions: given up when the database finds none, taken back when there is room."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from quintet.errors import QuintetError
from quintet.store import Store, Tx, open_store
from quintet.store.ballast import Ballast
from support.databases import SqliteDatabase
from support.kernel import WAIT, within

SIZE = 1 << 20


def _held(path: Path) -> int:
    return path.stat().st_blocks * 512 if path.exists() else 0


@pytest.mark.l1
def test_the_room_is_really_taken_and_really_given_up(tmp_path: Path) -> None:
    """Its blocks are the disk's, also where a sparse file of that name lay; what is held already is not made again; given up once."""
    path = tmp_path / "held"
    with path.open("wb") as sparse:
        sparse.truncate(SIZE)
    assert _held(path) < SIZE
    ballast = Ballast(path, SIZE)
    assert ballast.take()
    assert _held(path) >= SIZE
    path.unlink()
    assert ballast.take()
    assert path.stat().st_mode & 0o777 == 0o600
    made = path.stat().st_mtime_ns
    assert Ballast(path, SIZE).take()
    assert path.stat().st_mtime_ns == made
    assert [ballast.give_up(), ballast.give_up()] == [True, False]
    assert not path.exists()


@pytest.mark.l1
def test_no_room_is_kept_where_none_is_wanted_or_none_can_be(tmp_path: Path) -> None:
    """A size of 0 leaves no file; a folder that takes no file is no reason to refuse anything."""
    none = Ballast(tmp_path / "none", 0)
    assert (none.take(), none.give_up(), (tmp_path / "none").exists()) == (True, False, False)
    nowhere = Ballast(tmp_path / "no folder" / "held", SIZE)
    assert (nowhere.take(), nowhere.give_up()) == (True, False)


@pytest.mark.l1
def test_more_than_there_is_cannot_be_taken_and_leaves_nothing(tmp_path: Path) -> None:
    """A disk with less room than is to be held: the answer is no, and not a byte of it stays taken."""
    ballast = Ballast(tmp_path / "held", 1 << 50)
    assert not ballast.take(again=True)
    assert not (tmp_path / "held").exists()


class Pages:
    """A database that may have no more pages, which is a full disk to it."""

    def __init__(self, folder: Path) -> None:
        self.database = SqliteDatabase(folder)
        self.file = self.database.path.with_name("quintet.db.ballast")
        self.store: Store = open_store(self.database.url, reserved=SIZE)

    async def fill(self) -> None:
        await within(self.store.write("", self.database.fill))

    async def empty(self) -> None:
        await within(self.store.write("", self.database.empty))


@pytest.fixture
async def pages(tmp_path: Path) -> AsyncIterator[Pages]:
    made = Pages(tmp_path)
    await made.store.start()
    yield made
    await made.store.close()


def _large(tx: Tx) -> None:
    tx.sql("INSERT INTO agents (worker_id, name, description) VALUES ('w', 'large', ?)", ("x" * 3_000_000,))


def _grows(tx: Tx) -> None:
    tx.grow()
    tx.sql("INSERT INTO agents (worker_id, name, description) VALUES ('w', 'more', '')")


def _ends(tx: Tx) -> bool:
    tx.sql("INSERT INTO agents (worker_id, name, description) VALUES ('w', 'end', '') ON CONFLICT DO NOTHING")
    return tx.scarce


async def _refusal(pages: Pages, fn: object) -> QuintetError:
    with pytest.raises(QuintetError) as refused:
        await within(pages.store.write("u", fn))  # type: ignore[arg-type]
    return refused.value


@pytest.mark.l2
async def test_without_room_what_grows_is_refused_and_what_ends_is_written(pages: Pages) -> None:
    """The first write that finds no room gives the ballast up; from then on growing is `storage_full`, with a wait; ending is not.

    When there is room the ballast is made again, and growing goes on.
    """
    assert _held(pages.file) >= SIZE
    await within(pages.store.write("u", _grows))
    await pages.fill()
    assert (await _refusal(pages, _large)).code == "storage_full"
    assert not pages.file.exists()
    assert pages.store.figures().scarce
    told = await _refusal(pages, _grows)
    assert (told.code, told.retry_after) == ("storage_full", 10)
    assert await within(pages.store.write("u", _ends)) is True
    await pages.empty()
    async with asyncio.timeout(WAIT):
        while await pages.store.write("u", _ends):
            await asyncio.sleep(0.05)
    assert _held(pages.file) >= SIZE
    await within(pages.store.write("u", lambda tx: tx.sql("DELETE FROM agents")))
    await within(pages.store.write("u", _grows))
    assert not pages.store.figures().scarce


@pytest.mark.l2
async def test_the_room_is_kept_for_want_of_room_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that is lost for another reason, here a writer beside the server, gives no room up and refuses nothing that grows."""
    monkeypatch.setattr("quintet.store.sqlite._BUSY_MS", 100)
    pages = Pages(tmp_path)
    await pages.store.start()
    with closing(sqlite3.connect(pages.database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert (await _refusal(pages, _grows)).code == "busy"
        other.execute("ROLLBACK")
    assert _held(pages.file) >= SIZE
    assert not pages.store.figures().scarce
    await within(pages.store.write("u", _grows))
    await pages.store.close()


@pytest.mark.l2
async def test_the_room_outlives_the_server_and_is_not_taken_by_administration(pages: Pages) -> None:
    """A stopped server leaves it, for the endings that the next start writes; a command beside a server neither takes nor gives it."""
    beside = open_store(pages.database.url, exclusive=False, reserved=SIZE)
    await beside.start()
    await within(pages.store.write("", pages.database.fill))
    await beside.close()
    assert _held(pages.file) >= SIZE
    await pages.store.close()
    assert _held(pages.file) >= SIZE
    with sqlite3.connect(pages.database.path) as copy:
        assert copy.execute("PRAGMA quick_check").fetchall() == [("ok",)]
    copy.close()
