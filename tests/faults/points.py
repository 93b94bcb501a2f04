"""The named points at which the process kills itself, one function each, which patches its point in.

1. `here(what)` is a pass: `what` is an id or a digest of what was on its way, by which the test finds it in the log, or does not.
2. They patch private names on purpose. When the product changes and a patch finds nothing, the server does not start.
"""

from collections.abc import Callable, Sequence
from typing import Any

from quintet import runs as runs_package
from quintet.chat import deleting
from quintet.chat.submit import Submitting
from quintet.engine import dispatch
from quintet.engine.outbox import Outbox
from quintet.engine.worker import Worker
from quintet.log import road
from quintet.log.numbers import Append, Appended
from quintet.runs import closing
from quintet.runs.closing import Ended
from quintet.store.base import Tx
from quintet.store.committer import Committer
from support.patching import replace

__all__ = ["POINTS", "Here"]

Here = Callable[[str], None]


def in_submit(here: Here) -> None:
    """In the transaction of a submit, all of it written."""

    def open_run(tx: Tx, new: Any, *rest: Any, **options: Any) -> Any:
        opened = old(tx, new, *rest, **options)
        here(new.client_id)
        return opened

    old = replace(runs_package, "open_run", open_run)


def after_submit(here: Here) -> None:
    """A submit is committed, and its sender not answered."""

    async def call(self: Submitting, scope: Any, sent: Any) -> Any:
        answer = await old(self, scope, sent)
        here(sent.client_id)
        return answer

    old = replace(Submitting, "__call__", call)


def before_wake(here: Here) -> None:
    """A submit is committed, and nobody woken: no worker, no feed."""
    _before_telling(here, lambda tx: "work" in tx.topics)


def after_lease(here: Here) -> None:
    """A run is leased, and nothing of it started."""

    async def before(self: Worker, leased: Any) -> Any:
        here(leased[0].run_id)
        return await old(self, leased)

    old = replace(Worker, "_before", before)


def before_flush(here: Here) -> None:
    """An agent has said something, and it is on its way to the store."""

    def ship(self: Outbox, load: Any) -> None:
        here(load[0].draft.digest)
        old(self, load)

    old = replace(Outbox, "_ship", ship)


def in_append(here: Here) -> None:
    """Events have their numbers and are written, and are not committed."""

    def gather(tx: Tx, appends: Sequence[Append]) -> Any:
        answers = old(tx, appends)
        for append, refusal in zip(appends, answers, strict=True):
            if refusal is None:
                here(append.drafts[0].digest)
        return answers

    old = replace(road, "gather", gather)


def before_telling(here: Here) -> None:
    """Events of a run are committed, and no reader of the log has heard of them."""
    _before_telling(here, lambda tx: not tx.topics and not any(isinstance(fact, Ended) for fact in tx.facts))


def before_tool(here: Here) -> None:
    """A call is durable, and its tool has not begun."""

    async def run(telling: Any, call: Any, *rest: Any) -> Any:
        here(call.id)
        return await old(telling, call, *rest)

    old = replace(dispatch, "_run", run)


def after_tool(here: Here) -> None:
    """A tool has done its work, and nothing tells of it."""

    def outcome(telling: Any, call: Any, how: Any) -> Any:
        here(call.id)
        return old(telling, call, how)

    old = replace(dispatch, "_outcome", outcome)


def in_ending(here: Here) -> None:
    """In the transaction of an ending: its events are written, its run's row is not."""

    def keep(tx: Tx, user_id: str, run_id: str, *rest: Any) -> None:
        here(run_id)
        old(tx, user_id, run_id, *rest)

    old = replace(closing, "_keep_what_was_said", keep)


def after_ending(here: Here) -> None:
    """An ending is committed, and nobody has heard of it."""

    def tell(self: Committer, tx: Tx, batch: Any) -> None:
        for fact in tx.facts:
            if isinstance(fact, Ended):
                here(fact.run_id)
        old(self, tx, batch)

    old = replace(Committer, "_tell", tell)


def in_recovery(here: Here) -> None:
    """At a start, in the transaction that ends the runs of the dead server."""

    def lose_all(*rest: Any, **options: Any) -> Any:
        lost = old(*rest, **options)
        for _, run_id in lost:
            here(run_id)
        return lost

    old = replace(runs_package, "lose_all", lose_all)


def in_portion(here: Here) -> None:
    """In the transaction of a deletion's portion."""

    def take(tx: Tx, user_id: str, thread_id: str, *rest: Any, **options: Any) -> Any:
        place = old(tx, user_id, thread_id, *rest, **options)
        here(thread_id)
        return place

    old = replace(deleting, "take_portion", take)


def _before_telling(here: Here, wanted: Callable[[Tx], bool]) -> None:
    def tell(self: Committer, tx: Tx, batch: Any) -> None:
        appended = [fact for fact in tx.facts if isinstance(fact, Appended) and fact.run_after is not None]
        if appended and wanted(tx):
            here(appended[0].drafts[0].digest)
        old(self, tx, batch)

    old = replace(Committer, "_tell", tell)


POINTS: dict[str, Callable[[Here], None]] = {
    point.__name__: point
    for point in (
        in_submit,
        after_submit,
        before_wake,
        after_lease,
        before_flush,
        in_append,
        before_telling,
        before_tool,
        after_tool,
        in_ending,
        after_ending,
        in_recovery,
        in_portion,
    )
}
