"""The rules of a run, of protocol.md section 2, read on what one socket received.

`whole` holds for every run that ended, however it ended. It looks at raw bytes and order, never at the server's own view.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import jsonschema

from support.frames import Event
from support.server import TESTS

__all__ = [
    "ENDINGS",
    "FIVE",
    "agents",
    "answer",
    "delays_of",
    "ending",
    "instant",
    "of_type",
    "schema",
    "tools",
    "validate",
    "whole",
]

ENDINGS = ("agent_completed", "agent_failed", "agent_cancelled")
FIVE = ("agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_STAMP = re.compile(r"@(\d+\.\d+)$")
_TRACE = re.compile(r"[0-9a-f]{32}")
_ALWAYS = {"v", "type", "seq", "cursor", "id", "time", "thread_id", "run_id", "run_seq", "trace_id", "data"}


def of_type(story: Iterable[Event], *kinds: str) -> list[Event]:
    """The events of these types, in order."""
    return [e for e in story if e.type in kinds]


def ending(story: Sequence[Event]) -> Event:
    """The event that ended the run."""
    return next(e for e in story if e.body.get("final") is True)


def agents(story: Iterable[Event], name: str) -> list[Event]:
    """The events of the agents of this name."""
    return [e for e in story if "agent" in e.body and e["agent"]["name"] == name]


def tools(story: Iterable[Event]) -> list[tuple[Event, Event]]:
    """Each call of a tool: its executing and its completed event."""
    done = {e.data["call_id"]: e for e in of_type(story, "tool_completed")}
    return [(e, done[e.data["call_id"]]) for e in of_type(story, "tool_executing")]


def answer(story: Sequence[Event]) -> str:
    """The text of the ending."""
    return str(ending(story).data["text"])


def instant(event: Event) -> float:
    """The event's time, in Unix seconds."""
    return datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()


def delays_of(story: Iterable[Event]) -> list[float]:
    """Seconds from the agent's own clock, spoken in its thought, to the arrival at the client."""
    found = [(e, _STAMP.search(e.data["text"])) for e in of_type(story, "agent_thinking")]
    return [e.wall - float(stamp[1]) for e, stamp in found if stamp]


@cache
def schema() -> Any:
    """The published schema of events, as a validator."""
    text = (TESTS.parent / "docs" / "events.schema.json").read_text()
    kind = jsonschema.validators.validator_for(json.loads(text))
    kind.check_schema(json.loads(text))
    return kind(json.loads(text))


def validate(story: Iterable[Event]) -> None:
    """Every event validates against the published schema."""
    for event in story:
        faults = [f"{fault.json_path}: {fault.message}" for fault in schema().iter_errors(event.body)]
        assert not faults, f"event {event.seq} {event.type} does not keep the schema: {faults}\n{event.raw.decode()}"


def whole(story: Sequence[Event]) -> Sequence[Event]:
    """Check everything that holds for every ended run; returns the run for further questions."""
    shown = "\n" + "\n".join(e.raw[:300].decode() for e in story)
    _frame_of_the_run(story, shown)
    _invocations(story, shown)
    _calls(story, shown)
    _thinking(story, shown)
    _text(story, shown)
    return story


def _frame_of_the_run(story: Sequence[Event], shown: str) -> None:
    assert [e["run_seq"] for e in story] == list(range(1, len(story) + 1)), f"run_seq has a hole{shown}"
    assert [e.seq for e in story] == sorted(e.seq for e in story), f"seq falls{shown}"
    assert story[0].type == "message_accepted", f"a run begins with message_accepted{shown}"
    assert [e for e in story if e.body.get("final")] == [story[-1]], f"one final event, the last{shown}"
    assert story[-1].type in ENDINGS, f"a run ends with an ending{shown}"
    assert "parent_id" not in story[-1]["agent"], f"the final event is the root's{shown}"
    for key in ("run_id", "thread_id", "trace_id", "v"):
        assert len({e[key] for e in story}) == 1, f"{key} differs within the run{shown}"
    assert story[0]["v"] == 1
    assert _TRACE.fullmatch(story[0]["trace_id"]), f"trace_id is not 32 hexadecimal digits{shown}"
    assert len({e["id"] for e in story}) == len(story), f"an id is used twice{shown}"
    for event in story:
        assert event.body.keys() >= _ALWAYS, f"event {event.seq} lacks {_ALWAYS - event.body.keys()}{shown}"
        assert ("agent" in event.body) == (event.type != "message_accepted"), f"agent of {event.seq}{shown}"
        assert _TIME.fullmatch(event["time"]), f"time of {event.seq}{shown}"


def _invocations(story: Sequence[Event], shown: str) -> None:
    started = [e["agent"]["id"] for e in of_type(story, "agent_started")]
    ended = [e["agent"]["id"] for e in of_type(story, *ENDINGS)]
    assert len(set(started)) == len(started), f"an invocation starts twice{shown}"
    if not started:  # ended while queued: its acceptance and its ending, nothing else
        assert len(story) == 2, f"a run that never started has two events{shown}"
        return
    assert Counter(started) == Counter(ended), f"each invocation has one start and one ending{shown}"
    assert story[1].type == "agent_started", f"the second event is the root's agent_started{shown}"
    open_now: dict[str, str | None] = {}
    for event in story[1:]:
        who, parent = event["agent"]["id"], event["agent"].get("parent_id")
        if event.type == "agent_started":
            assert parent is None or parent in open_now, f"{who} starts outside its parent{shown}"
            assert (parent is None) == (event is story[1]), f"there is one root{shown}"
            open_now[who] = parent
        assert open_now.get(who, "closed") == parent, f"{event.type} {event.seq} outside its invocation{shown}"
        if event.type in ENDINGS:
            del open_now[who]
            assert who not in open_now.values(), f"{who} ends before its children{shown}"


def _calls(story: Sequence[Event], shown: str) -> None:
    open_now: dict[str, str] = {}
    for event in story:
        data = event.data
        if event.type == "tool_executing":
            assert data["call_id"] not in open_now, f"a call_id twice{shown}"
            assert isinstance(data["arguments"], (dict, str)), f"arguments are an object, or its preview{shown}"
            open_now[data["call_id"]] = event["agent"]["id"]
        elif event.type == "tool_completed":
            assert open_now.pop(data["call_id"], None) == event["agent"]["id"], f"completed without executing{shown}"
            assert data["status"] in {"ok", "error", "timeout", "cancelled"}
            failed = data["status"] in {"error", "timeout"}
            assert failed == ("error" in data) and (data["status"] == "ok" or "result" not in data), (
                f"error and status disagree{shown}"
            )
            assert data["duration_ms"] >= 0
        elif event.type in ENDINGS:
            assert event["agent"]["id"] not in open_now.values(), f"an agent ends with a tool open{shown}"
    assert not open_now, f"a tool is left open{shown}"


def _thinking(story: Sequence[Event], shown: str) -> None:
    steps: Counter[str] = Counter()
    progress: dict[str, float] = {}
    for event in of_type(story, "agent_thinking"):
        who, data = event["agent"]["id"], event.data
        steps[who] += 1
        assert data["step"] == steps[who], f"steps count from 1{shown}"
        if "progress" in data:
            assert progress.get(who, 0.0) <= data["progress"] <= 1.0, f"progress falls{shown}"
            progress[who] = data["progress"]


def _text(story: Sequence[Event], shown: str) -> None:
    pieces: dict[str, str] = {}
    for event in of_type(story, "text_delta"):
        data = event.data
        so_far = pieces.get(data["message_id"], "")
        assert data["offset"] == len(so_far), f"the offset of {event.seq} is not the code points before it{shown}"
        pieces[data["message_id"]] = so_far + data["text"]
    for event in of_type(story, "agent_completed"):
        data = event.data
        if "text" in data:
            assert pieces.get(data["message_id"]) == data["text"], f"the pieces are not the text{shown}"
        elif "message_id" in data:
            assert data.get("truncated") is True, f"an answer without text must say truncated{shown}"
