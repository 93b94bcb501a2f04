"""The agents that ship."""

from quintet.agents.assistant import assistant

__all__ = ["SHIPPED"]

SHIPPED = (assistant,)
