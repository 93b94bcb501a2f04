"""A run's life as a machine: whatever is asked for in whatever order, only the table's steps happen, and every run ends as one whole story."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from engine.stage import Told, check
from quintet import runs
from quintet.log import Fenced, Log, Stopped
from quintet.runs import OPEN, Cancelled, Completed, Ending, Failed, Leased
from quintet.runs.steps import step
from support.databases import Database
from support.kernel import Kernel
from support.machines import run_machine

pytestmark = pytest.mark.l2

MOST = 5  # runs of a user at the same time
numbers = st.integers(0, 10**6)
rarely = st.integers(0, 4).map(lambda number: number == 0)
ENDINGS: list[Ending] = [Completed(None, None, "done"), Failed("agent_error"), Cancelled("timeout")]


@dataclass
class Run:
    """What must be true of a run."""

    user_id: str
    run_id: str
    thread: int
    state: str = "queued"
    stopped: bool = False
    leased: Leased | None = None
    calls: list[str] = field(default_factory=list)


class World:
    """One started store for all examples."""

    def __init__(self, database: Database) -> None:
        self.runner = asyncio.Runner()
        store = database.open()
        self.runner.run(store.start())
        self.kernel = Kernel(store, Log(store))
        self.met: Counter[str] = Counter()

    def close(self) -> None:
        """End it."""
        self.runner.run(self.kernel.store.close())
        self.runner.close()


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """A store for the machine."""
    made = World(database)
    yield made
    made.close()


class Lives(RuleBasedStateMachine):
    """Two users with three threads each."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world, self.kernel, self.run = world, world.kernel, world.runner.run
        self.users = [self.run(self.kernel.user()) for _ in range(2)]
        self.runs: list[Run] = []

    def any(self, place: int) -> Run:
        """One of those at work and of the newest, ended or not."""
        near = [run for run in self.runs if run.state == "running"] + self.runs[-3:]
        return near[place % len(near)]

    def of(self, user_id: str, *states: str) -> list[Run]:
        """A user's runs in these states, in the order in which they were sent."""
        return [run for run in self.runs if run.user_id == user_id and run.state in states]

    def refused(self, deed: Any, expected: type[Exception] | None) -> Any:
        """Do it, and see it refused exactly when it must be."""
        try:
            answer = self.run(deed)
        except (Fenced, Stopped) as refusal:
            assert type(refusal) is expected, f"{type(refusal).__name__}, where {expected} was due"
            self.world.met[type(refusal).__name__] += 1
            return None
        assert expected is None, f"not refused, where {expected} was due"
        return answer

    # --- what happens -------------------------------------------------------------------------------------------------

    @rule(who=st.integers(0, 1), thread=st.integers(0, 6))
    def send(self, who: int, thread: int) -> None:
        """A message to a thread."""
        user_id = self.users[who]
        run_id = self.run(self.kernel.send(user_id, thread_id=f"thr_{user_id}_{thread}", most=MOST))
        self.runs.append(Run(user_id, run_id, thread))

    @rule(limit=st.integers(1, 12))
    def lease(self, limit: int) -> None:
        """A worker asks for work: it gets the first open run of a thread, at most five of a user, and all that may be had."""
        for leased in self.run(self.kernel.lease(limit)):
            run = next(run for run in self.runs if run.run_id == leased.run_id)
            earlier = self.runs[: self.runs.index(run)]
            same = [one for one in earlier if (one.user_id, one.thread) == (run.user_id, run.thread)]
            assert not [one for one in same if one.state in OPEN], "two runs of one thread are at work"
            assert step(run.state, "leased") == "running"
            assert leased.attempt == 1
            run.state, run.leased = "running", leased
            limit -= 1
        for user_id in self.users:
            running = self.of(user_id, "running")
            assert len(running) <= MOST, f"{len(running)} runs of one user"
            free = [r for r in self.of(user_id, "queued") if r.thread not in {one.thread for one in running}]
            assert not limit or not free or len(running) == MOST, "what could run was left"

    @precondition(lambda self: self.runs)
    @rule(place=numbers, kind=st.sampled_from(["think", "call", "call", "done"]), stale=rarely)
    def append(self, place: int, kind: str, stale: bool) -> None:
        """Its worker tells something, or one that has lost it does; a tool does not begin after a cancel."""
        run = self.any(place)
        leased = run.leased
        if leased is None or (kind == "done" and not run.calls):
            return
        call_id = f"call_{place}_{len(run.calls)}"
        drafts = {
            "think": lambda: self.kernel.thought(leased, step=1),
            "call": lambda: self.kernel.call(leased, call_id),
            "done": lambda: self.kernel.call_done(leased, run.calls[0]),
        }
        expected: type[Exception] | None = Fenced if run.state != "running" or stale else None
        if expected is None and run.stopped and kind == "call":
            expected = Stopped
        holder = leased._replace(attempt=leased.attempt - 1) if stale else leased
        self.refused(self.kernel.append(holder, drafts[kind]()), expected)
        if expected is None and kind == "call":
            run.calls.append(call_id)
        elif expected is None and kind == "done":
            run.calls.pop(0)

    @precondition(lambda self: self.runs)
    @rule(place=numbers)
    def cancel(self, place: int) -> None:
        """A run that waits ends at once, one at work is told to, one that has ended stays as it is; no tool begins after it."""
        run = self.any(place)
        before = run.state
        told = self.run(self.kernel.cancel(run.user_id, run.run_id))
        run.state = "cancelled" if before == "queued" else before
        run.stopped = run.stopped or before == "running"
        assert told == run.state, f"{before} was cancelled and is {told}"
        if before == "running" and run.leased is not None:
            self.refused(self.kernel.append(run.leased, self.kernel.call(run.leased, f"late_{place}")), Stopped)

    @precondition(lambda self: self.runs)
    @rule(place=numbers, ending=st.sampled_from(ENDINGS), stale=rarely)
    def close(self, place: int, ending: Ending, stale: bool) -> None:
        """Its worker ends it; whatever was cancelled ends as cancelled; nobody ends it twice."""
        run = self.any(place)
        if run.leased is None:
            return
        happens = "cancelled" if run.stopped else ending.happens
        after = None if stale else step(run.state, happens)
        holder = run.leased._replace(attempt=run.leased.attempt - 1) if stale else run.leased
        told = self.refused(self.kernel.close(holder, ending), Fenced if after is None else None)
        if after is not None:
            assert told == after
            run.state = after

    @precondition(lambda self: len(self.of(self.users[0], "running")) > 3)
    @rule()
    def lose_all(self) -> None:
        """The worker is known to be dead: everything at work ends, nothing else does."""
        moment = self.kernel.moment()
        lost = self.run(self.kernel.store.write("", lambda tx: runs.lose_all(tx, moment)))
        at_work = [run for run in self.runs if run.state == "running"]
        assert {run_id for _, run_id in lost} == {run.run_id for run in at_work}
        for run in at_work:
            run.state = "cancelled" if run.stopped else "failed"

    def teardown(self) -> None:
        """Everything comes to its end, and is one whole story of which the run's row knows."""
        while [run for run in self.runs if run.state in OPEN]:
            self.lose_all()
            self.lease(12)
        for user_id in self.users:
            rows = self.run(self.kernel.store.read(partial(_states, user_id=user_id)))
            assert rows == {run.run_id: run.state for run in self.runs if run.user_id == user_id}
            for run in self.of(user_id, "completed", "failed", "cancelled"):
                told = Told(self.run(self.kernel.story(user_id, run.run_id)))
                assert told.ending.type == f"agent_{run.state}"
                assert [event.final for event in told.events].count(True) == 1
                if run.leased is not None and told.kinds.count("agent_thinking") < 2:  # the steps are not counted here
                    check(told)
                self.world.met[run.state] += 1


def _states(tx: Any, user_id: str) -> dict[str, str]:
    return dict(tx.sql("SELECT id, state FROM runs WHERE user_id = ?", (user_id,)).fetchall())


ROUNDS = 5  # one may go by without one of the rare cases


def test_only_legal_steps_happen(world: World) -> None:
    """Sending, leasing, telling, cancelling, ending, losing, by the right worker and by one that has lost its run, in any order."""
    rare, met = {"Fenced", "Stopped", "completed", "failed", "cancelled"}, world.met
    for _ in range(ROUNDS):
        run_machine(partial(Lives, world), examples=20, steps=40)
        if rare <= met.keys():
            return
    pytest.fail(f"proved little: {met}")
