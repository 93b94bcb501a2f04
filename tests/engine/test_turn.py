"""What a turn tells: an agent's thoughts, its words, its answer."""

from pathlib import Path
from typing import Any

import pytest

from engine.stage import Stage
from quintet import Turn, agent, tool
from quintet.engine import SyncTurn

pytestmark = pytest.mark.l2


@tool
async def lookup(query: str) -> list[str]:
    """Find something."""
    return [f"found {query}"]


@tool
def plain(text: str) -> str:
    """Run in a thread."""
    return text.upper()


@agent(description="Answers with sources")
async def researcher(turn: Turn) -> dict[str, Any]:
    """Think, look up, say."""
    await turn.think("Looking for sources", progress=0.5)
    hits = await turn.use(lookup, query=turn.text)
    await turn.think("Writing", progress=0.2)
    await turn.say(f"{len(hits)} source. ")
    await turn.say("Dóne 🎻")
    return {"hits": hits, "api_key": "s3cret"}


@agent
async def returner(turn: Turn) -> str:
    """Return only."""
    return f"Returned {turn.text}"


@agent
async def values(turn: Turn) -> list[int]:
    """Return no text."""
    return [1, 2, 3]


@agent
def blocking(turn: SyncTurn) -> None:
    """A plain function, in a thread."""
    turn.think("In a thread")
    turn.say(turn.use(plain, turn.text))
    turn.say(turn.ask(returner, "x"))


AGENTS = (researcher, returner, values, blocking)


async def test_a_turn_tells_its_story(tmp_path: Path) -> None:
    """Thoughts, a tool and words appear in their order, the words are the answer, the returned value is the result, redacted."""
    async with Stage(tmp_path, AGENTS) as stage:
        told = await stage.run("researcher", "violins")
        assert told.kinds == [
            "message_accepted",
            "agent_started",
            "agent_thinking",
            "tool_executing",
            "tool_completed",
            "agent_thinking",
            "text_delta",
            "text_delta",
            "agent_completed",
        ]
        assert [t.get("progress") for t in told.of("agent_thinking")] == [0.5, 0.5]
        assert told.of("tool_executing")[0]["arguments"] == {"query": "violins"}
        assert told.of("tool_completed")[0]["result"] == ["found violins"]
        assert told.ending.data["text"] == told.text() == "1 source. Dóne 🎻"
        assert told.ending.data["result"] == {"hits": ["found violins"], "api_key": "[redacted]"}
        said = await stage.rows("SELECT text, run_id FROM messages WHERE role = 'agent'")
        assert said == [("1 source. Dóne 🎻", told.ending.run_id)]


async def test_a_returned_string_is_said(tmp_path: Path) -> None:
    """A returned string is the text when nothing was said; any other value is the result and no message."""
    async with Stage(tmp_path, AGENTS) as stage:
        told = await stage.run("returner", "this")
        assert (told.text(), told.ending.data["text"]) == ("Returned this", "Returned this")
        assert "result" not in told.ending.data
        told = await stage.run("values")
        assert told.ending.data["result"] == [1, 2, 3]
        assert "text" not in told.ending.data
        assert "message_id" not in told.ending.data


async def test_a_plain_function_is_an_agent(tmp_path: Path) -> None:
    """Its turn has the same verbs, blocking, and its events are the same."""
    async with Stage(tmp_path, AGENTS) as stage:
        told = await stage.run("blocking", "loud")
        assert told.code == "agent_completed"
        assert told.text("blocking") == "LOUDReturned x"
        assert told.text("returner") == "Returned x"
