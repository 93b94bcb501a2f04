"""The dispatcher: tools really run, once, within their bounds, and what is told of them is what became of them."""

import asyncio
import contextlib
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from engine.stage import Stage
from quintet import ToolError, Turn, agent, tool
from quintet.errors import RUN_CODES

pytestmark = pytest.mark.l2


@tool
async def secretive(url: str, api_key: str, headers: dict[str, str], max_tokens: int = 5) -> dict[str, Any]:
    """Give back what must not be shown."""
    return {"url": url, "session_token": api_key, "max_tokens": max_tokens, "headers": headers, "none": None}


@tool
async def broken() -> None:
    """Raise with a secret in the words."""
    raise ValueError("the password is hunter2-canary")


@tool
async def exits() -> None:
    """Try to end the process."""
    raise SystemExit(3)


@tool
def blocking_exit() -> None:
    """Try to end it from a thread."""
    raise SystemExit(3)


@tool(timeout=0.1)
async def slow() -> str:
    """Outlive its time."""
    await asyncio.sleep(5)
    return "late"


@tool(timeout=0.1)
async def stubborn() -> str:
    """Outlive its time and its cancel."""
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0.05)
    return "late"


@tool(timeout=0.1)
def stuck() -> str:
    """Outlive its time in a thread."""
    time.sleep(0.6)
    return "late"


@tool
async def big(size: int) -> str:
    """Return much."""
    return "y" * size


@tool
async def anything(*args: Any, **kwargs: Any) -> int:
    """Take anything."""
    return len(args) + len(kwargs)


@tool
async def step(number: int, seconds: float) -> int:
    """Take a while."""
    await asyncio.sleep(seconds)
    return number


@tool
def in_thread() -> str:
    """Say where it runs."""
    return threading.current_thread().name


@tool(name="search.web")
async def named() -> str:
    """Have a name of its own."""
    return "x"


@agent
async def confidant(turn: Turn) -> None:
    """Use secrets; the agent itself gets them whole."""
    got = await turn.use(
        secretive, "https://example.com", api_key="key-canary", headers={"Authorization": "Bearer canary"}
    )
    assert got["session_token"] == "key-canary"
    await turn.say("a token is a word")


@agent
async def catcher(turn: Turn) -> None:
    """Survive every failure of a tool."""
    codes = []
    for call in (
        lambda: turn.use(broken),
        lambda: turn.use(exits),
        lambda: turn.use(blocking_exit),
        lambda: turn.use(slow),
        lambda: turn.use(stubborn),
        lambda: turn.use(stuck),
        lambda: turn.use(step, "secret-canary", "more", wrong=1),  # type: ignore[arg-type, call-arg]
    ):
        try:
            await call()
        except ToolError as error:
            codes.append(error.code)
            assert error.message == RUN_CODES[error.code].sentence
    await turn.say(" ".join(codes))


@agent
async def uncaught(turn: Turn) -> None:
    """Let a tool's failure through."""
    await turn.use(broken)


@agent
async def sizes(turn: Turn) -> None:
    """Get a large result whole."""
    got = await turn.use(big, 300_000)
    await turn.use(big, 10)
    await turn.use(anything, "p" * 100_000, tool="named like the parameter", password="p-canary")
    await turn.use(named)
    await turn.say(str(len(got)) + (await turn.use(in_thread)))


@agent
async def parallel(turn: Turn) -> list[int]:
    """Use tools at the same time."""
    return await asyncio.gather(*(turn.use(step, number, 0.1) for number in range(20)))


@agent
async def hurried(turn: Turn) -> None:
    """Give up on a tool by its own time."""
    try:
        async with asyncio.timeout(0.05):
            await turn.use(step, 1, 30)
    except TimeoutError:
        await turn.say("too slow for me")


@agent
async def no_tool(turn: Turn) -> None:
    """Use what is no tool."""
    await turn.use(len, "x")  # type: ignore[arg-type]


AGENTS = (confidant, catcher, uncaught, sizes, parallel, hurried, no_tool)


async def test_secrets_of_a_tool_are_not_shown(tmp_path: Path) -> None:
    """Confidential values of arguments and results are in no byte of the log, words about tokens stay, the agent gets all."""
    async with Stage(tmp_path, AGENTS) as stage:
        told = await stage.run("confidant")
        assert told.code == "agent_completed"
        (executing,), (completed,) = told.of("tool_executing"), told.of("tool_completed")
        assert executing["arguments"]["headers"] == {"Authorization": "[redacted]"}
        assert completed["result"]["max_tokens"] == 5
        assert "none" not in completed["result"]
        bodies = b"".join(row[0] for row in await stage.rows("SELECT body FROM events"))
        assert b"canary" not in bodies
        assert told.text() == "a token is a word"


async def test_a_failing_tool_raises_and_says_so(tmp_path: Path) -> None:
    """Raising, exiting, too slow, stuck, wrongly called: a status and a fixed sentence each, and the agent goes on."""
    async with Stage(tmp_path, AGENTS) as stage:
        told = await stage.run("catcher")
        assert told.text() == "tool_error tool_error tool_error tool_timeout tool_timeout tool_timeout bad_arguments"
        statuses = [done["status"] for done in told.of("tool_completed")]
        assert statuses == ["error", "error", "error", "timeout", "timeout", "timeout", "error"]
        for done in told.of("tool_completed"):
            assert done["error"] == {
                "code": done["error"]["code"],
                "message": RUN_CODES[done["error"]["code"]].sentence,
            }
        assert 80 <= told.of("tool_completed")[3]["duration_ms"] < 400
        assert told.of("tool_executing")[6]["arguments"] == {"number": "secret-canary", "seconds": "more", "wrong": 1}
        bodies = b"".join(row[0] for row in await stage.rows("SELECT body FROM events"))
        assert b"hunter2" not in bodies
        assert stage.worker.counters.abandoned == 1


async def test_a_dropped_result_is_counted(tmp_path: Path) -> None:
    """A plain function cannot be stopped: what it returns after its time goes nowhere, and is counted."""
    async with Stage(tmp_path, AGENTS) as stage:
        await stage.run("catcher")
        async with asyncio.timeout(5):
            while not stage.worker.counters.dropped:
                await asyncio.sleep(0.02)


async def test_an_uncaught_tool_error_fails_the_agent(tmp_path: Path) -> None:
    """What an agent does not catch is its own failure."""
    async with Stage(tmp_path, AGENTS) as stage:
        assert (await stage.run("uncaught")).code == "agent_error"
        assert (await stage.run("no_tool")).code == "agent_error"


async def test_large_arguments_and_results_are_cut(tmp_path: Path) -> None:
    """The event has a preview and says so; the agent has everything; every argument is passed on, whatever its name."""
    async with Stage(tmp_path, AGENTS) as stage:
        told = await stage.run("sizes")
        assert told.text().startswith("300000quintet-tool-in_thread")
        done = told.of("tool_completed")
        assert done[0]["truncated"] is True
        assert len(done[0]["result"]) < 10_000
        assert "truncated" not in done[1]
        assert done[2]["result"] == 3
        called = told.of("tool_executing")[2]["arguments"]
        assert {**called, "args": "?"} == {
            "args": "?",
            "tool": "named like the parameter",
            "password": "[redacted]",
        }, "by name, each by its own"
        assert done[3]["tool"] == "search.web"
        assert max(row[0] for row in await stage.rows("SELECT length(body) FROM events")) < 64 * 1024 - 192
        assert b"p-canary" not in b"".join(row[0] for row in await stage.rows("SELECT body FROM events"))


async def test_tools_run_in_parallel(tmp_path: Path) -> None:
    """Calls by gather run at the same time, each with its own id, and answer in the order asked."""
    async with Stage(tmp_path, AGENTS) as stage:
        started = time.monotonic()
        told = await stage.run("parallel")
        assert time.monotonic() - started < 1.5
        assert told.ending.data["result"] == list(range(20))
        order = [kind for kind in told.kinds if kind.startswith("tool")]
        assert order[:20] == ["tool_executing"] * 20
        assert len({call["call_id"] for call in told.of("tool_executing")}) == 20


async def test_open_calls_are_bounded(tmp_path: Path) -> None:
    """More calls than may be open wait for their turn."""
    async with Stage(tmp_path, AGENTS, calls=4) as stage:
        told = await stage.run("parallel")
        open_now = most = 0
        for kind in told.kinds:
            open_now += {"tool_executing": 1, "tool_completed": -1}.get(kind, 0)
            most = max(most, open_now)
        assert most <= 4
        assert told.ending.data["result"] == list(range(20))


async def test_an_agent_may_give_up_on_a_tool(tmp_path: Path) -> None:
    """An agent's own time limit around a call cancels the tool, says so, and the agent goes on."""
    async with Stage(tmp_path, AGENTS) as stage:
        told = await stage.run("hurried")
        assert told.of("tool_completed")[0]["status"] == "cancelled"
        assert told.text() == "too slow for me"
        assert told.code == "agent_completed"


async def test_a_call_ends_before_its_agent(tmp_path: Path) -> None:
    """An agent that returns while its tool still runs: the call is told cancelled, then the agent ends."""

    @agent
    async def leaver(turn: Turn) -> None:
        running = asyncio.create_task(turn.use(step, 1, 30))
        await asyncio.sleep(0.05)
        await turn.say("bye" if not running.done() else "?")

    @agent
    async def parent(turn: Turn) -> None:
        await turn.ask(leaver)
        await turn.say("still here")

    async with Stage(tmp_path, (leaver, parent)) as stage:
        for name in ("leaver", "parent"):
            told = await stage.run(name)
            assert told.of("tool_completed")[0]["status"] == "cancelled"
            assert told.code == "agent_completed"
