"""What a run leaves behind: nothing that holds memory, no loop that is shared with an agent nobody could end, no waiting at the end."""

import asyncio
import threading
import time
from pathlib import Path

import pytest

from engine.stage import Stage
from quintet import Turn, agent
from quintet.engine import SyncTurn

pytestmark = pytest.mark.l2


@agent
async def placed(turn: Turn) -> int:
    """Say on which thread it ran."""
    return threading.get_ident()


async def test_runs_that_have_ended_are_held_by_nobody(tmp_path: Path) -> None:
    """One after the other they use the same loop, and neither it nor the worker holds any of them afterwards."""
    async with Stage(tmp_path, [placed]) as stage:
        where = {(await stage.run("placed")).ending.data["result"] for _ in range(12)}
        loops = stage.worker._watch.loops
        async with asyncio.timeout(5):
            while stage.worker.running or any(home.stories for home in loops.all):
                await asyncio.sleep(0.005)
        assert len(where) == len(loops.all) == 1


async def test_a_loop_with_an_agent_that_would_not_end_gets_no_other_run(tmp_path: Path) -> None:
    """An agent swallows every cancel and is left alone: whoever runs next runs elsewhere, and its loop ends when it lets go."""
    over = threading.Event()
    begun: list[int] = []

    @agent(timeout=0.1)
    async def stubborn(turn: Turn) -> None:
        begun.append(threading.get_ident())
        while not over.is_set():
            try:
                await asyncio.sleep(0.02)
            except asyncio.CancelledError:
                continue

    async with Stage(tmp_path, [stubborn, placed], grace=0.2) as stage:
        try:
            assert (await stage.run("stubborn")).code == "timeout"
            elsewhere = {(await stage.run("placed")).ending.data["result"] for _ in range(3)}
            assert begun[0] not in elsewhere
        finally:
            over.set()
        async with asyncio.timeout(10):
            while any(thread.ident == begun[0] for thread in threading.enumerate()):
                await asyncio.sleep(0.01)


def lasting(seconds: float, begun: list[float]) -> object:
    """An agent that works for so long."""

    @agent(name="lasting")
    async def work(turn: Turn) -> str:
        begun.append(time.monotonic())
        await asyncio.sleep(seconds)
        return "done"

    return work


@pytest.mark.parametrize(("seconds", "limit", "code"), [(0.4, 60.0, "agent_completed"), (60.0, 0.3, "shutdown")])
async def test_a_drain_lasts_as_long_as_it_must(tmp_path: Path, seconds: float, limit: float, code: str) -> None:
    """Nothing is said about its time: it ends with the last run, long before its limit; at the limit it ends what still runs."""
    begun: list[float] = []
    async with Stage(tmp_path, [lasting(seconds, begun)], drain=limit) as stage:  # type: ignore[list-item]
        user_id = await stage.user()
        run_id = await stage.send(user_id, "lasting")
        async with asyncio.timeout(10):
            while not begun:
                await asyncio.sleep(0.005)
        started = time.monotonic()
        async with asyncio.timeout(20):
            await stage.drain()
        assert time.monotonic() - started < 10
        assert (await stage.told(user_id, run_id)).code == code


async def test_a_plain_agent_cannot_swallow_its_end_by_accident(tmp_path: Path) -> None:
    """A plain function is stopped while it waits in a verb: what it sees is `asyncio.CancelledError`, past every `except Exception`."""
    begun: list[float] = []
    seen: list[str] = []

    @agent
    async def slow(turn: Turn) -> str:
        begun.append(time.monotonic())
        await asyncio.sleep(30)
        return "slow"

    @agent
    def robust(turn: SyncTurn) -> None:
        try:
            turn.ask(slow)
        except Exception as error:
            seen.append(f"swallowed {error!r}")
        except BaseException as error:
            seen.append(type(error).__module__.split(".")[0])
            raise

    async with Stage(tmp_path, [slow, robust]) as stage:
        user_id = await stage.user()
        run_id = await stage.send(user_id, "robust")
        async with asyncio.timeout(10):
            while not begun:
                await asyncio.sleep(0.005)
        await stage.cancel(user_id, run_id)
        assert (await stage.end(user_id, run_id)).code == "user"
        async with asyncio.timeout(5):
            while not seen:
                await asyncio.sleep(0.005)
        assert seen == ["asyncio"]


async def test_asking_agents_counts_like_telling(tmp_path: Path) -> None:
    """An agent that asks silent ones without an end tells two events with each: it ends as `output_limit`, like one that talks."""

    @agent
    async def silent(turn: Turn) -> int:
        return 1

    @agent
    async def curious(turn: Turn) -> int:
        return sum([await turn.ask(silent) for _ in range(400)])

    async with Stage(tmp_path, [silent, curious], events=60) as stage:
        told = await stage.run("curious")
    assert told.code == "output_limit"
    assert len(told.events) <= 62


@pytest.mark.parametrize(("letters", "carried"), [(32 * 1024, True), (32 * 1024 + 1, False)])
async def test_the_ending_of_a_child_carries_32_kib_of_its_answer(tmp_path: Path, letters: int, carried: bool) -> None:
    """As the root's: up to 32 KiB its text is in the ending too; beyond that it says `truncated`, and the parent has it whole."""

    @agent
    async def verbose(turn: Turn) -> object:
        await turn.say("x" * letters)
        return None

    @agent
    async def counting(turn: Turn) -> None:
        await turn.say(f"{await turn.ask(verbose)}")

    async with Stage(tmp_path, [verbose, counting]) as stage:
        told = await stage.run("counting")
    ending = told.of("agent_completed", "verbose")[0]
    assert (len(ending.get("text", "")), ending.get("truncated", False)) == (letters if carried else 0, not carried)
    assert len(told.text("verbose")) == letters
