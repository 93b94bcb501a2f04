"""Patching private names of the product in a test's own server process. What is not there cannot be patched, loudly."""

from typing import Any

__all__ = ["replace"]


def replace(owner: Any, name: str, new: Any) -> Any:
    """Replace what must be there; returns what was. Raises KeyError otherwise."""
    old = owner.__dict__[name]
    setattr(owner, name, new)
    return old
