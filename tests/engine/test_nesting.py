"""Agents that ask agents: each has its own events, lives inside its parent, and ends before it."""

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec import UnsetType

from engine.stage import Stage
from quintet import AgentError, Turn, agent, tool
from quintet.engine import SyncTurn

pytestmark = pytest.mark.l2


@tool
async def measure(thing: str) -> int:
    """Count letters."""
    await asyncio.sleep(0)
    return len(thing)


@agent
async def scout(turn: Turn) -> dict[str, Any]:
    """First."""
    await turn.think("Looking", progress=0.5)
    await turn.use(measure, turn.input["topic"])
    await turn.say(f"Scouted {turn.input['topic']}")
    return {"found": turn.input["topic"]}


@agent
def scribe(turn: SyncTurn) -> str:
    """Second, in a thread."""
    return f"Written about {turn.input['found']}"


@agent
async def leader(turn: Turn) -> None:
    """Ask one after the other."""
    await turn.think("Planning")
    found = await turn.ask(scout, {"topic": turn.text})
    await turn.say(await turn.ask(scribe, found))


@agent
async def failing(turn: Turn) -> None:
    """Fail."""
    await turn.think("Failing")
    raise ValueError("canary")


@agent(timeout=0.1)
async def slow(turn: Turn) -> None:
    """Outlive its time."""
    await turn.think("Slow")
    await asyncio.sleep(30)


@agent(timeout=0.1)
async def stubborn(turn: Turn) -> None:
    """Outlive its time and its cancel, then speak."""
    for _ in range(12):
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0.1)
    await turn.say("too late")


@agent(timeout=0.1)
def stuck(turn: SyncTurn) -> None:
    """Outlive its time in a thread, then speak."""
    time.sleep(0.4)
    turn.say("too late")


@agent
async def silent(turn: Turn) -> None:
    """Neither say nor return."""


@agent
async def catcher(turn: Turn) -> None:
    """Survive every failure of a child."""
    codes = []
    for child in (failing, slow, stubborn, stuck, silent):
        try:
            await turn.ask(child, {"password": "canary"})
        except AgentError as error:
            codes.append(f"{child.name}={error.code}")
    await turn.say(" ".join(codes))


@agent
async def uncaught(turn: Turn) -> None:
    """Let a child's failure through."""
    await turn.ask(failing)


@agent
async def deep(turn: Turn) -> int:
    """Ask itself."""
    left = 20 if turn.input == "go" else turn.input
    return 1 + await turn.ask(deep, left - 1) if left else 0


@agent
async def endless(turn: Turn) -> int:
    """Ask itself for ever."""
    return await turn.ask(endless)


@agent
async def crowd(turn: Turn) -> Any:
    """Ask ten at once."""
    return await asyncio.gather(*(turn.ask(scout, {"topic": "t" * number}) for number in range(1, 11)))


@agent
async def inputs(turn: Turn) -> None:
    """Ask with every kind of input."""
    for value in ("t" * 600, {"api_key": "canary", "n": 1}, {"long": ["word"] * 400}, None, [1, 2], object()):
        await turn.ask(taker, value)
    await turn.say("done")


@agent
async def taker(turn: Turn) -> bool:
    """Take any input."""
    assert isinstance(turn.text, str)
    return True


AGENTS = (leader, scout, scribe, catcher, uncaught, deep, endless, crowd, inputs)


async def test_a_plan_is_told_in_its_order(tmp_path: Path) -> None:
    """One agent after the other: no step of one lies in another's, each result is handed on, each has its parent."""
    async with Stage(tmp_path, AGENTS) as stage:
        told = await stage.run("leader", "violins")
        names = [event.agent.name for event in told.events if not isinstance(event.agent, UnsetType)]
        order = list(dict.fromkeys(names))
        assert order == ["leader", "scout", "scribe"]
        assert names.index("scribe") > len(names) - 1 - names[::-1].index("scout")
        assert told.text("leader") == "Written about violins"
        started = told.of("agent_started")
        assert [s["input"] for s in started] == ["violins", {"topic": "violins"}, {"found": "violins"}]
        ended = told.of("agent_completed")
        assert ended[0]["text"] == "Scouted violins"
        assert ended[0]["result"] == {"found": "violins"}
        assert ended[1]["text"] == "Written about violins"
        assert "result" not in ended[1]
        assert await stage.rows("SELECT text FROM messages WHERE role = 'agent'") == [("Written about violins",)]


async def test_a_failing_child_is_an_error_of_its_parent(tmp_path: Path) -> None:
    """A child that fails, takes too long, ignores its end or says nothing ends by itself; the parent catches it and goes on."""
    async with Stage(tmp_path, AGENTS) as stage:
        told = await stage.run("catcher")
        codes = "failing=agent_error slow=timeout stubborn=timeout stuck=timeout silent=no_answer"
        assert told.text() == codes
        assert [ended["error"]["code"] for ended in told.of("agent_failed")] == ["agent_error", "no_answer"]
        assert [ended["reason"] for ended in told.of("agent_cancelled")] == ["timeout"] * 3
        assert b"canary" not in b"".join(row[0] for row in await stage.rows("SELECT body FROM events"))
        assert stage.worker.counters.abandoned >= 1
        async with asyncio.timeout(5):
            while stage.worker.counters.refused < 1:
                await asyncio.sleep(0.02)


async def test_an_uncaught_child_fails_its_parent(tmp_path: Path) -> None:
    """What a parent does not catch is its own failure."""
    async with Stage(tmp_path, AGENTS) as stage:
        told = await stage.run("uncaught")
        assert [ended["error"]["code"] for ended in told.of("agent_failed")] == ["agent_error", "agent_error"]


async def test_depth_is_bounded(tmp_path: Path) -> None:
    """Agents may ask agents twenty deep, and not for ever."""
    async with Stage(tmp_path, AGENTS) as stage:
        assert (await stage.run("deep")).ending.data["result"] == 20
        told = await stage.run("endless")
        assert told.code == "agent_error"
        assert len(told.of("agent_started")) == 33


async def test_many_children_at_once(tmp_path: Path) -> None:
    """Children by gather interleave, each whole under its own id."""
    async with Stage(tmp_path, AGENTS) as stage:
        told = await stage.run("crowd")
        assert [r["found"] for r in told.ending.data["result"]] == ["t" * n for n in range(1, 11)]
        assert len({e.agent.id for e in told.events[1:] if not isinstance(e.agent, UnsetType)}) == 11


async def test_input_is_shown_short_and_redacted(tmp_path: Path) -> None:
    """`input` is at most 500 characters, or JSON of that size; what cannot be shown is named by its type, nothing asked is no words."""
    async with Stage(tmp_path, AGENTS) as stage:
        told = await stage.run("inputs")
        shown: list[Any] = [started["input"] for started in told.of("agent_started", "taker")]
        assert len(shown[0]) == 500
        assert shown[1] == {"api_key": "[redacted]", "n": 1}
        assert isinstance(shown[2], str)
        assert len(shown[2]) <= 500
        assert shown[3:] == ["", [1, 2], "<object>"]


async def test_three_runs_of_one_agent_at_once_stay_whole(tmp_path: Path) -> None:
    """Runs of one agent share nothing: each has its own words, ids and trace."""
    async with Stage(tmp_path, AGENTS) as stage:
        user_id = await stage.user()
        runs = [await stage.send(user_id, "leader", f"topic{number}") for number in range(3)]
        for number, run_id in enumerate(runs):
            told = await stage.end(user_id, run_id)
            assert told.text("leader") == f"Written about topic{number}"
            assert f"topic{(number + 1) % 3}" not in str([event.data for event in told.events])
        assert len({event.trace_id for event in await stage.events(user_id)}) == 3
