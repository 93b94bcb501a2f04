"""Which database holds which shards, kept in the databases themselves: a map of the settings is believed where they agree with it.

1. A database of several has a name, made once. The accounts' database knows of each shard who holds it; that is the truth.
2. A cell knows the same of its own shards, so that the transaction which gives a user a place there can ask it: a place is given where the
   shard is held, and the row is locked, so no shard leaves between the question and the commit.
3. A head whose epoch is `CLOSED` belongs to a log that is elsewhere. Nothing is appended to it, whoever asks: two databases never give numbers
   to one user, also where a process has an old map.
4. Nobody takes a shard that another one holds. The first map says who holds what, after that moves do.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from quintet.store.base import Tx
from quintet.store.cells.shards import SHARDS, ranges, shard_of

__all__ = ["CLOSED", "HOUSED", "Holding", "MapError", "holding_in", "holds", "unfit"]

CLOSED = "-"
"""The epoch of a head whose log is in another database. No cursor has it."""

HOUSED = "housed"
"""The role that a user's row has in a cell: it opens nothing there."""

_HOLDS = "SELECT s.cell = c.id FROM shards s, cell c WHERE s.shard = ?"


class MapError(Exception):
    """The map of the settings is not what the databases say. `what` and `fix` are a sentence each."""

    def __init__(self, what: str, fix: str) -> None:
        self.what = what
        self.fix = fix
        super().__init__(what)


class Holding(NamedTuple):
    """What a database knows: its name, that of the accounts' database, how often that changed its mind, and the holder of each shard.

    A holder that begins with `-` is where the shard is on its way to: nobody has it until then.
    """

    name: str
    home: str
    changes: int
    holders: Mapping[int, str]

    @property
    def other_holders(self) -> bool:
        """Some shard is not held here."""
        return any(holder != self.name for holder in self.holders.values())


def holding_in(tx: Tx) -> Holding | None:
    """What this database knows; None where it was never one of several."""
    row = tx.sql("SELECT id, home, changes FROM cell").fetchone()
    if row is None:
        return None
    name, home, changes = row
    return Holding(name, home, changes, dict(tx.sql("SELECT shard, cell FROM shards").fetchall()))


def holds(tx: Tx, user_id: str) -> bool | None:
    """Whether the log of this user is here, until the transaction ends; None where nobody has ever said."""
    row = tx.sql(_HOLDS + (" FOR SHARE OF s" if tx.shared else ""), (shard_of(user_id),)).fetchone()
    return None if row is None else bool(row[0])


def unfit(places: Sequence[str | None], url: str, home: Holding, cell: Holding | None) -> MapError | None:
    """What is wrong with giving the database at `url` ("" the accounts' own) its shards in this map; None where it holds all of them."""
    if cell is None:
        return MapError("A cell is not one of this installation yet", "Run: quintet migrate")
    if cell.home != home.name:
        return MapError("A cell is of another installation", "Look at QUINTET_CELLS and QUINTET_DATABASE_URL.")
    if url and cell.name == home.name:
        return MapError(
            "A cell is the accounts' database under another address",
            "Write it in QUINTET_CELLS as in QUINTET_DATABASE_URL.",
        )
    mine = [shard for shard in range(SHARDS) if places[shard] == url]
    wrong = [shard for shard in mine if not home.holders.get(shard) == cell.holders.get(shard) == cell.name]
    if not wrong:
        return None
    return MapError(
        f"QUINTET_CELLS gives a cell shards that it does not hold ({ranges(wrong)})",
        "Correct it: quintet status tells who holds them, and only quintet move --shards changes that.",
    )
