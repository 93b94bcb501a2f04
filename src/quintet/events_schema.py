"""The published JSON Schema of events, made from their types: `python -m quintet.events_schema > docs/events.schema.json`.

It describes what this server sends, one shape a type. Clients ignore unknown keys and types, so unknown keys are allowed; null is not.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from quintet.events import DATA, ENDINGS, AgentRef

__all__ = ["json_schema", "text"]

_Schema = dict[str, Any]

_THREAD_EVENTS = frozenset({"thread_updated", "thread_deleted"})
_RANGES = frozenset({"text_delta", "thread_deleted"})  # what may stand for several: folded pieces, deleted events

_REF = {"$ref": "#/$defs/Value"}
_COUNT = {"type": "integer", "minimum": 1}
_NAME = {"type": "string", "minLength": 1}

# What the types cannot say, by the name of a key of `data`.
_BOUNDS: _Schema = {
    "duration_ms": {"minimum": 0},
    "offset": {"minimum": 0},
    "progress": {"minimum": 0, "maximum": 1},
    "step": {"minimum": 1},
    "truncated": {"const": True},
    "call_id": {"minLength": 1},
    "message_id": {"minLength": 1},
    "tool": {"minLength": 1},
    "client_id": {"minLength": 1, "maxLength": 64},
    "code": {"pattern": "^[a-z][a-z_]*$"},
    "id": {"minLength": 1},
    "name": {"minLength": 1},
    "parent_id": {"minLength": 1},
    "updated_at": {"format": "date-time"},
    "deleted_at": {"format": "date-time"},
}

_ERROR_WHERE_IT_FAILED = [
    {"if": {"properties": {"status": {"const": "ok"}}}, "then": {"properties": {"error": False}}},
    {
        "if": {"properties": {"status": {"enum": ["error", "timeout"]}}},
        "then": {"required": ["error"], "properties": {"result": False}},
    },
    {
        "if": {"properties": {"status": {"const": "cancelled"}}},
        "then": {"properties": {"error": False, "result": False}},
    },
]


def json_schema() -> _Schema:
    """The schema of one complete event, as delivered."""
    _, parts = msgspec.json.schema_components([*DATA.values(), AgentRef], ref_template="#/$defs/{name}")
    for part in parts.values():
        _tighten(part)
    parts["ToolCompleted"]["allOf"] = _ERROR_WHERE_IT_FAILED
    parts["AgentFailed"]["properties"]["error"] = {"$ref": "#/$defs/EventError", "required": ["retryable"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Quintet event, version 1",
        "description": "One fact in a user's log. Unknown keys and types must be ignored; no key is ever null.",
        "oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in DATA],
        "$defs": {
            **{kind: _event(kind, data.__name__) for kind, data in DATA.items()},
            **dict(sorted(parts.items())),
            "Value": _value(),
        },
    }


def text() -> str:
    """The published file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _value() -> _Schema:
    """Any JSON in which no key is null; a list may hold one."""
    return {
        "title": "Value",
        "type": ["string", "number", "boolean", "array", "object"],
        "items": {"anyOf": [{"type": "null"}, _REF]},
        "additionalProperties": _REF,
    }


def _tighten(part: _Schema) -> None:
    for name, shape in part["properties"].items():
        shape.update(_REF if not shape else _BOUNDS.get(name, {}))
        if shape.get("items") == {"type": "object"}:
            shape["items"] = {"type": "object", "additionalProperties": _REF}
    part["additionalProperties"] = _REF
    if not part.get("required"):
        part.pop("required", None)


def _event(kind: str, data: str) -> _Schema:
    """The complete event of a type: what must be there, and what must not."""
    properties: _Schema = {
        "v": {"const": 1},
        "type": {"const": kind},
        "seq": _COUNT,
        "first_seq": _COUNT if kind in _RANGES else False,
        "cursor": {"type": "string", "pattern": "^[a-z0-9]{1,16}\\.[1-9][0-9]{0,17}\\.[0-9a-f]{8}$"},
        "id": _NAME,
        "time": {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$"},
        "thread_id": _NAME,
        **dict(_place(kind)),
        "data": {"$ref": f"#/$defs/{data}"},
    }
    required = ["v", "type", "seq", "cursor", "id", "time", "thread_id"]
    required += [name for name in ("run_id", "run_seq", "trace_id", "agent") if properties[name] is not False]
    event: _Schema = {"type": "object", "properties": properties, "required": [*required, "data"]}
    if kind in ENDINGS:
        event["oneOf"] = [
            {"required": ["final"], "properties": {"agent": {"properties": {"parent_id": False}}}},
            {"properties": {"final": False, "agent": {"required": ["parent_id"]}}},
        ]
    return {**event, "additionalProperties": _REF}


def _place(kind: str) -> Iterator[tuple[str, Any]]:
    """The keys that a run's events have and a thread's have not; `final` stands on the root's ending alone."""
    of_run = kind not in _THREAD_EVENTS
    yield "run_id", of_run and _NAME
    yield "run_seq", of_run and _COUNT
    yield "trace_id", of_run and {"type": "string", "pattern": "^[0-9a-f]{32}$"}
    yield "agent", of_run and kind != "message_accepted" and {"$ref": "#/$defs/AgentRef"}
    yield "final", kind in ENDINGS and {"const": True}


if __name__ == "__main__":
    print(text(), end="")  # noqa: T201 - this is what the command is for
