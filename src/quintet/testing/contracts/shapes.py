"""Events as their schema says: `schema`.

1. By default Quintet's published events, for mappings that say so; else a JSON schema of one event, or a type of one's own.
2. A JSON schema is judged by `jsonschema`. Without it, Quintet's events are judged by their types (without patterns and bounds), and
   another schema is an error that says what to install: never a pass.
"""

import json
from collections.abc import Callable
from collections.abc import Mapping as Keyed
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from quintet.events import DATA, ENDINGS, Event

from .offered import NotOfferedError, something
from .record import Record
from .violation import violated

__all__ = ["schema"]

__tracebackhide__ = True  # pytest shows the line of the test, not ours

_Judge = Callable[[dict[str, Any]], str | None]
_LONGEST_FILE = 4 * 1024 * 1024  # bytes
_OUTSIDE_RUNS = frozenset({"thread_updated", "thread_deleted"})


def schema(record: Record, form: Keyed[str, Any] | str | Path | type | None = None) -> None:
    """Every event has its form: a JSON schema (as a dict, or its file), or a type that msgspec converts to (a Struct, a dataclass, a
    TypedDict). Without one, the mapping's; Quintet's own mapping names the published events.

    Raises:
        NotOfferedError: no schema was given, and the mapping names none.
        ModuleNotFoundError: a JSON schema was given, and `jsonschema` is not installed.
        ContractViolation: at the first event that has another form.
    """
    something("schema", record)
    judge = _judge(record, form)
    for seen in record:
        fault = judge(seen.body) if seen.event else None
        if fault is not None:
            violated("schema", f"{seen} does not keep its schema: {fault}", record, seen, due=fault)


def _judge(record: Record, form: Keyed[str, Any] | str | Path | type | None) -> _Judge:
    asked = record.mapping.schema if form is None else form
    if asked is None:
        raise NotOfferedError("schema", record, "schema")
    if asked == "quintet":
        return _published() if _jsonschema() else _typed
    if isinstance(asked, type):
        return lambda body: _converted(body, asked)
    return _by_json_schema(asked if isinstance(asked, Keyed) else _read(Path(asked)))


def _jsonschema() -> Any:
    try:
        import jsonschema
    except ModuleNotFoundError:
        return None
    return jsonschema


def _read(file: Path) -> Keyed[str, Any]:
    if file.stat().st_size > _LONGEST_FILE:
        raise ValueError(f"{file}: over {_LONGEST_FILE} bytes")
    told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return told


def _by_json_schema(told: Keyed[str, Any]) -> _Judge:
    jsonschema = _jsonschema()
    if jsonschema is None:
        raise ModuleNotFoundError(
            "schema: a JSON schema is judged by jsonschema, which is missing: pip install jsonschema"
        )
    kind = jsonschema.validators.validator_for(told)
    kind.check_schema(told)
    validator = kind(told)

    def judge(body: dict[str, Any]) -> str | None:
        fault = jsonschema.exceptions.best_match(validator.iter_errors(body))
        return None if fault is None else f"{fault.json_path}: {str(fault.message)[:300]}"

    return judge


@cache
def _published() -> _Judge:
    """One validator a type: the fault of an event is then its own, and not that it is none of the ten other types."""
    from quintet.events_schema import json_schema

    told = json_schema()
    judges = {kind: _by_json_schema({"$ref": f"#/$defs/{kind}", "$defs": told["$defs"]}) for kind in DATA}

    def judge(body: dict[str, Any]) -> str | None:
        kind = body.get("type")
        return judges[kind](body) if isinstance(kind, str) and kind in judges else f"there is no type {kind!r}"

    return judge


def _converted(body: dict[str, Any], form: Any) -> str | None:
    try:
        msgspec.convert(body, form)
    except msgspec.ValidationError as fault:
        return str(fault)
    return None


def _typed(body: dict[str, Any]) -> str | None:
    """Quintet's events by their types alone."""
    kind = body.get("type")
    if not isinstance(kind, str) or kind not in DATA:
        return f"there is no type {kind!r}"
    for level in (body, body.get("data"), body.get("agent")):
        for key, value in level.items() if isinstance(level, dict) else ():
            if value is None:
                return f"`{key}` is null"
    fault = _converted(body, Event) or _converted(body.get("data", {}), DATA[kind])
    return fault or _placed(kind, body)


def _placed(kind: str, body: dict[str, Any]) -> str | None:
    of_run = kind not in _OUTSIDE_RUNS
    due = {"run_id": of_run, "run_seq": of_run, "trace_id": of_run, "agent": of_run and kind != "message_accepted"}
    for key, there in due.items():
        if (key in body) != there:
            return f"`{key}` is missing" if there else f"`{key}` has no place in it"
    if "final" in body and kind not in ENDINGS:
        return "`final` has no place in it"
    return None if not isinstance(body["seq"], int) or body["seq"] >= 1 else "`seq` is below 1"
