"""What a run looks like in lines."""

import subprocess
import sys
from typing import Any

import pytest

from quintet.cli.timeline import Row, Timeline, duration, shown
from quintet.events import AgentRef, Event

pytestmark = pytest.mark.l1


def event(kind: str, agent: str, parent: str | None = None, *, final: bool = False, **data: Any) -> Event:
    """An event of an agent whose name is its id."""
    who = AgentRef(agent, agent, parent) if parent else AgentRef(agent, agent)
    return Event(1, kind, 1, "c", "i", "t", data, run_id="r", run_seq=1, agent=who, final=final)


def test_agents_that_work_side_by_side_are_named_again() -> None:
    """A line below another agent's lines is never taken for that agent's: its own name stands above it."""
    timeline = Timeline(lambda: 0.0)
    rows: list[Row] = []
    for one in (
        event("agent_started", "root"),
        event("agent_started", "left", "root"),
        event("agent_started", "right", "root"),
        event("agent_thinking", "left", "root", text="l"),
        event("agent_thinking", "right", "root", text="r"),
    ):
        rows += timeline.take(one)
    told = [(row.depth, row.kind, row.text, row.detail) for row in rows]
    assert told[:2] == [(0, "agent", "root", ""), (1, "agent", "left", "")]
    assert told[-4:] == [
        (1, "agent", "left", "goes on"),
        (2, "thought", "l", ""),
        (1, "agent", "right", "goes on"),
        (2, "thought", "r", ""),
    ]


def test_a_tool_is_under_way_until_it_is_done() -> None:
    """`running` holds a call with its arguments and its start from `tool_executing` to `tool_completed`; then there is a row."""
    timeline = Timeline(lambda: 7.0)
    timeline.take(event("agent_started", "root"))
    assert [one.text for one in timeline.running] == ["root is at work"]
    assert timeline.take(event("tool_executing", "root", call_id="c", tool="look", arguments={"for": "x" * 50})) == []
    [one] = timeline.running
    assert (one.depth, one.since) == (1, 7.0)
    assert one.text.startswith("look(for=xxx")
    [row] = timeline.take(event("tool_completed", "root", call_id="c", tool="look", status="ok", duration_ms=1234))
    assert (row.kind, row.detail) == ("done", "1.2 s")
    assert [one.text for one in timeline.running] == ["root is at work"]


def test_an_ending_without_a_beginning_and_unknown_events_are_no_rows() -> None:
    """A run ended while queued, and types of later versions, break nothing."""
    timeline = Timeline(lambda: 0.0)
    assert timeline.take(event("agent_cancelled", "root", final=True, reason="user", duration_ms=0)) == []
    assert timeline.take(event("agent_dreaming", "root", about="sheep")) == []


def test_text_cannot_command_the_terminal() -> None:
    """Escapes, other control characters and turns of direction become visible; words and line ends stay."""
    assert shown("a\x1b[31mb\x07\u202ec") == "a�[31mb��c"
    assert shown("a\nb\tc\r\n", lines=True) == "a\nb\tc�\n"
    assert shown("a\n  b") == "a b"


@pytest.mark.parametrize(("ms", "words"), [(0, "0 ms"), (999, "999 ms"), (1500, "1.5 s"), (125_000, "2 min 5 s")])
def test_durations_are_for_people(ms: float, words: str) -> None:
    """Never more digits than help."""
    assert duration(ms) == words


def test_help_loads_neither_the_client_nor_a_screen() -> None:
    """`quintet --help` stays fast: no HTTP client, no socket library, nothing of the server."""
    code = (
        "import sys\nfrom quintet.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
        "print(*sorted(sys.modules.keys() & set('httpx websockets quintet.client fastapi asyncio'.split())))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.splitlines()[-1] == ""
