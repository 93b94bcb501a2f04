"""A line in the log for every row of the audit, after its commit: ids and the action. The address and the details stay in the table."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import structlog

from quintet.accounts.audit import Recorded
from quintet.store import Store

__all__ = ["log_audit"]

_log = structlog.get_logger("quintet.audit")


def log_audit(store: Store) -> None:
    """Log what each commit has recorded, on the running loop: the committing thread has no time for it."""
    loop = asyncio.get_running_loop()

    def committed(facts: Sequence[Any]) -> None:
        recorded = [fact for fact in facts if isinstance(fact, Recorded)]
        if recorded:
            with contextlib.suppress(RuntimeError):  # the loop has closed
                loop.call_soon_threadsafe(_note, recorded)

    store.on_commit(committed)


def _note(recorded: Sequence[Recorded]) -> None:
    for fact in recorded:
        ids = {name: value for name, value in fact._asdict().items() if name != "action" and value is not None}
        _log.info("audit", action=fact.action, **ids)
