"""What goes wrong at the provider: one ending, one fixed sentence, the details in the log alone, and never the key."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.stage import SHORT, Stage, Told
from model.provider import CUT, SILENCE, Asked, Provider, Refusal, call, text
from model.talking import KEY, configured, talking
from quintet.agents import shipped
from quintet.engine import Turn, agent
from quintet.errors import RUN_CODES

pytestmark = pytest.mark.l2


def _echo(status: int) -> Callable[[Asked], Refusal]:
    """A provider that puts the key it got into its refusal, as some do."""

    def refuse(asked: Asked) -> Refusal:
        said = f"refused: {asked.headers['authorization']}"
        return Refusal(status, json.dumps({"error": {"message": said, "code": "no"}}), ("retry-after-ms: 10",))

    return refuse


def _check(told: Told, caplog: pytest.LogCaptureFixture) -> None:
    assert told.ending.type == "agent_failed"
    error = told.ending.data["error"]
    assert (error["code"], error["message"]) == ("agent_error", RUN_CODES["agent_error"].sentence)
    assert KEY not in caplog.text
    assert all(KEY not in str(record.__dict__) for record in caplog.records)
    assert KEY not in str([event.data for event in told.events])
    assert str(told.ending.trace_id) in caplog.text


@pytest.mark.parametrize(("status", "tries"), [(401, 1), (429, 2), (500, 2)])
async def test_a_refusal(tmp_path: Path, caplog: pytest.LogCaptureFixture, status: int, tries: int) -> None:
    """What passes by itself is tried once more; then the run fails. The log knows the status, nobody knows the key."""
    async with talking(tmp_path, _echo(status)) as (stage, provider):
        told = await stage.run("assistant")
    _check(told, caplog)
    assert str(status) in caplog.text
    assert "[key]" in caplog.text
    assert len(provider.asked) == tries


async def test_a_refusal_that_passes(tmp_path: Path) -> None:
    """One busy moment of the provider is nobody's concern."""
    busy = Refusal(503, "{}", ("retry-after-ms: 10",))
    async with talking(tmp_path, busy, text("Here.")) as (stage, _):
        assert (await stage.run("assistant")).text() == "Here."


async def test_nobody_is_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A refused connection fails the run."""
    async with talking(tmp_path) as (_, provider):
        url = provider.url
    async with Stage(tmp_path / "again", shipped(configured(url))) as stage:
        _check(await stage.run("assistant"), caplog)


@pytest.mark.parametrize("where", ["before", "within"])
async def test_silence_has_an_end(tmp_path: Path, caplog: pytest.LogCaptureFixture, where: str) -> None:
    """A provider that says nothing for as long as the settings allow fails the run, before its answer or within it."""
    answer = SILENCE if where == "before" else [*text("Well, "), asyncio.Event()]
    async with talking(tmp_path, answer, seconds=0.3) as (stage, provider):
        told = await stage.run("assistant")
        _check(told, caplog)
        assert told.text() == ("" if where == "before" else "Well, ")
        async with asyncio.timeout(5):
            await provider.asked[0].left.wait()


@pytest.mark.parametrize("broken", [CUT, '{"id": "c1", "choices": [{"del'], ids=["cut", "no-json"])
async def test_a_broken_stream(tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: object) -> None:
    """A cut or nonsense in the middle fails the run; what was said before stays said, and nothing is said again."""
    async with talking(tmp_path, [*text("One, ", "two, "), broken]) as (stage, provider):
        told = await stage.run("assistant")
    _check(told, caplog)
    assert told.text() == "One, two, "
    assert len(provider.asked) == 1


async def test_a_cancel_closes_the_connection_at_once(tmp_path: Path) -> None:
    """The provider sees its connection closed while it still speaks; the run is cancelled with what was said."""
    async with talking(tmp_path, [*text("Once upon "), asyncio.Event()]) as (stage, provider):
        user = await stage.user()
        run = await stage.send(user, "assistant", "a long story")
        await stage.until(user, run, lambda told: told.text())
        await stage.cancel(user, run)
        async with asyncio.timeout(2):
            await provider.asked[0].left.wait()
        told = await stage.end(user, run)
    assert told.code == "user"
    assert told.text() == "Once upon "


async def test_nothing_stays_open_after_a_run(tmp_path: Path) -> None:
    """The client of a run is closed with it, however it ended, though the provider would keep the connection."""
    async with talking(tmp_path, text("Done."), [*text("One"), "{"], Refusal(400, "{}")) as (stage, provider):
        for _ in range(3):
            await stage.run("assistant")
            await provider.until_left()
        assert len(provider.asked) == 3


async def test_a_cancel_while_nothing_has_come_yet(tmp_path: Path) -> None:
    """A model that thinks in silence is left at once too."""
    async with talking(tmp_path, SILENCE) as (stage, provider):
        user = await stage.user()
        run = await stage.send(user, "assistant", "think")
        asked = await provider.until_asked()
        await stage.cancel(user, run)
        async with asyncio.timeout(2):
            await asked.left.wait()
        assert (await stage.end(user, run)).code == "user"
        assert stage.worker.counters.abandoned == 0


async def test_a_run_out_of_time(tmp_path: Path) -> None:
    """A run's own time ends a model that drips for ever."""
    drops = [step for _ in range(400) for step in (*text("."), 0.02)]
    async with (
        Provider(drops) as provider,
        Stage(tmp_path, shipped(configured(provider.url)), SHORT, run=0.8) as stage,
    ):
        told = await stage.run("assistant")
    assert told.code == "timeout"
    assert set(told.text()) == {"."}


async def test_a_cancel_stops_the_team_that_a_tool_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancel reaches through the tool into the nested agent; the call and the child are closed, inside out."""
    monkeypatch.setattr("quintet.agents.conversation.triage", endless)
    async with talking(tmp_path, call("explain_test_run"), text("never")) as (stage, provider):
        user = await stage.user()
        run = await stage.send(user, "assistant", "explain")
        await stage.until(user, run, lambda told: told.of("agent_thinking", "endless"))
        await stage.cancel(user, run)
        told = await stage.end(user, run)
    assert [one["reason"] for one in told.of("agent_cancelled")] == ["user", "user"]
    assert told.of("tool_completed")[0]["status"] == "cancelled"
    assert len(provider.asked) == 1


@agent
async def endless(turn: Turn) -> None:
    """Never ends by itself."""
    await turn.think("for ever")
    await asyncio.Event().wait()
