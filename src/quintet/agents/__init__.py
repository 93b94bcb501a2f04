"""The agents that ship."""

from quintet.agents.assistant import assistant
from quintet.agents.triage import triage

__all__ = ["SHIPPED"]

SHIPPED = (assistant, triage)
