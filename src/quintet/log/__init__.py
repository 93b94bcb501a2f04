"""The log: the only road between the parts. One appends, another reads."""

from quintet.log.expiring import Expiring
from quintet.log.forgetting import Forgotten, Place, forget_in
from quintet.log.numbers import Fenced, Stopped, append_in, create_head, head_in
from quintet.log.reading import Batch, Position, Resync, Row
from quintet.log.road import Log
from quintet.log.stream import Follower

__all__ = [
    "Batch",
    "Expiring",
    "Fenced",
    "Follower",
    "Forgotten",
    "Log",
    "Place",
    "Position",
    "Resync",
    "Row",
    "Stopped",
    "append_in",
    "create_head",
    "forget_in",
    "head_in",
]
