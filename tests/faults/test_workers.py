"""Two workers on one database: the one that lost its run finds nothing to write to, whatever it does when it wakes up."""

import asyncio
import threading
from typing import Any

import pytest

from quintet import Turn, agent
from quintet.engine import Limits, Registry, Worker
from quintet.store import Tx
from support.databases import Database
from support.kernel import WAIT, Kernel, eventually, within

pytestmark = pytest.mark.l2

SHORT = Limits(poll=0.05, grace=0.3, drain=5, late_ending=3, run=20)


class Place:
    """Where the agent of a worker stands still until it is told to go on."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.left: list[str] = []

    def registry(self) -> Registry:
        """One agent, the same for every worker, that says whose it is."""

        @agent(name="assistant", description="Speaks, stands still, and speaks on")
        async def assistant(turn: Turn) -> None:
            await turn.think(f"{self.number} has begun")
            self.reached.set()
            while not self.go_on.is_set():
                await asyncio.sleep(0.005)
            try:
                for step in range(20):
                    await turn.think(f"{self.number} goes on {step}")
                await turn.say(f"{self.number} answers")
            finally:
                self.left.append("left")

        return Registry([assistant])


def _hand_over(tx: Tx, run_id: str) -> Any:
    """What takes a run and its agents from a worker that gives no sign of life, where runs may be begun again."""
    tx.sql("DELETE FROM agents WHERE worker_id = 'w1'")
    return tx.sql("UPDATE runs SET state = 'queued', ready = 1 WHERE id = ? AND state = 'running'", (run_id,)).rowcount


async def test_the_worker_that_lost_its_run_writes_nothing_after_the_new_ones_first(
    kernel: Kernel, database: Database
) -> None:
    """The old one stands still past its lease, the new one begins; then both go on at once. The log has what the old one said before,
    and after the new one's first event only the new one's; one ending, the new one's; the fence was met and counted."""
    places = [Place(1), Place(2)]
    workers = [
        Worker(kernel.store, kernel.log, place.registry(), limits=SHORT, worker_id=f"w{place.number}")
        for place in places
    ]
    user_id = await kernel.user()
    old, new = places
    await within(workers[0].start())
    run_id = await kernel.send(user_id)
    await eventually(old.reached.is_set)
    await within(workers[1].start())
    assert await within(kernel.store.write(user_id, lambda tx: _hand_over(tx, run_id))) == 1
    await eventually(new.reached.is_set)
    old.go_on.set()
    await eventually(lambda: old.left)
    new.go_on.set()
    await eventually(lambda: not workers[1].running)
    await eventually(lambda: not workers[0].running)
    story = await kernel.story(user_id, run_id)
    said = [str(event.data["text"]).split()[0] for event in story if event.type == "agent_thinking"]
    first = said.index("2")
    assert set(said[:first]) == {"1"}
    assert set(said[first:]) == {"2"}, f"the old worker was heard after the new one's first event: {said}"
    assert [event.final for event in story].count(True) == 1
    assert story[-1].data["text"] == "2 answers"
    assert workers[0].counters.fenced >= 1
    for worker in workers:
        await within(worker.drain(), WAIT)


async def test_what_is_being_leased_when_a_drain_begins_is_run_and_not_left(kernel: Kernel, database: Database) -> None:
    """The store is busy for a moment, and a lease is on its way to it: the worker that drains waits for it and runs what it got."""
    place = Place(1)
    place.go_on.set()
    worker = Worker(kernel.store, kernel.log, place.registry(), limits=SHORT, worker_id="w1")
    await within(worker.start())
    user_id = await kernel.user()
    held, release = threading.Event(), threading.Event()

    def hold(_tx: Tx) -> None:
        held.set()
        assert release.wait(WAIT)

    holding = kernel.store.submit("", hold)
    await eventually(held.is_set)
    sending = asyncio.create_task(kernel.send(user_id))
    await asyncio.sleep(4 * SHORT.poll)  # the worker looks for runs by itself, and its lease queues behind
    draining = asyncio.create_task(worker.drain())
    await asyncio.sleep(0.1)
    release.set()
    await within(asyncio.wrap_future(holding))
    run_id = await within(sending)
    await within(draining)
    state = database.rows("SELECT state FROM runs")
    assert state in ([("completed",)], [("queued",)]), f"{run_id} was left {state}"
