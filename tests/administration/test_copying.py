"""The copy of a database: consistent, checked, and never in the place of something that is needed."""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from quintet.store.backup import BackupError, copy_database

pytestmark = pytest.mark.l2

ROWS = 4000  # of 1,000 bytes: several steps of copying


@pytest.fixture
def live(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database that is open and being written, with changes in its write-ahead log."""
    with closing(sqlite3.connect(tmp_path / "live.db", isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE things (content BLOB)")
        writer.execute("BEGIN")
        writer.executemany("INSERT INTO things VALUES (randomblob(1000))", [()] * ROWS)
        writer.execute("COMMIT")
        yield writer


def test_the_copy_is_the_state_at_its_beginning(live: sqlite3.Connection, tmp_path: Path) -> None:
    """However much is committed meanwhile: copying never starts over, and ends; the writer never waits."""
    told: list[tuple[int, int]] = []

    def write_on(done: int, total: int) -> None:
        told.append((done, total))
        assert len(told) < 100, "the copying starts over"
        live.execute("INSERT INTO things VALUES (randomblob(3000))")

    made = copy_database(tmp_path / "live.db", tmp_path / "copy.db", force=False, progress=write_on)
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM things").fetchone() == (ROWS,)
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert len(told) > 2
    assert told[-1][0] == told[-1][1]
    assert made.size == (tmp_path / "copy.db").stat().st_size
    assert live.execute("SELECT count(*) FROM things").fetchone() == (ROWS + len(told),)


def test_the_copy_stands_alone_and_is_its_owners(live: sqlite3.Connection, tmp_path: Path) -> None:
    """One file of 0600 with nothing beside it, whatever the umask and whatever file it replaces."""
    file = tmp_path / "out" / "copy.db"
    file.parent.mkdir()
    file.write_text("an earlier one")
    file.chmod(0o644)
    copy_database(tmp_path / "live.db", file, force=True)
    assert [path.name for path in file.parent.iterdir()] == ["copy.db"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    "name", ["live.db", "live.db-wal", "live.db.lock", "link.db", "hard.db", "folder", "gone/copy.db", "old.db"]
)
def test_a_copy_takes_the_place_of_nothing_that_is_needed(
    live: sqlite3.Connection, tmp_path: Path, name: str, force: bool
) -> None:
    """The database itself by any name, its side files, a folder, and a name with an old write-ahead log beside it are refused."""
    (tmp_path / "link.db").symlink_to(tmp_path / "live.db")
    (tmp_path / "hard.db").hardlink_to(tmp_path / "live.db")
    (tmp_path / "folder").mkdir()
    (tmp_path / "old.db-wal").write_bytes(b"changes")
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    with pytest.raises(BackupError) as caught:
        copy_database(tmp_path / "live.db", tmp_path / name, force=force)
    assert caught.value.usage
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
    assert live.execute("SELECT count(*) FROM things").fetchone() == (ROWS,)


def test_an_existing_file_stays_without_force(live: sqlite3.Connection, tmp_path: Path) -> None:
    """Also one that came to exist while the copying went on."""
    file = tmp_path / "copy.db"

    def interfere(_done: int, _total: int) -> None:
        file.write_text("kept")

    for attempt in ("it comes to exist", "it exists"):
        with pytest.raises(BackupError, match="exists already"):
            copy_database(tmp_path / "live.db", file, force=False, progress=interfere)
        assert file.read_text() == "kept", attempt
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "live.db", "live.db-shm", "live.db-wal"]


def test_a_damaged_database_gives_no_copy(live: sqlite3.Connection, tmp_path: Path) -> None:
    """The check finds the damage, says so, and nothing is left under the name; an earlier copy stays."""
    live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    live.close()
    with (tmp_path / "live.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\x7f" * 4096)
    (tmp_path / "copy.db").write_text("an earlier one")
    with pytest.raises(BackupError, match="damaged"):
        copy_database(tmp_path / "live.db", tmp_path / "copy.db", force=True)
    assert (tmp_path / "copy.db").read_text() == "an earlier one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "live.db"]
