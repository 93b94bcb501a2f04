"""A stage on which the assistant talks to a scripted provider."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from engine.stage import Stage
from model.provider import Provider
from quintet.agents import ModelConfig, shipped

__all__ = ["KEY", "configured", "talking"]

KEY = "sk-canary-5f0a9b7d21"


def configured(url: str, **changed: Any) -> ModelConfig:
    """The assistant's model: the scripted provider at `url`."""
    return ModelConfig(**{"name": "openai:scripted", "base_url": url, "api_key": KEY, "seconds": 5.0, **changed})


@asynccontextmanager
async def talking(folder: Path, *answers: Any, **changed: Any) -> AsyncIterator[tuple[Stage, Provider]]:
    """A worker with the shipped agents, and the provider that answers them."""
    async with Provider(*answers) as provider, Stage(folder, shipped(configured(provider.url, **changed))) as stage:
        yield stage, provider
