"""The agents that ship.

`quintet.agents.pydantic_ai`, for agents of your own, and what holds a conversation with a language model need the extra `llm`
and are imported only where a model is configured.
"""

from typing import Any

from quintet.agents.assistant import assistant
from quintet.agents.config import ModelConfig, ModelConfigError
from quintet.agents.triage import triage
from quintet.engine import AgentSpec
from quintet.sources import Sources

__all__ = ["SHIPPED", "ModelConfig", "ModelConfigError", "shipped"]

SHIPPED = (assistant, triage)


def shipped(model: ModelConfig | None = None, sources: Sources | None = None) -> tuple[AgentSpec[Any], ...]:
    """The agents of a server: with a model the assistant holds a conversation, without one it answers by rules.

    Raises:
        ModelConfigError: the model cannot be used; its text is one line for the operator.
    """
    if model is None:
        return SHIPPED
    try:
        from quintet.agents.conversation import conversing
        from quintet.agents.wording import worded
    except ModuleNotFoundError as missing:
        if (missing.name or "quintet").partition(".")[0] == "quintet":
            raise
        raise ModelConfigError(
            f"QUINTET_MODEL is set, but a package it needs is not installed ({missing.name})",
            "Run: pip install 'quintet[llm]'",
        ) from missing
    return (conversing(model, sources or Sources()), worded(model))
