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


def test_each_ending_has_its_mark_and_closes_its_agent() -> None:
    """Done, failed and stopped, of tools and of agents, each in its agent's depth with the server's time; afterwards nothing is under way."""
    timeline = Timeline(lambda: 0.0)
    failure: dict[str, Any] = {"error": {"message": "It failed."}, "duration_ms": 1500}
    rows: list[Row] = []
    for one in (
        event("agent_started", "root"),
        event("tool_executing", "root", call_id="c", tool="look"),
        event("tool_completed", "root", call_id="c", tool="look", status="cancelled", duration_ms=20),
        event("tool_completed", "root", call_id="d", tool="seek", status="timeout", **failure),
        event("agent_started", "child", "root"),
        event("agent_failed", "child", "root", **failure),
        event("agent_started", "other", "root"),
        event("agent_cancelled", "other", "root", duration_ms=30),
        event("agent_failed", "root", final=True, **failure),
    ):
        rows += timeline.take(one)
    assert rows == [
        Row(0, "agent", "root"),
        Row(1, "stopped", "look", "stopped after 20 ms"),
        Row(1, "failed", "seek", "1.5 s It failed."),
        Row(1, "agent", "child"),
        Row(2, "failed", "", "1.5 s It failed.", closes=True),
        Row(1, "agent", "other"),
        Row(2, "stopped", "", "stopped after 30 ms", closes=True),
        Row(1, "failed", "", "1.5 s", closes=True),
    ]
    assert not any(row.closes for row in rows if row.text)
    assert timeline.running == []


def test_what_is_long_is_shown_in_short() -> None:
    """Up to 40 characters of an argument and 100 of all of them; what is said in one line has no line ends."""
    timeline = Timeline(lambda: 0.0)
    timeline.take(event("agent_started", "root"))
    arguments = {"note": "two\nlines", "number": 7, "long": "x" * 41, "rest": ["y" * 40] * 3}
    timeline.take(event("tool_executing", "root", call_id="c", tool="look", arguments=arguments))
    [one] = timeline.running
    assert one.text.startswith(f"look(note=two lines, number=7, long={'x' * 39}…, rest=")
    assert one.text.endswith("…)")
    assert len(one.text) <= len("look()") + 100
    assert (one.depth, timeline.take(event("message_accepted", "root"))) == (1, [])


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
