"""`quintet events`: the log as JSON lines, for programs to read exactly as it came; on a terminal it cannot command that.

1. A line is out before the next event is asked for.
2. A reader who leaves ends the command quietly, also while nothing happens.
"""

import asyncio
import contextlib
import os
import signal
import stat
import sys
from math import inf
from types import FrameType
from typing import BinaryIO

from quintet.client import Received, Resynced

from .reaching import Reach, close_quietly, reported
from .saying import say
from .timeline import escaped

__all__ = ["events"]


def events(url: str | None, after: str) -> int:
    """Prints until it is stopped, and gives the exit code of the process."""
    signal.signal(signal.SIGINT, _leave)  # also out of a write that a reader who pauses has blocked
    return reported(url, lambda reach: asyncio.run(_events(reach, after)))


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


async def _events(reach: Reach, after: str) -> int:
    printing = asyncio.create_task(_print_all(reach, after))
    loop, out = asyncio.get_running_loop(), sys.stdout.fileno()
    watched = stat.S_ISFIFO(os.fstat(out).st_mode)
    if watched:  # a pipe for writing becomes readable when nobody reads it any more
        with contextlib.suppress(NotImplementedError, PermissionError):
            loop.add_reader(out, printing.cancel)
    try:
        await printing
    except asyncio.CancelledError:
        if not watched:
            raise
    except BrokenPipeError:
        pass
    finally:
        if watched:
            loop.remove_reader(out)
    close_quietly()
    return 0


async def _print_all(reach: Reach, after: str) -> None:
    out = sys.stdout.buffer
    async with reach.client(patience=inf) as client, contextlib.aclosing(client.follow(after)) as items:
        async for item in items:
            if isinstance(item, Received):
                _print(out, item.frame)
            elif isinstance(item, Resynced):
                say(_why(item))
                _print(out, item.frame)


def _print(out: BinaryIO, frame: bytes) -> None:
    out.write((escaped(frame) if out.isatty() else frame) + b"\n")
    out.flush()


def _why(item: Resynced) -> str:
    reasons = {
        "malformed": "This is no cursor",
        "epoch": "This cursor belongs to another log",
        "future": "This cursor is from a later state of the log",
        "too_old": "This cursor is older than what is kept",
    }
    why = reasons.get(item.reason, "This cursor cannot be gone on from")
    return f"{why}, so what follows is new from now on. Everything that is kept: --after 0"
