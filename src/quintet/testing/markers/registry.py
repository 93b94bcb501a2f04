"""The markers that every invocation knows, from whatever folder: those of the project's table and the kit's own four."""

import re
from collections.abc import Mapping
from typing import Final

import pytest

from quintet.testing.config import KitConfig, Marker

__all__ = ["BUILT_IN", "L3", "declared", "names", "register"]

L3: Final = "l3"
BUILT_IN: Final = {
    "l1": Marker("l1", "one unit alone, no input or output"),
    "l2": Marker("l2", "parts of one process working together"),
    L3: Marker(L3, "real services over real protocols: none may be missing, nothing of network or database is patched"),
    "business_value": Marker("business_value", "what the test is worth to those who pay for it; takes any arguments"),
}


def declared(kit: KitConfig) -> Mapping[str, Marker]:
    """All markers by name; a table may give one of the kit's own another meaning."""
    return {**BUILT_IN, **kit.markers}


def names(config: pytest.Config) -> list[str]:
    """The names that pytest knows now, one for each line of its `markers` setting."""
    return [re.split("[:(]", line, maxsplit=1)[0].strip() for line in config.getini("markers")]


def register(config: pytest.Config, kit: KitConfig) -> None:
    """Tells pytest the names that the ini file has not told it already."""
    known = set(names(config))
    for marker in declared(kit).values():
        if marker.name not in known:
            config.addinivalue_line("markers", f"{marker.name}: {marker.meaning}")
