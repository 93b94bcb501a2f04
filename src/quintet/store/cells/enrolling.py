"""The first map of an installation becomes what its databases know. Later maps are compared with that and change nothing.

1. The accounts' database decides, in one transaction under a lock: two that enrol at once see each other.
2. A shard that nobody holds goes to whom the map gives it. One with conversations in the accounts' database stays there: it is moved, not given.
3. A database with accounts of its own is no cell: it is another installation's.
"""

from collections.abc import Callable, Mapping, Sequence

from quintet.store.base import Tx
from quintet.store.cells.holding import CLOSED, Holding, MapError, holding_in, unfit
from quintet.store.cells.shards import SHARDS, digest_of, ranges, shard_in
from quintet.store.nodes import others_in
from quintet.store.postgres.alone import alone
from quintet.store.reaching import UnreachableError

__all__ = ["enrol", "named"]

_ONE_AT_A_TIME = "LOCK TABLE shards IN SHARE ROW EXCLUSIVE MODE"
_SPEAKS = "SELECT user_id FROM heads WHERE seq > 0 AND epoch <> ? UNION SELECT user_id FROM threads UNION SELECT user_id FROM attachments"
_CLOSE = f"UPDATE heads SET epoch = ? WHERE epoch <> ? AND {shard_in('user_id')} = ANY(?)"  # noqa: S608 - of constants


def enrol(
    home_url: str, places: Sequence[str | None], *, keep: bool, life_ms: int, new_name: Callable[[], str]
) -> None:
    """Name the databases of this map, "" the accounts' own, and write down who holds what.

    A cell that is away and was named before is passed over.

    Raises:
        MapError: the map is not what they know already.
        quintet.store.reaching.UnreachableError: one of them cannot be reached.
    """
    with alone(home_url, keep=keep, also=_ONE_AT_A_TIME) as (tx, _):
        named(tx, None, new_name)  # before any cell is named after it: what follows may be refused
    with alone(home_url, keep=keep, also=_ONE_AT_A_TIME) as (tx, _):
        home = holding_of(tx)
        cells = {"": home}
        for url in dict.fromkeys(filter(None, places)):
            try:
                with alone(url, keep=keep) as (there, _):
                    cells[url] = named(there, home.name, new_name)
            except UnreachableError:
                if not home.holders:
                    raise
        _give(tx, places, cells, life_ms)
        holders = dict(tx.sql("SELECT shard, cell FROM shards").fetchall())
    for url, cell in cells.items():
        with alone(url or home_url, keep=keep) as (there, _):
            mine = [(shard, cell.name) for shard, holder in holders.items() if holder == cell.name]
            held = set(holding_of(there).holders)  # also what has left it: that does not come back by itself
            there.many("INSERT INTO shards (shard, cell) VALUES (?, ?)", [row for row in mine if row[0] not in held])
            if problem := unfit(places, url, home._replace(holders=holders), holding_of(there)):
                raise problem


def named(tx: Tx, home: str | None, new_name: Callable[[], str]) -> Holding:
    """What a database of this installation knows, with a name from now on; `home` is None for that of the accounts. Raises `MapError`."""
    found = holding_in(tx)
    if found is not None:
        if home is not None and found.home != home:
            raise MapError("A cell is of another installation", "Look at QUINTET_CELLS and QUINTET_DATABASE_URL.")
        if found.home == found.name and home is not None:
            raise MapError(
                "A cell is the accounts' database under another address",
                "Write it in QUINTET_CELLS as in QUINTET_DATABASE_URL.",
            )
        return found
    if home is not None and tx.sql("SELECT 1 FROM sessions UNION ALL SELECT 1 FROM audit LIMIT 1").fetchone():
        raise MapError("A cell has accounts of its own", "Give this installation databases that no other one has.")
    name = new_name()
    tx.sql("INSERT INTO cell (id, home, changes) VALUES (?, ?, 0)", (name, home or name))
    return Holding(name, home or name, 0, {})


def holding_of(tx: Tx) -> Holding:
    """What a database knows that has a name."""
    found = holding_in(tx)
    assert found is not None
    return found


def _give(tx: Tx, places: Sequence[str | None], cells: Mapping[str, Holding], life_ms: int) -> None:
    fresh = sorted(set(range(SHARDS)) - cells[""].holders.keys())
    if not fresh:
        return
    if nobodys := [shard for shard in fresh if places[shard] is None]:
        raise MapError(f"Shards belong to no cell yet ({ranges(nobodys)})", "Give them to one in QUINTET_CELLS.")
    if others_in(tx, digest_of(places), life_ms):
        raise MapError("A process runs that has another map of the cells", "Stop it first: quintet status names it.")
    far = [shard for shard in fresh if places[shard]]
    speaking = f"SELECT DISTINCT {shard_in('user_id')} FROM ({_SPEAKS}) AS s"  # noqa: S608 - of constants
    if stays := sorted(set(far) & {row[0] for row in tx.sql(speaking, (CLOSED,))}):
        raise MapError(
            f"Conversations are in the accounts' database already (shards {ranges(stays)})",
            "Give it all shards at first, migrate, and move some: docs/scale.md.",
        )
    tx.many("INSERT INTO shards (shard, cell) VALUES (?, ?)", [(s, cells[places[s] or ""].name) for s in fresh])
    tx.sql(_CLOSE, (CLOSED, CLOSED, far))
