"""Quintet: a backend for multi-user agent chat.

What an agent needs is here, and what a client needs, imported when it is asked for: `from quintet import Turn, agent, tool, connect`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quintet.client import connect
    from quintet.engine.agent import agent
    from quintet.engine.failures import AgentError, ToolError
    from quintet.engine.tool import tool
    from quintet.engine.turn import Turn

__all__ = ["AgentError", "ToolError", "Turn", "__version__", "agent", "connect", "tool"]

__version__ = "0.1.0"

_HOMES = {
    "AgentError": "quintet.engine.failures",
    "ToolError": "quintet.engine.failures",
    "Turn": "quintet.engine.turn",
    "agent": "quintet.engine.agent",
    "connect": "quintet.client",
    "tool": "quintet.engine.tool",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'quintet' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
