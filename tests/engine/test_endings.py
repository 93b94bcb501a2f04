"""However an agent ends, its run has one ending, with a code of the table and nothing of the agent's own words."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.stage import Stage
from quintet import AgentError, Turn, agent
from quintet.engine import SyncTurn
from quintet.errors import RUN_CODES

pytestmark = pytest.mark.l2


class _Odd:
    """What no JSON holds."""


class _Own(BaseException):
    """A failure that `except Exception` does not see."""


def _raising(error: Callable[[], BaseException]) -> Any:
    @agent(name="raiser")
    async def raiser(turn: Turn) -> None:
        await turn.think("About to fail")
        raise error()

    return raiser


@pytest.mark.parametrize(
    "error",
    [
        lambda: ValueError("canary"),
        lambda: SystemExit("canary"),
        lambda: KeyboardInterrupt("canary"),
        lambda: GeneratorExit("canary"),
        lambda: asyncio.CancelledError("canary"),
        lambda: StopAsyncIteration("canary"),
        lambda: _Own("canary"),
        lambda: AgentError("timeout", "canary"),
        lambda: ExceptionGroup("canary", [ValueError("canary")]),
    ],
)
async def test_whatever_an_agent_raises_is_its_failure(
    tmp_path: Path, error: Callable[[], BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """Any exception is `agent_error` with the fixed sentence; the traceback is in the log under the trace, nothing of it in an event."""
    async with Stage(tmp_path, (_raising(error),)) as stage:
        with caplog.at_level(logging.WARNING):
            told = await stage.run("raiser")
        assert told.ending.type == "agent_failed"
        assert told.ending.data["error"] == {
            "code": "agent_error",
            "message": RUN_CODES["agent_error"].sentence,
            "retryable": False,
        }
        assert not any(b"canary" in row[0] for row in await stage.rows("SELECT body FROM events"))
        noted = [record for record in caplog.records if getattr(record, "trace_id", None) == told.ending.trace_id]
        assert noted
        assert noted[0].exc_info
        again = await stage.run("raiser")
        assert again.code == "agent_error", "the worker lives"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "no_answer"),
        ("", "no_answer"),
        (_Odd(), "agent_error"),
        ({_Odd(), _Odd()}, "agent_error"),
        ({"deep": [_Odd()]}, "agent_error"),
        ("z" * 10_000_000, "output_limit"),
        ({"half": "a \ud800 character"}, "agent_completed"),
        ({"many": ["x" * 100] * 10_000}, "agent_completed"),
        ({"number": 2**70, "nan": float("nan")}, "agent_completed"),
        (0, "agent_completed"),
        (False, "agent_completed"),
    ],
)
async def test_whatever_an_agent_returns_ends_clearly(tmp_path: Path, value: Any, code: str) -> None:
    """Nothing, the unencodable, ten megabytes, half a character: one clear ending each, in an event of its size."""

    @agent(name="returner")
    async def returner(turn: Turn) -> Any:
        return value

    @agent
    def plain(turn: SyncTurn) -> Any:
        return value

    async with Stage(tmp_path, (returner, plain)) as stage:
        for name in ("returner", "plain"):
            told = await stage.run(name)
            assert told.code == code
        assert max(row[0] for row in await stage.rows("SELECT length(body) FROM events")) < 64 * 1024 - 192


async def test_a_reference_to_itself_is_the_agents_failure(tmp_path: Path) -> None:
    """A value that holds itself can never be told."""

    @agent
    async def circular(turn: Turn) -> Any:
        value: dict[str, Any] = {}
        value["self"] = value
        return value

    async with Stage(tmp_path, (circular,)) as stage:
        assert (await stage.run("circular")).code == "agent_error"


async def test_a_lone_surrogate_is_cleaned(tmp_path: Path) -> None:
    """Half a character in thought and word becomes the replacement character; offsets stay."""

    @agent
    async def halves(turn: Turn) -> None:
        await turn.think("half \ud800")
        await turn.say("one \ud83d ")
        await turn.say("two")

    async with Stage(tmp_path, (halves,)) as stage:
        told = await stage.run("halves")
        assert told.text() == told.ending.data["text"] == "one \ufffd two"


async def test_a_long_answer_is_whole_in_its_thread(tmp_path: Path) -> None:
    """Pieces of at most 8,000 code points; over 32 KiB the ending has no text and says so, and the thread has all."""

    @agent
    async def long(turn: Turn) -> None:
        await turn.think("t" * 20_000)
        await turn.say("ö" * 20_000)

    async with Stage(tmp_path, (long,)) as stage:
        told = await stage.run("long")
        assert [len(piece["text"]) for piece in told.of("text_delta")] == [8000, 8000, 4000]
        assert len(told.of("agent_thinking")[0]["text"]) == 8000
        assert told.ending.data["truncated"] is True
        assert "text" not in told.ending.data
        assert await stage.rows("SELECT text FROM messages WHERE role = 'agent'") == [("ö" * 20_000,)]


async def test_too_much_said_is_stopped(tmp_path: Path) -> None:
    """More than a megabyte, or more than ten thousand events, is `output_limit`, however it is said; catching it does not help."""

    @agent
    async def flooder(turn: Turn) -> None:
        while True:
            await turn.say("x" * 100_000)

    @agent
    async def thinker(turn: Turn) -> None:
        while True:
            try:
                await turn.think("again")
            except asyncio.CancelledError:
                if not turn.cancelled:
                    raise
                await asyncio.sleep(0)
                return

    @agent
    async def parent(turn: Turn) -> None:
        try:
            await turn.ask(flooder)
        except AgentError:
            await turn.say("never")

    async with Stage(tmp_path, (flooder, thinker, parent), events=500) as stage:
        for name in ("flooder", "thinker", "parent"):
            told = await stage.run(name)
            assert told.code == "output_limit"
            assert len(told.events) <= 500
            assert sum(len(piece["text"]) for piece in told.of("text_delta")) <= 1024 * 1024


async def test_wrong_use_of_a_turn_is_the_agents_failure(tmp_path: Path) -> None:
    """Words that are no text, a progress that is no number, an agent that is none: the run fails, the server does not."""

    @agent
    async def wrong(turn: Turn) -> None:
        calls: dict[str, Callable[[], Any]] = {
            "say": lambda: turn.say(1),  # type: ignore[arg-type]
            "think": lambda: turn.think(b"x"),  # type: ignore[arg-type]
            "progress": lambda: turn.think("x", progress=float("nan")),
            "ask": lambda: turn.ask(len),  # type: ignore[arg-type]
        }
        await calls[turn.text]()

    async with Stage(tmp_path, (wrong,)) as stage:
        for text in ("say", "think", "progress", "ask"):
            assert (await stage.run("wrong", text)).code == "agent_error"


async def test_nothing_is_told_after_the_end(tmp_path: Path) -> None:
    """A task that outlives its agent adds nothing to the log; its attempts are counted, and it is ended with the run."""
    ended: list[str] = []

    async def haunt(turn: Turn) -> None:
        try:
            while True:
                try:
                    await turn.think("ghost")
                except asyncio.CancelledError:
                    ended.append("refused")
                await asyncio.sleep(0.01)
        finally:
            ended.append("over")

    @agent
    async def haunted(turn: Turn) -> None:
        turns.append(asyncio.create_task(haunt(turn)))
        await asyncio.sleep(0.05)
        await turn.say("The end")

    @agent
    async def parent(turn: Turn) -> None:
        await turn.ask(haunted)
        await asyncio.sleep(0.1)
        await turn.say("I go on")

    turns: list[asyncio.Task[None]] = []
    async with Stage(tmp_path, (haunted, parent)) as stage:
        for name in ("haunted", "parent"):
            ended.clear()
            told = await stage.run(name)
            async with asyncio.timeout(5):
                while "over" not in ended:
                    await asyncio.sleep(0.01)
            later = await stage.rows("SELECT count(*) FROM events WHERE run_id = ?", told.ending.run_id)
            assert later == [(len(told.events),)]
        assert stage.worker.counters.refused
