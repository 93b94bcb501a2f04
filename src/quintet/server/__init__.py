"""The parts put together: one object to start and stop, and the whole of a `quintet serve` process."""

from quintet.server.assembly import Server
from quintet.server.opening import migrated
from quintet.server.running import run

__all__ = ["Server", "migrated", "run"]
