"""Work on the database of a server, beside it. A person is asked outside of the loop, where Ctrl-C ends the question at once."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from .saying import say

__all__ = ["with_opened"]

T = TypeVar("T")


def with_opened(opening: AbstractAsyncContextManager[T], work: Callable[[T, asyncio.Runner], int]) -> int:
    """Do the work on what was opened and give the exit code; a refusal is said in its own words."""
    from quintet.errors import QuintetError

    try:
        with asyncio.Runner() as loop:
            opened = loop.run(opening.__aenter__())
            try:
                return work(opened, loop)
            finally:
                loop.run(opening.__aexit__(None, None, None))
    except QuintetError as refusal:
        say(refusal.message)
        return 1
