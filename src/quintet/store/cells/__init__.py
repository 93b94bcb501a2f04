"""More than one primary: accounts in the first database, and what a user says, runs and hears in a cell of its own."""

from quintet.store.cells.holding import CLOSED, HOUSED, Holding, MapError, holding_in, holds
from quintet.store.cells.shards import SHARDS, digest_of, ranges, shard_of
from quintet.store.cells.spread import Absent, CellStore, has_all, of_all

__all__ = [
    "CLOSED",
    "HOUSED",
    "SHARDS",
    "Absent",
    "CellStore",
    "Holding",
    "MapError",
    "digest_of",
    "has_all",
    "holding_in",
    "holds",
    "of_all",
    "ranges",
    "shard_of",
]
