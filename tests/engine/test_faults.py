"""The store refuses, is slow, or has given the run to somebody else: agents wait in bounded memory, and runs end clearly."""

import asyncio
import sqlite3
import time
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from engine.stage import SHORT, Stage, fill, full
from quintet import Turn, agent, tool
from quintet.engine import AgentSpec, Limits, worker
from quintet.engine.history import histories
from quintet.errors import QuintetError
from quintet.runs import close, lose_all, moment
from quintet.store import Tx

pytestmark = pytest.mark.l2


class Gate:
    """Where an agent of a test waits until the test lets it go on."""

    def __init__(self) -> None:
        self.reached = 0
        self.open = False
        self.told = 0

    async def wait(self) -> None:
        """Wait for the test."""
        self.reached += 1
        while not self.open:
            await asyncio.sleep(0.01)

    async def until(self, reached: int = 1) -> None:
        """Wait for the agent."""
        async with asyncio.timeout(5):
            while self.reached < reached:
                await asyncio.sleep(0.01)


@tool
async def touch() -> None:
    """Do something that can be seen."""
    touched.append(time.monotonic())


touched: list[float] = []


def talker(gate: Gate, count: int = 2000, timeout: float | None = None) -> AgentSpec[None]:
    """An agent that says much once it is let go."""

    @agent(name="talker", timeout=timeout)
    async def talk(turn: Turn) -> None:
        await turn.think("begun")
        await gate.wait()
        for number in range(count):
            await turn.say(f"{number} ")
            gate.told += 1
        await turn.use(touch)

    return talk


@pytest.mark.parametrize(("refusals", "ending"), [(2, "agent_completed"), (99, "unavailable")])
async def test_what_was_said_before_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusals: int, ending: str
) -> None:
    """A database that refuses a read for a moment ends no run that is leased already; one that refuses for longer does, and says so."""
    left = refusals

    def refusing(*args: Any) -> Any:
        nonlocal left
        left -= 1
        if left >= 0:
            raise QuintetError("unavailable")
        return histories(*args)

    monkeypatch.setattr(worker, "histories", refusing)
    gate = Gate()
    gate.open = True
    async with Stage(tmp_path, [talker(gate, count=2)]) as stage:
        assert (await stage.run("talker")).code == ending


async def test_a_full_disk_is_waited_for(tmp_path: Path) -> None:
    """While nothing can be stored an agent waits with a bounded number of events; with room again nothing is lost."""
    gate = Gate()
    async with Stage(tmp_path, [talker(gate)]) as stage:
        user_id = await stage.user()
        run_id = await stage.send(user_id, "talker")
        await gate.until()
        await stage.store.write("", partial(full, spare=8))
        gate.open = True
        touched.clear()
        previous = -1
        async with asyncio.timeout(10):
            while gate.told != previous or gate.told == 0:
                previous = gate.told
                await asyncio.sleep(0.4)
        stored = len((await stage.told(user_id, run_id)).of("text_delta"))
        assert 0 < gate.told - stored <= SHORT.outbox + 1
        assert not touched, "a tool whose start is not stored does not start"
        await stage.store.write("", partial(full, spare=100_000))
        told = await stage.end(user_id, run_id)
        assert told.code == "agent_completed"
        assert told.text() == "".join(f"{number} " for number in range(2000))
        assert len(touched) == 1


async def test_what_cannot_be_stored_fails_at_its_time(tmp_path: Path) -> None:
    """A run whose time passes while the store refuses is ended, and says why as soon as it can be said."""
    gate = Gate()
    async with Stage(tmp_path, [talker(gate, timeout=1.0)], late_ending=10) as stage:
        user_id = await stage.user()
        run_id = await stage.send(user_id, "talker")
        await gate.until()
        await stage.store.write("", partial(full, spare=4))
        gate.open = True
        await asyncio.sleep(1.2)
        await stage.store.write("", partial(full, spare=100_000))
        assert (await stage.end(user_id, run_id)).code == "unavailable"
        gate.open = True
        assert (await stage.run("talker")).code == "agent_completed"


async def test_an_ending_that_is_refused_for_long_comes_in_the_end(tmp_path: Path) -> None:
    """It is counted, its run keeps its place, and it is written as soon as there is room."""
    gate = Gate()
    async with Stage(tmp_path, [talker(gate, timeout=1)], late_ending=0.5) as stage:
        user_id = await stage.user()
        run_id = await stage.send(user_id, "talker")
        await gate.until()
        await fill(stage)
        gate.open = True
        async with asyncio.timeout(5):
            while not stage.worker.counters.unclosed:
                await asyncio.sleep(0.02)
        assert not (await stage.told(user_id, run_id)).ending.final
        assert stage.worker.running == 1
        await stage.store.write("", partial(full, spare=100_000))
        assert (await stage.end(user_id, run_id)).code == "unavailable"
        assert stage.worker.counters.abandoned == 0


async def test_a_refused_ending_is_tried_again_soon_and_then_less_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that says no three times: asked again after a tenth of a second, then after twice as long each time, and then it is written."""
    asked: list[float] = []
    async with Stage(tmp_path, [talker(gate := Gate(), count=1)]) as stage:
        submit = stage.store.submit

        def refusing(key: str, fn: Any) -> Any:
            if getattr(fn, "func", None) is not close:
                return submit(key, fn)
            asked.append(time.monotonic())
            if len(asked) <= 3:
                raise QuintetError("unavailable")
            return submit(key, fn)

        monkeypatch.setattr(stage.store, "submit", refusing)
        gate.open = True
        assert (await stage.run("talker")).code == "agent_completed"
    pauses = [later - earlier for earlier, later in pairwise(asked)]
    assert all(pause >= least for pause, least in zip(pauses, (0.1, 0.2, 0.4), strict=True)), pauses
    assert pauses[0] < 1.5, f"the first try waited as if it were the last: {pauses}"


async def test_a_worker_does_not_wait_for_ever_for_an_ending(tmp_path: Path) -> None:
    """It stops though the store refuses the ending; the next start ends the run."""
    gate = Gate()
    async with Stage(tmp_path, [talker(gate)], late_ending=0.3) as stage:
        user_id = await stage.user()
        run_id = await stage.send(user_id, "talker")
        await gate.until()
        await fill(stage)
        began = time.monotonic()
        await stage.drain(0.1)
        assert time.monotonic() - began < 4
        await stage.store.write("", partial(full, spare=100_000))
        await stage.store.write("", partial(lose_all, moment=moment(stage.sources)))
        assert (await stage.end(user_id, run_id)).code == "worker_lost"


async def test_a_slow_store_delays_and_loses_nothing(tmp_path: Path) -> None:
    """Somebody holds the database for a second: the run waits and is whole."""
    gate = Gate()
    async with Stage(tmp_path, [talker(gate, 300)]) as stage:
        user_id = await stage.user()
        run_id = await stage.send(user_id, "talker")
        await gate.until()
        holding = sqlite3.connect(tmp_path / "quintet.db", isolation_level=None)
        holding.execute("BEGIN IMMEDIATE")
        gate.open = True
        await asyncio.sleep(1)
        assert not (await stage.told(user_id, run_id)).of("text_delta")
        holding.execute("ROLLBACK")
        holding.close()
        assert (await stage.end(user_id, run_id)).code == "agent_completed"


def _taken_away(tx: Tx) -> int:
    """Another attempt has every run; how many events there are at that moment."""
    tx.sql("UPDATE runs SET attempt = attempt + 1")
    return int(tx.sql("SELECT count(*) FROM events").fetchone()[0])


async def test_a_run_that_is_no_longer_ours_is_dropped(tmp_path: Path) -> None:
    """Another attempt has the run: nothing of ours is stored after it, the agent is ended, the fence is counted, nobody is told."""
    gate = Gate()
    async with Stage(tmp_path, [talker(gate)]) as stage:
        user_id = await stage.user()
        run_id = await stage.send(user_id, "talker")
        await gate.until()
        events = await stage.store.write(user_id, _taken_away)  # counted as it happens: some may have been on their way
        gate.open = True
        async with asyncio.timeout(5):
            while stage.worker.running:
                await asyncio.sleep(0.01)
        assert stage.worker.counters.fenced == 1
        assert len((await stage.told(user_id, run_id)).events) == events
        assert gate.told < 2000
        assert (await stage.run("talker")).code == "agent_completed"


async def test_an_ending_of_a_run_that_is_no_longer_ours_is_dropped(tmp_path: Path) -> None:
    """The fence stands before the ending too."""
    gate = Gate()
    async with Stage(tmp_path, [talker(gate, 0)]) as stage:
        user_id = await stage.user()
        run_id = await stage.send(user_id, "talker")
        await gate.until()
        await stage.store.write("", partial(lose_all, moment=moment(stage.sources)))
        gate.open = True
        told = await stage.end(user_id, run_id)
        assert told.code == "worker_lost"
        async with asyncio.timeout(5):
            while stage.worker.running:
                await asyncio.sleep(0.01)
        assert stage.worker.counters.fenced >= 1
        assert len((await stage.told(user_id, run_id)).events) == len(told.events)


async def test_lost_wake_ups_are_covered_by_looking(tmp_path: Path) -> None:
    """A worker that is not woken looks every now and then, for runs and for cancels."""
    gate = Gate()
    async with Stage(tmp_path, [talker(gate)]) as stage:
        user_id = await stage.user()
        stage.store.wakes.wake = lambda topics: None  # type: ignore[method-assign]  # every wake-up is lost
        run_id = await stage.send(user_id, "talker")
        await stage.until(user_id, run_id, lambda told: told.of("agent_thinking"))
        await stage.cancel(user_id, run_id)
        assert (await stage.end(user_id, run_id)).code == "user"


async def test_an_unknown_agent_fails_its_run(tmp_path: Path) -> None:
    """A run for an agent that no worker has is ended, not left: after a minute, in which one that has it may come back."""
    async with Stage(tmp_path, [], Limits()) as stage:
        user_id = await stage.user()
        run_id = await stage.send(user_id, "nobody")
        await stage.store.write(user_id, lambda tx: tx.sql("UPDATE runs SET created_at = created_at - 61000"))
        assert (await stage.end(user_id, run_id)).code == "agent_error"
