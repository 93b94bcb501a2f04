"""Waiting for work that may not end: a limit, then a cancel, then the grace, then it is left alone."""

import asyncio
from typing import Any, Literal

__all__ = ["How", "bounded"]

How = Literal["done", "timeout", "cancelled"]


async def bounded(work: "asyncio.Future[Any]", timeout: float | None, grace: float) -> How:
    """Wait for `work`: at most `timeout` seconds, then cancel it and wait `grace` seconds more.

    Says why the waiting ended, and never raises: `cancelled` when the waiting task was. The work may not be done then.
    """
    how: How = "done"
    try:
        await asyncio.wait((work,), timeout=timeout)
        if not work.done():
            how = "timeout"
    except asyncio.CancelledError:
        how = "cancelled"
    if not work.done():
        work.cancel()
    if not work.done():
        try:
            await asyncio.wait((work,), timeout=grace)
        except asyncio.CancelledError:  # a second time: whoever waits for us waits no longer
            how = "cancelled"
    return how
