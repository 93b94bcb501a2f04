"""Which loops run in this process now, and where the main thread stands."""

import sys
import threading
import time
from types import FrameType
from typing import Final

from quintet.testing.hang.loops import Loop

__all__ = ["main_frame", "running"]

_ANSWER: Final = 0.25  # seconds in which a loop that is not blocked runs a callback


def running() -> list[Loop]:
    """Every running loop with its tasks, the main thread's first."""
    found: list[Loop] = []
    if "asyncio" in sys.modules:
        from quintet.testing.hang import asyncio_loops

        found += asyncio_loops.found()
    if "trio" in sys.modules:
        from quintet.testing.hang import trio_loops

        found += trio_loops.found()
    for one in found:
        one.post(one.answer)
    deadline = time.monotonic() + _ANSWER
    while time.monotonic() < deadline and not all(one.answers for one in found):
        time.sleep(0.01)
    unknown = [one for one in found if one.thread is None]
    if len(unknown) == 1 and not any(one.in_main for one in found):
        unknown[0].thread = threading.main_thread().ident
    for one in found:
        one.look()
    return sorted(found, key=lambda one: not one.in_main)


def main_frame() -> FrameType | None:
    """Where the main thread stands."""
    return sys._current_frames().get(threading.main_thread().ident or 0)
