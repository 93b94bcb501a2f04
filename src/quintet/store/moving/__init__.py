"""A whole installation moved from one database to another: copied, read back, compared, then and only then there."""

from quintet.store.moving.end import MoveError
from quintet.store.moving.move import Moved, move

__all__ = ["MoveError", "Moved", "move"]
