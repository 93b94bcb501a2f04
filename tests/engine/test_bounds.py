"""A bound on everything: places, threads, what waits to be stored."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from engine.stage import Stage
from quintet import ToolError, Turn, agent, tool
from quintet.engine.bounded import bounded
from quintet.engine.counters import Counters
from quintet.engine.threads import Outcome, Threads


@tool
def nap(seconds: float) -> str:
    """Sleep in a thread."""
    time.sleep(seconds)
    return "slept"


@agent
async def napping(turn: Turn) -> Any:
    """Use two threads at once."""

    async def once() -> str:
        try:
            return await turn.use(nap, 0.3)
        except ToolError as error:
            return error.code

    return await asyncio.gather(once(), once())


@agent
async def worker(turn: Turn) -> int:
    """Be one of many."""
    present.append(turn.run_id)
    crowd = len(present)
    await asyncio.sleep(0.05)
    present.remove(turn.run_id)
    return crowd


@agent
async def reader(turn: Turn) -> str:
    """Ask with what is no text."""
    return await turn.ask(taker, {"api_key": "mine", "n": 1})


@agent
async def taker(turn: Turn) -> str:
    """Return what was asked, as text, in pieces that nobody sees."""
    await turn.say("quiet")
    return turn.text


@agent
async def large(turn: Turn) -> None:
    """Say much at once, in pieces of eight thousand."""
    await turn.say("ü" * 400_000)


present: list[str] = []


@pytest.mark.l2
async def test_threads_are_bounded(tmp_path: Path) -> None:
    """One plain function more than there may be threads fails as a tool, at once; the other is not disturbed."""
    async with Stage(tmp_path, (napping,), threads=1) as stage:
        told = await stage.run("napping")
        assert sorted(told.ending.data["result"]) == ["slept", "tool_error"]
        assert (await stage.run("napping")).code == "agent_completed"


@pytest.mark.l2
async def test_runs_at_once_are_bounded(tmp_path: Path) -> None:
    """No more runs than places; the others wait in the database and all get their turn."""
    async with Stage(tmp_path, (worker,), runs=3) as stage:
        users = [await stage.user() for _ in range(12)]
        runs = [await stage.send(user_id, "worker") for user_id in users]
        crowds = [
            (await stage.end(user_id, run_id)).ending.data["result"]
            for user_id, run_id in zip(users, runs, strict=True)
        ]
        assert max(crowds) == 3


@pytest.mark.l2
async def test_five_runs_of_a_user_at_once(tmp_path: Path) -> None:
    """Threads of a user run in parallel up to five, whatever the worker could do."""
    async with Stage(tmp_path, (worker,)) as stage:
        user_id = await stage.user()
        runs = [await stage.send(user_id, "worker") for _ in range(15)]
        crowds = [(await stage.end(user_id, run_id)).ending.data["result"] for run_id in runs]
        assert 1 < max(crowds) <= 5


@pytest.mark.l2
async def test_what_waits_to_be_stored_is_bounded_in_bytes(tmp_path: Path) -> None:
    """A long text goes through a small outbox in many appends, whole and in order."""
    async with Stage(tmp_path, (large,), outbox_bytes=20_000, outbox=4, batch=2) as stage:
        told = await stage.run("large")
        assert told.text() == "ü" * 400_000


@pytest.mark.l2
@pytest.mark.parametrize(("events", "code"), [(20, "agent_completed"), (19, "output_limit")])
async def test_a_run_may_tell_exactly_so_many_events(tmp_path: Path, events: int, code: str) -> None:
    """Its acceptance, its start and its ending are among them: a run of twenty is whole under a limit of twenty, not under nineteen."""

    @agent
    async def thinker(turn: Turn) -> str:
        for _ in range(16):
            await turn.think("again")
        return "thought"  # which is said too

    async with Stage(tmp_path, (thinker,), events=events) as stage:
        told = await stage.run("thinker")
    assert (told.code, len(told.events)) == (code, events)


@pytest.mark.l2
async def test_an_agent_gets_its_input_whole(tmp_path: Path) -> None:
    """What an agent is asked is redacted in the event, never in what it gets, also as text."""
    async with Stage(tmp_path, (reader,)) as stage:
        told = await stage.run("reader")
        assert told.text("reader") == '{"api_key":"mine","n":1}'
        assert told.of("agent_started", "taker")[0]["input"] == {"api_key": "[redacted]", "n": 1}


@pytest.mark.l1
async def test_waiting_is_bounded() -> None:
    """Work that ends, work that is late, work that does not listen, a waiter that is cancelled: each is told apart."""

    async def deaf() -> None:
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            try:
                await asyncio.sleep(0.3)
            except asyncio.CancelledError:
                continue

    work = asyncio.ensure_future(asyncio.sleep(0))
    assert (await bounded(work, 1, 1), work.cancelled()) == ("done", False)
    work = asyncio.ensure_future(asyncio.sleep(30))
    assert (await bounded(work, 0.01, 1), work.cancelled()) == ("timeout", True)
    stubborn = asyncio.ensure_future(deaf())
    assert (await bounded(stubborn, 0.01, 0.01), stubborn.done()) == ("timeout", False)
    work = asyncio.ensure_future(asyncio.sleep(30))
    waiter = asyncio.ensure_future(bounded(work, None, 1))
    await asyncio.sleep(0)
    waiter.cancel()
    assert (await waiter, work.cancelled()) == ("cancelled", True)
    await stubborn


@pytest.mark.l1
async def test_a_thread_is_let_go() -> None:
    """A thread nobody waits for any more takes its place until it ends, and its result is counted, not delivered."""
    counters = Counters()
    threads = Threads(1, counters)
    loop, go = asyncio.get_running_loop(), threading.Event()
    future = threads.call(loop, "test", lambda: go.wait(5))
    future.cancel()
    with pytest.raises(RuntimeError):
        threads.call(loop, "test", lambda: None)
    go.set()
    async with asyncio.timeout(5):
        while not counters.dropped:
            await asyncio.sleep(0.01)
    assert await threads.call(loop, "test", lambda: 7) == Outcome(7)
    assert isinstance((await threads.call(loop, "test", lambda: 1 / 0)).error, ZeroDivisionError)
