"""JSON objects as they come from a server that may send anything."""

import json
from typing import Any

__all__ = ["json_object"]

SHOWN = 400  # bytes of what is none


def json_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in these bytes. Raises `ValueError`: they hold none."""
    told = json.loads(raw)
    if not isinstance(told, dict):
        raise ValueError(f"no JSON object: {raw[:SHOWN]!r}")
    return told
