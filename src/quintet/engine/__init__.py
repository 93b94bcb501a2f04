"""Who answers: agents, their turns and tools, and the worker that runs them.

Agents and tools are light to import; the worker, which needs the store, is imported when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from quintet.engine.agent import AgentSpec, agent
from quintet.engine.attachment import Attachment
from quintet.engine.failures import AgentError, ToolError
from quintet.engine.limits import Limits
from quintet.engine.message import Message
from quintet.engine.registry import Registry, RegistryError
from quintet.engine.tool import ToolSpec, tool
from quintet.engine.turn import SyncTurn, Turn

if TYPE_CHECKING:
    from quintet.engine.worker import Worker

__all__ = [
    "AgentError",
    "AgentSpec",
    "Attachment",
    "Limits",
    "Message",
    "Registry",
    "RegistryError",
    "SyncTurn",
    "ToolError",
    "ToolSpec",
    "Turn",
    "Worker",
    "agent",
    "tool",
]


def __getattr__(name: str) -> Any:
    if name == "Worker":
        return import_module("quintet.engine.worker").Worker
    raise AttributeError(name)
