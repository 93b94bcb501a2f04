"""The published schema: current, and as strict as the wire's words about events."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from msgspec import UNSET

from quintet import events_schema
from quintet.events import (
    DATA,
    ENDINGS,
    AgentCancelled,
    AgentCompleted,
    AgentFailed,
    AgentRef,
    AgentStarted,
    AgentThinking,
    Data,
    EventError,
    MessageAccepted,
    TextDelta,
    ThreadDeleted,
    ThreadUpdated,
    ToolCompleted,
    ToolExecuting,
    draft,
    splice,
)

pytestmark = pytest.mark.l1

PUBLISHED = Path(__file__).parents[2] / "docs" / "events.schema.json"
ROOT, CHILD = AgentRef("agt_1", "assistant"), AgentRef("agt_2", "writer", "agt_1")
ERROR = EventError("tool_error", "The tool failed.")
FATAL = EventError("agent_error", "The agent failed.", retryable=False)

EXAMPLES: list[Data] = [
    MessageAccepted("m", "c", "hello"),
    MessageAccepted("m", "c", "hello", [{"id": "a", "name": "x.txt", "media_type": "text/plain", "size": 3}]),
    AgentStarted(),
    AgentStarted("asked"),
    AgentStarted({"question": ["a", None, 1.5]}),
    AgentThinking("hm", 1),
    AgentThinking("hm", 2, 0.5),
    ToolExecuting("c", "search", {"query": "x", "limit": 3}),
    ToolCompleted("c", "search", "ok", 0, result=["a"]),
    ToolCompleted("c", "search", "ok", 0),
    ToolCompleted("c", "search", "ok", 3, result="cut", truncated=True),
    ToolCompleted("c", "search", "error", 3, error=ERROR),
    ToolCompleted("c", "search", "timeout", 3, error=ERROR),
    ToolCompleted("c", "search", "cancelled", 3),
    TextDelta("m", 0, "piece"),
    AgentCompleted(5),
    AgentCompleted(5, "m", "all", result={"a": 1}, usage={"input_tokens": 3}),
    AgentCompleted(5, "m", truncated=True),
    AgentFailed(FATAL, 5),
    AgentCancelled("user", 5),
    AgentCancelled("timeout", 5),
    AgentCancelled("shutdown", 5),
    ThreadUpdated("2026-01-01T00:00:00.000Z", "title"),
    ThreadDeleted("2026-01-01T00:00:00.000Z"),
]


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """The published schema, which is itself valid."""
    schema = json.loads(PUBLISHED.read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def event(data: Data, agent: AgentRef | None = ROOT) -> dict[str, Any]:
    """A complete event as delivered."""
    kind = next(name for name, of in DATA.items() if isinstance(data, of))
    of_run = not kind.startswith("thread")
    made = draft(
        data,
        event_id="0123abcd" * 4,
        time_ms=1_700_000_000_123,
        thread_id="thr_1",
        run_id="run_1" if of_run else None,
        trace_id="0a" * 16 if of_run else None,
        agent=agent if of_run and kind != "message_accepted" else None,
        final=kind in ENDINGS and agent is ROOT,
    )
    return dict(json.loads(splice("ep0ch", 12, made.digest, made.body, run_seq=3 if of_run else None)))


def test_the_published_file_is_current() -> None:
    """What is published is what the types say: `python -m quintet.events_schema > docs/events.schema.json`."""
    assert PUBLISHED.read_text() == events_schema.text()


def test_every_type_has_its_shape() -> None:
    """The schema knows exactly the types of the wire, and there is an example of each."""
    names = [one["$ref"].rpartition("/")[2] for one in events_schema.json_schema()["oneOf"]]
    assert names == list(DATA)
    assert {type(data) for data in EXAMPLES} == set(DATA.values())


@pytest.mark.parametrize("data", EXAMPLES, ids=lambda data: type(data).__name__)
def test_every_event_is_valid(validator: Draft202012Validator, data: Data) -> None:
    """Everything the encoder makes validates, as the root's and as a child's, with keys that are not known yet too."""
    for agent in (ROOT, CHILD):
        made = event(data, agent)
        assert list(validator.iter_errors(made)) == []
        made["new_key"] = made["data"]["new_key"] = {"anything": [1, None]}
        assert list(validator.iter_errors(made)) == []


def nulled(path: tuple[str, ...]) -> Callable[[dict[str, Any]], None]:
    """Make a key null."""

    def change(made: dict[str, Any]) -> None:
        level = made
        for name in path[:-1]:
            level = level[name]
        level[path[-1]] = None

    return change


@pytest.mark.parametrize("data", EXAMPLES, ids=lambda data: type(data).__name__)
def test_no_key_is_null_or_missing(validator: Draft202012Validator, data: Data) -> None:
    """Each key made null is refused, wherever it stands; each that every event of the type has is refused when it is missing."""
    whole = event(data)
    paths = [(name,) for name in whole] + [("data", name) for name in whole["data"]] + [("new",), ("data", "new")]
    if "agent" in whole:
        paths += [("agent", name) for name in whole["agent"]]
    for path in paths:
        made = copy.deepcopy(whole)
        nulled(path)(made)
        assert not validator.is_valid(made), path
    for name in whole:
        made = copy.deepcopy(whole)
        del made[name]
        assert not validator.is_valid(made), name


WRONG: list[tuple[str, Data, dict[str, Any]]] = [
    ("v", EXAMPLES[0], {"v": 2}),
    ("seq 0", EXAMPLES[0], {"seq": 0}),
    ("seq text", EXAMPLES[0], {"seq": "1"}),
    ("run_seq 0", EXAMPLES[0], {"run_seq": 0}),
    ("unknown type", EXAMPLES[0], {"type": "agent_mused"}),
    ("another's type", EXAMPLES[0], {"type": "agent_started"}),
    ("cursor 0", EXAMPLES[0], {"cursor": "0"}),
    ("cursor $", EXAMPLES[0], {"cursor": "$"}),
    ("time zone", EXAMPLES[0], {"time": "2026-01-01T00:00:00.000+00:00"}),
    ("time seconds", EXAMPLES[0], {"time": "2026-01-01T00:00:00Z"}),
    ("trace", EXAMPLES[0], {"trace_id": "xyz"}),
    ("accepted has an agent", EXAMPLES[0], {"agent": {"id": "a", "name": "b"}}),
    ("a range of messages", EXAMPLES[0], {"first_seq": 3}),
    ("a range of tools", ToolExecuting("c", "t", {}), {"first_seq": 3}),
    ("final in the middle", AgentThinking("x", 1), {"final": True}),
    ("final false", AgentCompleted(1), {"final": False}),
    ("a child's final", AgentCompleted(1), {"agent": {"id": "a", "name": "b", "parent_id": "c"}}),
    ("empty agent", AgentThinking("x", 1), {"agent": {"id": "", "name": "b"}}),
    ("thread in a run", ThreadDeleted("2026-01-01T00:00:00.000Z"), {"run_id": "r"}),
    ("thread with run_seq", ThreadDeleted("2026-01-01T00:00:00.000Z"), {"run_seq": 1}),
    ("thread with agent", ThreadDeleted("2026-01-01T00:00:00.000Z"), {"agent": {"id": "a", "name": "b"}}),
    ("thread final", ThreadDeleted("2026-01-01T00:00:00.000Z"), {"final": True}),
    ("step 0", AgentThinking("x", 0), {}),
    ("progress over 1", AgentThinking("x", 1, 1.1), {}),
    ("progress under 0", AgentThinking("x", 1, -0.1), {}),
    ("offset", TextDelta("m", -1, "x"), {}),
    ("duration", AgentCompleted(-1), {}),
    ("status", ToolCompleted("c", "t", "done", 1), {}),  # type: ignore[arg-type]
    ("ok with an error", ToolCompleted("c", "t", "ok", 1, error=ERROR), {}),
    ("an error without one", ToolCompleted("c", "t", "error", 1), {}),
    ("a timeout without one", ToolCompleted("c", "t", "timeout", 1), {}),
    ("error and result", ToolCompleted("c", "t", "error", 1, result=1, error=ERROR), {}),
    ("truncated false", ToolCompleted("c", "t", "ok", 1, truncated=False), {}),
    ("not retryable or not", AgentFailed(ERROR, 1), {}),
    ("reason", AgentCancelled("bored", 1), {}),  # type: ignore[arg-type]
    ("null in a result", ToolCompleted("c", "t", "ok", 1, result={"a": [{"b": None}]}), {}),
    ("null in arguments", ToolExecuting("c", "t", {"a": None}), {}),
    ("null input", AgentStarted(None), {}),
    ("long client_id", MessageAccepted("m", "x" * 65, "t"), {}),
]


@pytest.mark.parametrize(("data", "change"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_the_wire_forbids_is_refused(validator: Draft202012Validator, data: Data, change: dict[str, Any]) -> None:
    """The schema refuses what the rules of the wire refuse, as far as a schema can say it."""
    assert not validator.is_valid({**event(data), **change})


def test_an_ending_of_the_root_is_final(validator: Draft202012Validator) -> None:
    """Without `final` an ending is a child's, with a `parent_id`."""
    for data in (AgentCompleted(1), AgentFailed(FATAL, 1), AgentCancelled("user", 1)):
        made = event(data)
        del made["final"]
        assert not validator.is_valid(made)


def test_folded_pieces_and_deleted_events_are_ranges(validator: Draft202012Validator) -> None:
    """`first_seq` stands only where an event stands for several."""
    for data in (TextDelta("m", 0, "x"), ThreadDeleted("2026-01-01T00:00:00.000Z")):
        assert validator.is_valid({**event(data), "first_seq": 3})


def test_absent_is_absent() -> None:
    """A key without a value is not encoded at all."""
    assert event(AgentStarted(UNSET))["data"] == {}
    assert set(event(AgentCompleted(1))["data"]) == {"duration_ms"}
