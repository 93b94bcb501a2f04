"""What a project asks of Quintet's test kit: the names in `[tool.quintet.test]`. The kit itself reads and judges the table; this only looks."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .tree import Tree

__all__ = ["asked"]


def asked(tree: Tree, part: str) -> Mapping[str, Any]:
    """A part of the table, such as `env` or `markers`; empty where the project asks for nothing."""
    try:
        found: Any = tomllib.loads(tree.text(Path("pyproject.toml")) or "")
    except tomllib.TOMLDecodeError:
        return {}
    for key in ("tool", "quintet", "test", part):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
