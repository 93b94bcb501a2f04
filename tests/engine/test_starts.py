"""When a tool starts, and when it does not: never before its start is stored, never after a cancel was committed, never for who is gone."""

import asyncio
import logging
import sqlite3
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine.stage import Stage, fill, full
from quintet import Turn, agent, runs, tool
from quintet.chat.deleting import delete_thread
from quintet.engine import AgentSpec, SyncTurn
from quintet.scope import UserScope
from quintet.store import Tx

pytestmark = pytest.mark.l2


@tool
async def touch(mark: str) -> str:
    """Do something that can be seen."""
    touched.append(mark)
    return mark


touched: list[str] = []


def stored(path: Path) -> int:
    """How many starts of tools are committed, seen by another connection."""
    with closing(sqlite3.connect(path)) as other:
        return int(other.execute("SELECT count(*) FROM events WHERE type = 'tool_executing'").fetchone()[0])


async def test_a_tool_starts_when_its_start_is_stored(tmp_path: Path) -> None:
    """Whatever a tool does first, its `tool_executing` is committed by then: of async tools and plain ones, one after the other and at
    once."""
    path = tmp_path / "quintet.db"

    @tool
    async def count() -> int:
        return stored(path)

    @tool
    def plain() -> int:
        return stored(path)

    @agent
    async def counting(turn: Turn) -> list[int]:
        found = [await turn.use(each) for each in (count, plain) * 3]
        return found + await asyncio.gather(*(turn.use(count) for _ in range(4)))

    async with Stage(tmp_path, [counting]) as stage:
        told = await stage.run("counting")
        results = told.ending.data["result"]
        assert results[:6] == [1, 2, 3, 4, 5, 6]
        assert all(seen >= 7 for seen in results[6:])


def unheard(tx: Tx, user_id: str, run_id: str, now: runs.Moment) -> str:
    """A cancel that is committed and of which nobody is told."""
    state = runs.cancel(tx, user_id, run_id, "user", now)
    tx.topics.clear()
    return state


class Held:
    """Where an agent of either kind waits for the test."""

    def __init__(self) -> None:
        self.reached = self.open = False

    def agents(self) -> list[AgentSpec[Any]]:
        """One that is async, one that is not: each uses a tool when it is let go, and says something beside."""

        @agent
        async def waiting(turn: Turn) -> None:
            await turn.say("before")
            while not self.open:
                self.reached = True
                await asyncio.sleep(0.005)
            await asyncio.gather(turn.use(touch, "late"), turn.say(" beside"))

        @agent
        def plain(turn: SyncTurn) -> None:
            turn.say("before")
            while not self.open:
                self.reached = True
                time.sleep(0.005)
            turn.use(touch, "late")

        return [waiting, plain]


@pytest.mark.parametrize("name", ["waiting", "plain"])
async def test_a_cancel_nobody_heard_of_still_stops_the_next_tool(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The cancel is committed and its wake-up lost: the tool does not start and is not told of, the rest of what was said is, and the run
    ends by itself, at once and not when its grace is over."""
    held = Held()
    touched.clear()
    async with Stage(tmp_path, held.agents(), poll=60, grace=30) as stage:
        user_id = await stage.user()
        run_id = await stage.send(user_id, name)
        async with asyncio.timeout(10):
            while not held.reached:
                await asyncio.sleep(0.01)
        await stage.until(user_id, run_id, lambda told: told.of("text_delta"))
        now = runs.moment(stage.sources)
        state = await stage.store.write(user_id, lambda tx: unheard(tx, user_id, run_id, now))
        assert state == "running"
        with caplog.at_level(logging.WARNING):
            held.open = True
            told = await stage.end(user_id, run_id, within=8)
        assert told.code == "user"
        assert not touched
        assert not {"tool_executing", "tool_completed"} & set(told.kinds)
        assert told.text().startswith("before")


async def test_what_a_child_leaves_running_ends_with_the_child(tmp_path: Path) -> None:
    """A child that returns while its tool still works: the tool is told and made to end then, not when the whole run does."""
    ended: list[float] = []

    @tool
    async def long() -> None:
        started.append(time.monotonic())
        try:
            await asyncio.sleep(30)
        finally:
            ended.append(time.monotonic())

    started: list[float] = []
    left: list[asyncio.Task[None]] = []

    @agent
    async def hasty(turn: Turn) -> str:
        left.append(asyncio.create_task(turn.use(long)))
        while not started:
            await asyncio.sleep(0.005)
        return "I was quick"

    @agent
    async def patient(turn: Turn) -> None:
        await turn.ask(hasty)
        async with asyncio.timeout(5):
            while not ended:
                await asyncio.sleep(0.005)
        await turn.say("and it ended")

    async with Stage(tmp_path, [patient, hasty]) as stage:
        told = await stage.run("patient")
    assert told.text("patient") == "and it ended"
    closed = told.of("tool_completed")
    assert [call["status"] for call in closed] == ["cancelled"]
    assert told.kinds.index("tool_completed") < told.kinds.index("agent_completed")


async def test_an_outage_that_is_over_is_no_excuse(tmp_path: Path) -> None:
    """The store refused for a while and takes everything again; a run that then outlives its time has only itself to blame."""

    @tool
    async def oversleep() -> None:
        touched.append("asleep")
        await asyncio.sleep(30)

    @agent(timeout=2.5)
    async def tired(turn: Turn) -> None:
        begun.append(1)
        while len(begun) < 2:
            await asyncio.sleep(0.005)
        await turn.use(oversleep)

    begun: list[int] = []
    touched.clear()

    async with Stage(tmp_path, [tired]) as stage:
        user_id = await stage.user()
        run_id = await stage.send(user_id, "tired")
        async with asyncio.timeout(5):
            while not begun:
                await asyncio.sleep(0.005)
            await fill(stage)
            begun.append(2)
            while not any(live.story.outbox.failing for live in stage.worker._watch.live.values()):
                await asyncio.sleep(0.005)
            assert not touched, "a tool whose start is not stored does not start"
            await stage.store.write("", partial(full, spare=100_000))
            while not touched:
                await asyncio.sleep(0.005)
        assert (await stage.end(user_id, run_id)).code == "timeout"


async def test_a_deletion_stops_what_runs_in_the_thread(tmp_path: Path) -> None:
    """The thread of a run is deleted: its agent is cancelled as soon as that is committed, long before any poll."""
    cancelled: list[str] = []
    begun: list[str] = []

    @agent
    async def endless(turn: Turn) -> None:
        begun.append(turn.thread_id)
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.append(turn.text)
            raise

    async with Stage(tmp_path, [endless], poll=60) as stage:
        user_id = await stage.user()
        await stage.send(user_id, "endless", "doomed")
        kept = await stage.send(user_id, "endless", "kept")
        async with asyncio.timeout(10):
            while len(begun) < 2:
                await asyncio.sleep(0.005)
            thread_id = (await stage.rows("SELECT thread_id FROM runs WHERE id <> ?", kept))[0][0]
            now = runs.moment(stage.sources)
            await delete_thread(stage.store, UserScope(user_id), thread_id, now, most_running=5)
            while not cancelled:
                await asyncio.sleep(0.005)
        assert cancelled == ["doomed"]
        await stage.cancel(user_id, kept)
