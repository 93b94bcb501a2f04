"""Stop stops: by the user, by time, by a shutdown, at any moment, whatever the agent does about it."""

import asyncio
import random
import time
from pathlib import Path

import pytest

from engine.stage import Stage
from quintet import Turn, agent, tool
from quintet.engine import SyncTurn

pytestmark = pytest.mark.l2


@tool
async def wait(mark: str, seconds: float = 30) -> str:
    """Take long."""
    begun.append(mark)
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        cancelled.append(mark)
        raise
    return mark


begun: list[str] = []
cancelled: list[str] = []


@agent
async def tooled(turn: Turn) -> None:
    """Use a slow tool, then another."""
    await turn.think("Using a slow tool")
    await turn.use(wait, turn.text)
    await turn.use(wait, f"after {turn.text}")
    await turn.say("Done")


@agent
async def inner(turn: Turn) -> None:
    """Two slow tools at once."""
    await asyncio.gather(turn.use(wait, f"{turn.text}-a"), turn.use(wait, f"{turn.text}-b"))


@agent
async def outer(turn: Turn) -> None:
    """Ask one that takes long."""
    await turn.say("I was ")
    await turn.ask(inner, turn.text)


@agent
async def deaf(turn: Turn) -> None:
    """Swallow every cancel, for a while, and go on speaking."""
    until = time.monotonic() + 1.2
    await turn.say("begun")
    while time.monotonic() < until:
        try:
            await asyncio.sleep(0.05)
            await turn.say("still here")
        except asyncio.CancelledError:
            pass


@agent
async def tidy(turn: Turn) -> None:
    """Clean up after a cancel, and try to answer all the same."""
    try:
        await turn.use(wait, "tidy")
    except asyncio.CancelledError:
        await asyncio.sleep(0.05)
        cancelled.append("tidied up")
        try:
            await turn.say("one last word")
        except asyncio.CancelledError:
            cancelled.append("unheard")


@agent
def threaded(turn: SyncTurn) -> None:
    """A plain function in the middle of a tool."""
    try:
        turn.use(wait, turn.text)
    except asyncio.CancelledError:
        cancelled.append(f"thread {turn.text}")
        raise


@agent(timeout=0.15)
async def sleeper(turn: Turn) -> None:
    """Half a second of work under a limit of 0.15 s."""
    await turn.think("This takes half a second")
    await asyncio.sleep(0.5)
    cancelled.append("overslept")
    await turn.say("Never heard")


@agent(timeout=0.15)
def sync_sleeper(turn: SyncTurn) -> None:
    """The same in a thread."""
    time.sleep(0.4)
    turn.say("Never heard")


@agent
async def busy(turn: Turn) -> None:
    """Many short steps, so that a cancel meets each of them."""
    for number in range(40):
        await turn.think(f"step {number}")
        await turn.use(wait, f"busy {number}", 0.002)
        await turn.say(f"{number} ")
        if number % 5 == 4:
            await turn.ask(short, number)


@agent
async def short(turn: Turn) -> str:
    """A nested step."""
    await turn.use(wait, f"short {turn.input}", 0.002)
    return "short"


AGENTS = (tooled, outer, deaf, tidy, threaded, sleeper, sync_sleeper, busy)


@pytest.mark.parametrize(("name", "calls"), [("tooled", 1), ("outer", 2), ("threaded", 1)])
async def test_a_cancel_stops_tools_and_nested_agents(tmp_path: Path, name: str, calls: int) -> None:
    """A cancel in a tool: it is cancelled, no other starts, nested agents end inside out, one `agent_cancelled` `user`."""
    async with Stage(tmp_path, AGENTS) as stage:
        user_id = await stage.user()
        run_id = await stage.send(user_id, name, f"{name}-mark")
        await stage.until(user_id, run_id, lambda told: len(told.of("tool_executing")) == calls)
        asked = time.monotonic()
        assert await stage.cancel(user_id, run_id) == "running"
        told = await stage.end(user_id, run_id)
        assert time.monotonic() - asked < 1
        assert (told.ending.type, told.code) == ("agent_cancelled", "user")
        assert [done["status"] for done in told.of("tool_completed")] == ["cancelled"] * calls
        assert sum(name in mark for mark in cancelled) >= calls
        assert not any("after" in mark for mark in begun)
        assert {ended["reason"] for ended in told.of("agent_cancelled")} == {"user"}


async def test_an_agent_that_ignores_its_cancel_is_abandoned(tmp_path: Path) -> None:
    """After the grace the run is closed over its head; what it says then is refused and counted, and harms nobody."""
    async with Stage(tmp_path, AGENTS) as stage:
        user_id = await stage.user()
        run_id = await stage.send(user_id, "deaf")
        await stage.until(user_id, run_id, lambda told: told.of("text_delta"))
        asked = time.monotonic()
        await stage.cancel(user_id, run_id)
        told = await stage.end(user_id, run_id)
        assert 0.25 < time.monotonic() - asked < 1.1
        assert told.code == "user"
        assert (await stage.run("busy")).code == "agent_completed"
        async with asyncio.timeout(5):
            while stage.worker.counters.refused < 2:
                await asyncio.sleep(0.02)
        assert stage.worker.counters.abandoned == 1
        assert len((await stage.told(user_id, run_id)).events) == len(told.events)


async def test_an_agent_may_clean_up_but_not_answer(tmp_path: Path) -> None:
    """Within the grace an agent may finish its own business; its verbs are refused, and the run is cancelled all the same."""
    async with Stage(tmp_path, AGENTS) as stage:
        user_id = await stage.user()
        run_id = await stage.send(user_id, "tidy")
        await stage.until(user_id, run_id, lambda told: told.of("tool_executing"))
        await stage.cancel(user_id, run_id)
        told = await stage.end(user_id, run_id)
        assert told.code == "user"
        assert "tidied up" in cancelled
        assert "unheard" in cancelled


@pytest.mark.parametrize("name", ["sleeper", "sync_sleeper"])
async def test_a_run_past_its_time_is_cancelled_and_says_so(tmp_path: Path, name: str) -> None:
    """Half a second of work under a limit: `agent_cancelled` `timeout`, on time, and the work has stopped."""
    async with Stage(tmp_path, AGENTS) as stage:
        told = await stage.run(name)
        assert (told.ending.type, told.code) == ("agent_cancelled", "timeout")
        assert 140 <= told.ending.data["duration_ms"] < 450
        await asyncio.sleep(0.5)
        assert "overslept" not in cancelled


async def test_no_run_is_longer_than_the_limit_of_runs(tmp_path: Path) -> None:
    """An agent without a limit of its own has that of the worker."""
    async with Stage(tmp_path, AGENTS, run=0.2) as stage:
        assert (await stage.run("tooled")).code == "timeout"


async def test_a_cancel_at_any_moment_has_one_ending(tmp_path: Path) -> None:
    """At 20 random moments of a busy run: one ending, every call and child closed, no tool starts after the cancel's commit."""
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    codes = []
    async with Stage(tmp_path, AGENTS) as stage:
        for _ in range(20):
            user_id = await stage.user()
            run_id = await stage.send(user_id, "busy")
            await asyncio.sleep(chance.uniform(0, 0.35))
            state = await stage.cancel(user_id, run_id)
            head = (await stage.log.head(user_id))[0]
            told = await stage.end(user_id, run_id)
            codes.append(told.code)
            assert state != "running" or told.code == "user", f"seed {seed}"
            assert not [e for e in told.events if e.seq > head and e.type == "tool_executing"], f"seed {seed}"
    assert "user" in codes, f"seed {seed}"


async def test_a_queued_run_is_cancelled_at_once(tmp_path: Path) -> None:
    """A run that nobody has leased has two events, and never starts."""
    async with Stage(tmp_path, AGENTS, runs=1) as stage:
        first, second = await stage.user(), await stage.user()
        running = await stage.send(first, "tooled", "first")
        await stage.until(first, running, lambda told: told.of("tool_executing"))
        waiting = await stage.send(second, "tooled", "never started")
        assert await stage.cancel(second, waiting) == "cancelled"
        assert (await stage.told(second, waiting)).kinds == ["message_accepted", "agent_cancelled"]
        await stage.cancel(first, running)
        await stage.end(first, running)
        assert "never started" not in begun


async def test_a_shutdown_waits_and_then_says_so(tmp_path: Path) -> None:
    """A draining worker leases nothing more, lets finish what can, and ends the rest as `shutdown`."""
    async with Stage(tmp_path, AGENTS, drain=3) as stage:
        first, second, third = [await stage.user() for _ in range(3)]
        quick = await stage.send(first, "busy")
        long = await stage.send(second, "tooled", "shut down")
        await stage.until(second, long, lambda told: told.of("tool_executing"))
        drained = asyncio.create_task(stage.drain(3))
        await asyncio.sleep(0.05)
        late = await stage.send(third, "busy")
        await drained
        assert (await stage.end(first, quick)).code == "agent_completed"
        told = await stage.end(second, long)
        assert (told.ending.type, told.code) == ("agent_cancelled", "shutdown")
        assert (await stage.told(third, late)).kinds == ["message_accepted"]
        assert (
            await stage.rows("SELECT id FROM workers") == []
        )  # its agents are known for a minute: it may be restarting
