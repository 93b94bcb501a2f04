"""A copy of a database that is not sound is not read."""

import sqlite3
from pathlib import Path

import pytest

from support.kept import read


@pytest.mark.l2
def test_a_damaged_database_is_seen(tmp_path: Path) -> None:
    """A file whose pages were overwritten, and a row that refers to nothing."""
    path = tmp_path / "quintet.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE one (id INTEGER PRIMARY KEY, words TEXT)")
        database.execute("CREATE TABLE two (id INTEGER REFERENCES one (id))")
        database.execute("INSERT INTO two VALUES (1)")
        database.executemany("INSERT INTO one (words) VALUES (?)", [("x" * 500,)] * 200)
        database.execute("DELETE FROM one WHERE id = 1")
    database.close()
    with pytest.raises(AssertionError, match="refers to what is not there"):
        read(path)
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2 : len(damaged) // 2 + 4096] = b"\xff" * 4096
    path.write_bytes(damaged)
    with pytest.raises((AssertionError, sqlite3.DatabaseError), match=r"damaged|malformed"):
        read(path)
