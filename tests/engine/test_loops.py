"""Agents that hold their loop: they end, they are named, and their neighbours hardly notice."""

import asyncio
import logging
import threading
import time
from pathlib import Path

import pytest

from engine.stage import Stage
from quintet import Turn, agent, tool
from quintet.engine.loops import AgentLoop

pytestmark = pytest.mark.l2


@tool
async def nap(seconds: float) -> None:
    """Sleep as one should."""
    await asyncio.sleep(seconds)


@tool
async def hold(seconds: float) -> None:
    """Sleep as one should not."""
    time.sleep(seconds)


@agent
async def blocker(turn: Turn) -> None:
    """Block in C; told to be stubborn, speak all the same."""
    await turn.think("Blocking")
    try:
        time.sleep(2.0)
    except BaseException:
        if turn.text != "stubborn":
            raise
    came_back.append(turn.text)
    try:
        await turn.use(nap, 0)
    finally:
        await turn.say("Back again")


@agent
async def looper(turn: Turn) -> None:
    """Never give the loop back."""
    await turn.think("Looping")
    while True:
        pass


@agent
async def clinging(turn: Turn) -> None:
    """Keep whatever is thrown at it, for a time."""
    await turn.think("Clinging")
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        try:
            while time.monotonic() < until:
                pass
        except BaseException:
            continue


@agent
async def below(turn: Turn) -> None:
    """Spin in a task of its own, and in a tool of a child."""
    await asyncio.gather(turn.ask(looper), turn.ask(neighbour))


@agent
async def holder(turn: Turn) -> None:
    """Block in a tool."""
    await turn.use(hold, 2.0)


@agent
async def neighbour(turn: Turn) -> None:
    """Work in small steps for a second and a half."""
    for number in range(15):
        await turn.use(nap, 0.1)
        await turn.say(f"{number} ")


@agent
async def quick(turn: Turn) -> None:
    """Answer at once."""
    await turn.use(nap, 0)
    await turn.say("quick")


@agent
async def exiting(turn: Turn) -> None:
    """Leave a task behind that tries to end the process."""

    async def leave() -> None:
        raise SystemExit(3)

    tasks.append(asyncio.create_task(leave()))
    await asyncio.sleep(0.05)
    await turn.say("still here")


came_back: list[str] = []
tasks: list[asyncio.Task[None]] = []
AGENTS = (blocker, looper, clinging, below, holder, neighbour, quick, exiting)


@pytest.mark.parametrize("name", ["blocker", "looper", "clinging", "below", "holder"])
async def test_an_agent_that_holds_its_loop_delays_nobody(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is ended as `agent_error` soon after the limit, the log names it and the line; others' runs go on all the time."""
    async with Stage(tmp_path, AGENTS) as stage:
        user_id, other = await stage.user(), await stage.user()
        began = time.monotonic()
        run_id = await stage.send(user_id, name)
        long = await stage.send(other, "neighbour")
        slowest = 0.0
        while not (told := await stage.told(user_id, run_id)).ending.final:
            assert time.monotonic() - began < 5
            begun = time.monotonic()
            assert (await stage.run("quick")).code == "agent_completed"
            slowest = max(slowest, time.monotonic() - begun)
        assert slowest < 1.0
        assert 0.35 < time.monotonic() - began < 2.5
        told = await stage.end(user_id, run_id)
        assert (told.ending.type, told.code) == ("agent_failed", "agent_error")
        assert (await stage.end(other, long)).code == "agent_completed"
        noted = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
        assert any(name in line and "test_loops.py" in line for line in noted)
        assert stage.worker.counters.held == 1


async def test_an_interrupted_agent_leaves_its_neighbours_working(tmp_path: Path) -> None:
    """An agent that spins shares its only loop with others: it alone ends, they go on where they were."""
    async with Stage(tmp_path, AGENTS, loops=1) as stage:
        users = [await stage.user() for _ in range(4)]
        runs = [await stage.send(user_id, "neighbour") for user_id in users]
        for user_id, run_id in zip(users, runs, strict=True):
            await stage.until(user_id, run_id, lambda told: told.of("text_delta"))
        assert (await stage.run("looper")).code == "agent_error"
        for user_id, run_id in zip(users, runs, strict=True):
            told = await stage.end(user_id, run_id)
            assert told.code == "agent_completed"
            assert told.text() == "".join(f"{number} " for number in range(15))
        assert stage.worker.counters.rescued == 1


@pytest.mark.parametrize("text", ["docile", "stubborn"])
async def test_a_loop_that_does_not_come_back_is_given_up(tmp_path: Path, text: str) -> None:
    """An agent that waits in C takes along who shares its loop: they end as `worker_lost`, retryable. New runs go elsewhere, and what
    comes back finds nothing to write to."""
    came_back.clear()
    async with Stage(tmp_path, AGENTS, loops=1) as stage:
        user_id, other = await stage.user(), await stage.user()
        shared = await stage.send(other, "neighbour")
        await stage.until(other, shared, lambda told: told.of("text_delta"))
        run_id = await stage.send(user_id, "blocker", text)
        await stage.until(user_id, run_id, lambda told: told.of("agent_thinking"))
        told = await stage.end(other, shared)
        assert told.ending.data["error"]["code"] == "worker_lost"
        assert told.ending.data["error"]["retryable"] is True
        assert (await stage.end(user_id, run_id)).code == "agent_error"
        assert (await stage.run("quick")).code == "agent_completed"
        events = len((await stage.told(user_id, run_id)).events)
        async with asyncio.timeout(5):
            while sum("quintet-agents" in thread.name for thread in threading.enumerate()) > 1:
                await asyncio.sleep(0.05)
        assert came_back == (["stubborn"] if text == "stubborn" else [])
        assert len((await stage.told(user_id, run_id)).events) == events
        assert stage.worker.counters.held == 1
        assert stage.worker.counters.rescued == 0


async def test_a_task_that_exits_ends_nothing(tmp_path: Path) -> None:
    """SystemExit in a task that an agent has started is no end of the loop, nor of the run."""
    async with Stage(tmp_path, AGENTS, loops=1) as stage:
        assert (await stage.run("exiting")).text() == "still here"
        assert (await stage.run("quick")).text() == "quick"


async def test_runs_have_loops_of_their_own_while_there_are_some(tmp_path: Path) -> None:
    """As many loops as runs up to the limit; then they share; idle ones are used again."""
    async with Stage(tmp_path, AGENTS, loops=3) as stage:
        users = [await stage.user() for _ in range(6)]
        runs = [await stage.send(user_id, "neighbour") for user_id in users]
        for user_id, run_id in zip(users, runs, strict=True):
            await stage.end(user_id, run_id)
        for _ in range(5):
            await stage.run("quick")
        assert sum("quintet-agents" in thread.name for thread in threading.enumerate()) == 3


async def test_no_more_loops_than_the_cap(tmp_path: Path) -> None:
    """When all loops are held and no other may be made, what is accepted waits in the database and runs later."""
    async with Stage(tmp_path, AGENTS, loops=1, loops_cap=1) as stage:
        user_id = await stage.user()
        run_id = await stage.send(user_id, "blocker")
        await stage.until(user_id, run_id, lambda told: told.of("agent_thinking"))
        await asyncio.sleep(0.2)
        assert (await stage.run("quick")).code == "agent_completed"
        assert (await stage.end(user_id, run_id)).code == "agent_error"


async def test_a_run_gets_a_loop_that_nothing_abandoned_lives_on(tmp_path: Path) -> None:
    """One run after another shares a loop; where an agent was left alone, nobody comes any more."""
    homes: list[asyncio.AbstractEventLoop] = []
    let_go = threading.Event()

    @agent
    async def at_home(turn: Turn) -> str:
        homes.append(asyncio.get_running_loop())
        return "here"

    @agent
    async def deaf(turn: Turn) -> None:
        homes.append(asyncio.get_running_loop())
        await turn.think("I hear nothing")
        while not let_go.is_set():
            try:
                await asyncio.sleep(0.02)
            except asyncio.CancelledError:
                continue

    async with Stage(tmp_path, (at_home, deaf), grace=0.1, lag=5.0, held=5.0) as stage:
        for _ in range(3):
            assert (await stage.run("at_home")).code == "agent_completed"
        assert len(set(homes)) == 1, "a loop of its own for each run"
        user_id = await stage.user()
        run_id = await stage.send(user_id, "deaf")
        await stage.until(user_id, run_id, lambda told: told.of("agent_thinking"))
        await stage.cancel(user_id, run_id)
        assert (await stage.end(user_id, run_id)).code == "user"
        assert homes[-1] is homes[0]
        assert (await stage.run("at_home")).code == "agent_completed"
        let_go.set()
    assert homes[-1] is not homes[0]


async def test_what_is_told_twice_to_end_cleans_up_once() -> None:
    """Whoever is on a loop that ends has its time to clean up; that the worker ends meanwhile does not break it off."""
    home = AgentLoop(1, time.monotonic)
    entered, cleaned = threading.Event(), threading.Event()

    async def tidy() -> None:
        entered.set()
        try:
            await asyncio.sleep(60)
        finally:
            home.stop()
            await asyncio.sleep(0.05)
            cleaned.set()

    kept: list[asyncio.Task[None]] = []
    home.post(lambda: kept.append(home.loop.create_task(tidy())))
    assert await asyncio.to_thread(entered.wait, 5)
    home.stop()
    await asyncio.to_thread(home.join, 5)
    assert (home.alive, cleaned.is_set()) == (False, True)
