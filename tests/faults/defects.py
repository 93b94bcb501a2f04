"""Defects that only a fault can show: a death at a named point, a full disk, a lost wake-up. Each must be seen. See `serve.py`."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from quintet import runs as runs_package
from quintet import sources
from quintet.engine import dispatch, watch
from quintet.engine.loops import AgentLoop
from quintet.log import road
from quintet.runs import closing
from quintet.store.base import Tx
from support.patching import replace

__all__ = ["DEFECTS"]


def torn_submit() -> None:
    """A message is committed before its run."""

    def open_run(tx: Tx, *rest: Any, **options: Any) -> Any:
        _commit_now(tx)
        return old(tx, *rest, **options)

    old = replace(runs_package, "open_run", open_run)


def torn_ending() -> None:
    """The events of an ending are committed before the run's row says that it has ended."""

    def keep(tx: Tx, *rest: Any) -> None:
        _commit_now(tx)
        old(tx, *rest)

    old = replace(closing, "_keep_what_was_said", keep)


def tool_before_its_event() -> None:
    """A tool starts while its `tool_executing` is still on its way; the disk is slow."""

    class Hasty(dispatch._Call):
        def __init__(self, telling: Any, *rest: Any) -> None:
            super().__init__(telling, *rest)
            self.durable = asyncio.get_running_loop().create_future()
            self.durable.set_result(None)

    def gather(*args: Any) -> Any:
        time.sleep(0.05)
        return old(*args)

    replace(dispatch, "_Call", Hasty)
    old = replace(road, "gather", gather)


def run_again() -> None:
    """The runs of a dead server are begun once more."""

    def lose_all(tx: Tx, *_rest: Any, **_options: Any) -> list[Any]:
        tx.sql("UPDATE runs SET state = 'queued', ready = 1 WHERE state = 'running'")
        return []

    replace(runs_package, "lose_all", lose_all)


def endings_need_room() -> None:
    """The room that is kept on a full disk is not for endings."""

    def close(tx: Tx, *rest: Any, **options: Any) -> str:
        tx.grow()
        return str(old(tx, *rest, **options))

    old = replace(watch, "close", close)


def accuse_asleep() -> None:
    """After the whole process stood still, its agents count as if they had held their loops for so long."""

    def forgive(self: AgentLoop) -> None:
        self._asked = self._clock() - 60

    replace(AgentLoop, "forgive", forgive)


def count_by_the_wall() -> None:
    """Silence and deadlines are counted by the wall clock."""
    first, second, *rest = sources.Sources.__init__.__defaults__ or ()
    assert second is time.monotonic, "the second default of Sources is the clock that never jumps"
    sources.Sources.__init__.__defaults__ = (first, lambda: first() / 1000, *rest)


def never_look() -> None:
    """A feed waits for its wake-up and never looks by itself."""

    async def look(_self: road.Log) -> None:
        return

    replace(road.Log, "look", look)


def _commit_now(tx: Tx) -> None:
    tx.sql("RELEASE step")
    tx.sql("COMMIT")
    tx.sql("BEGIN IMMEDIATE")
    tx.sql("SAVEPOINT step")


DEFECTS: dict[str, Callable[[], None]] = {
    defect.__name__: defect
    for defect in (
        torn_submit,
        torn_ending,
        tool_before_its_event,
        run_again,
        endings_need_room,
        accuse_asleep,
        count_by_the_wall,
        never_look,
    )
}
