"""What is queued for an owner thread, and how its answer travels back.

An answer goes to the event loop that asked, or to a plain future. All answers of one commit for one loop cross over in one call:
waking a loop costs a system call, and a commit answers many.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from concurrent.futures import Future, InvalidStateError
from typing import Any

__all__ = ["Item", "settle"]


class Item:
    """One function, or one payload for a gathering function, and where its answer goes."""

    __slots__ = ("apply", "error", "fn", "future", "key", "loop", "payload", "result")

    def __init__(
        self,
        fn: Callable[..., Any] | None,
        future: "asyncio.Future[Any] | Future[Any]",
        loop: asyncio.AbstractEventLoop | None,
        apply: Callable[..., Any] | None = None,
        payload: Any = None,
        key: str = "",
    ) -> None:
        self.fn = fn
        self.future = future
        self.loop = loop
        self.apply = apply
        self.payload = payload
        self.key = key
        self.result: Any = None
        self.error: BaseException | None = None

    def answer(self) -> None:
        """Settle the future, on the thread that owns it. A caller that has gone away is no error."""
        if self.future.done():
            return
        error = self.error
        if error is not None and (isinstance(error, StopIteration) or not isinstance(error, Exception)):
            # No future carries the one; the others would end a loop, or look like a cancellation nobody asked for.
            error, cause = RuntimeError(f"a transaction's function raised {type(error).__name__}"), error
            error.__cause__ = cause
        with contextlib.suppress(InvalidStateError):  # a plain future was cancelled by its thread a moment ago
            if error is not None:
                self.future.set_exception(error)
            else:
                self.future.set_result(self.result)


def settle(items: Iterable[Item]) -> None:
    """Answer `items`, from the owner thread."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Item]] = {}
    for item in items:
        if item.loop is None:
            item.answer()
        else:
            by_loop.setdefault(item.loop, []).append(item)
    for loop, answers in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits any more
            loop.call_soon_threadsafe(_answer_all, answers)


def _answer_all(items: list[Item]) -> None:
    for item in items:
        item.answer()
