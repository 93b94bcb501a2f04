"""A TCP proxy between any two, that does to a connection what networks do: delays, stalls, resets, refuses, starves, cuts.

Conditions can be switched while connections are open; the proxy runs in a thread of its own, so tests of any kind can use it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quintet.testing.faults.conditions import Counts
    from quintet.testing.faults.proxy import Faults, Proxy

__all__ = ["Counts", "Faults", "Proxy"]


def __getattr__(name: str) -> Any:
    """Loaded when asked for: the plugin looks only at `hooks`."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import conditions, proxy

    return getattr(conditions, name, None) or getattr(proxy, name)
