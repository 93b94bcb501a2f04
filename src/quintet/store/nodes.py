"""Which processes there are: each writes a row about itself, for whoever runs them, and for work that one of them is enough for. No promise rests
on it: where two take themselves for that one, something is done twice that may be.

Times are those of the database, so that no clock of one machine is compared with another's.
"""

import os
import socket
from collections.abc import Sequence
from typing import Any, NamedTuple

from quintet.store.base import Tx

__all__ = ["FORGOTTEN_SECONDS", "Node", "Seen", "is_oldest", "leave", "nodes_in", "now_in", "others_in", "show"]

FORGOTTEN_SECONDS = 600
"""How long a node is told of that has gone without a word."""

_SHOW = (
    "INSERT INTO nodes (id, role, version, host, pid, worker_id, map, draining, since, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET draining = excluded.draining, seen_at = excluded.seen_at"
)
_NODES = "SELECT id, role, version, host, pid, worker_id, map, draining, since, seen_at FROM nodes WHERE seen_at >= ? ORDER BY since, id"


class Node(NamedTuple):
    """A process: what it does, where it is, which worker of the table of runs it is, its map of the cells, and whether it is about to end."""

    id: str
    role: str
    version: str
    host: str
    pid: int
    worker_id: str | None
    map: str = ""
    draining: bool = False

    @classmethod
    def here(cls, node_id: str, role: str, version: str, worker_id: str | None, map_digest: str = "") -> "Node":
        """This process."""
        return cls(node_id, role, version, socket.gethostname(), os.getpid(), worker_id, map_digest)


class Seen(NamedTuple):
    """A node, and for how many milliseconds it has been there and unheard of."""

    node: Node
    up_ms: int
    silent_ms: int


def now_in(tx: Tx) -> int:
    """The time of the database, in milliseconds since 1970."""
    on = "extract(epoch FROM clock_timestamp()) * 1000" if tx.shared else "(julianday('now') - 2440587.5) * 86400000"
    return int(tx.sql(f"SELECT {on}").fetchone()[0])


def show(tx: Tx, node: Node) -> None:
    """It lives. Others are forgotten that have long been silent; where the database is one process's, all others."""
    now = now_in(tx)
    if tx.shared:
        tx.sql("DELETE FROM nodes WHERE seen_at < ?", (now - FORGOTTEN_SECONDS * 1000,))
    else:
        tx.sql("DELETE FROM nodes WHERE id <> ?", (node.id,))
    tx.sql(_SHOW, (*node[:-1], int(node.draining), now, now))


def leave(tx: Tx, node_id: str) -> None:
    """It has ended in order."""
    tx.sql("DELETE FROM nodes WHERE id = ?", (node_id,))


def nodes_in(tx: Tx) -> list[Seen]:
    """Those that have not left, the oldest first."""
    now = now_in(tx)
    since = now - FORGOTTEN_SECONDS * 1000 if tx.shared else 0
    rows = tx.sql(_NODES, (since,)).fetchall()
    return [Seen(_node(row), max(0, now - row[8]), max(0, now - row[9])) for row in rows]


def is_oldest(tx: Tx, node_id: str, life_ms: int) -> bool:
    """Whether of those that live here none was here before this one."""
    living = [seen.node.id for seen in nodes_in(tx) if seen.silent_ms <= life_ms]
    return living[:1] in ([], [node_id])


def others_in(tx: Tx, digest: str, life_ms: int) -> list[Node]:
    """Those that live and have another map of the cells than this one."""
    return [seen.node for seen in nodes_in(tx) if seen.silent_ms <= life_ms and seen.node.map != digest]


def _node(row: Sequence[Any]) -> Node:
    return Node._make(row[:8])._replace(draining=bool(row[7]))
