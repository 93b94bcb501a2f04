"""A line in the log for every run that has ended, under its trace: what a user reads in an event is found there."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import structlog

from quintet.runs import Ended
from quintet.store import Store

__all__ = ["log_endings"]

_log = structlog.get_logger("quintet.runs")


def log_endings(store: Store) -> None:
    """Log the endings of each commit, on the running loop: the committing thread has no time for it."""
    loop = asyncio.get_running_loop()

    def committed(facts: Sequence[Any]) -> None:
        ended = [fact for fact in facts if isinstance(fact, Ended)]
        if ended:
            with contextlib.suppress(RuntimeError):  # the loop has closed
                loop.call_soon_threadsafe(_note, ended)

    store.on_commit(committed)


def _note(ended: Sequence[Ended]) -> None:
    for run in ended:
        _log.info(
            "run_ended",
            trace_id=run.trace_id,
            run_id=run.run_id,
            agent=run.agent,
            state=run.state,
            duration_ms=run.duration_ms,
        )
