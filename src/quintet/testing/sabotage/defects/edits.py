"""Changes in the JSON of a message, at the places that the mapping names and at those it does not."""

import copy
import secrets
from collections.abc import Iterator
from typing import Any

from quintet.testing.contracts import Mapping
from quintet.testing.sabotage.messages import Message

__all__ = ["changed", "dropped", "free_leaf", "later", "place_of", "value_at"]

Path = tuple[str, ...]
DEEPEST = 2  # keys: below lie arguments and results, whose form is nobody's contract


def place_of(mapping: Mapping, field: str, body: dict[str, Any]) -> Path | None:
    """Where this field stands in this body."""
    source = mapping.sources.get(field)
    paths = source.paths if source is not None else ()
    return next((path for path in paths if value_at(body, path) is not None), None)


def value_at(body: Any, path: Path) -> Any:
    """What stands there, or None."""
    here = body
    for key in path:
        here = here.get(key) if isinstance(here, dict) else None
    return here


def changed(message: Message, path: Path, value: Any) -> Message:
    """With another value at this place."""
    body = copy.deepcopy(message.body)
    _holder(body, path)[path[-1]] = value
    return message.with_body(body)


def dropped(message: Message, path: Path) -> Message:
    """Without this place."""
    body = copy.deepcopy(message.body)
    del _holder(body, path)[path[-1]]
    return message.with_body(body)


def later(message: Message, mapping: Mapping) -> Message:
    """The same as the next event: one position on, and another id."""
    for field in ("order", "run_order", "id"):
        path = place_of(mapping, field, message.body)
        if path is not None:
            old = value_at(message.body, path)
            new = old + 1 if isinstance(old, int) else secrets.token_hex(8)
            message = changed(message, path, new)
    return message


def free_leaf(body: dict[str, Any], mapping: Mapping) -> Path | None:
    """The last value that the mapping does not name, and that every event of its type can be expected to have."""
    known = {path for source in mapping.sources.values() for path in source.paths}
    found = [path for path in _leaves(body, ()) if path not in known]
    deep = [path for path in found if len(path) > 1]
    listed = deep or found
    return listed[-1] if listed else None


def _holder(body: dict[str, Any], path: Path) -> dict[str, Any]:
    here = body
    for key in path[:-1]:
        here = here[key]
    return here


def _leaves(here: dict[str, Any], path: Path) -> Iterator[Path]:
    for key, value in here.items():
        if isinstance(value, (str, int, float)):
            yield (*path, key)
        elif isinstance(value, dict) and len(path) + 1 < DEEPEST:
            yield from _leaves(value, (*path, key))
