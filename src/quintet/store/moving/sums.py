"""What a table holds, in two numbers that two databases can compare: how many rows, and a digest that asks for no order.

Rows are added, not chained: to sort by text two databases would have to agree on collations. This finds damage, not an attacker.
"""

import hashlib
from dataclasses import dataclass

import msgspec

from quintet.store.moving.tables import Row

__all__ = ["Sum"]

_SIZE = 1 << 256


@dataclass(slots=True)
class Sum:
    """Of the rows added so far."""

    rows: int = 0
    digest: int = 0

    def add(self, row: Row) -> None:
        """One more."""
        self.rows += 1
        self.digest = (self.digest + int.from_bytes(hashlib.sha256(msgspec.msgpack.encode(row)).digest())) % _SIZE
