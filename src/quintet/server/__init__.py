"""The parts put together: one object to start and stop, and the whole of a `quintet serve` process.

Each name is imported when it is asked for, so that administration and migrating do not load what only a running server needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quintet.server.assembly import Server
    from quintet.server.opening import migrated
    from quintet.server.processes import keep_processes
    from quintet.server.running import run

__all__ = ["Server", "keep_processes", "migrated", "run"]

_HOMES = {"Server": "assembly", "keep_processes": "processes", "migrated": "opening", "run": "running"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
