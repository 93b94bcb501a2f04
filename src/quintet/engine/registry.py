"""Names and the agents behind them. What cannot be understood stops the start, with a sentence that says what to do."""

import importlib
from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from typing import Any

from quintet.engine.agent import AgentSpec

__all__ = ["Registry", "RegistryError"]


class RegistryError(Exception):
    """The agents asked for cannot be had. The message is written for the operator."""


class Registry:
    """The agents of this process, by name."""

    def __init__(self, agents: Iterable[AgentSpec[Any]] = ()) -> None:
        self._agents: dict[str, AgentSpec[Any]] = {}
        self._sources: dict[str, str] = {}
        for spec in agents:
            self.add(spec)

    def add(self, spec: AgentSpec[Any], source: str = "this program") -> None:
        """Take in one agent; the same one twice is no harm.

        Raises:
            RegistryError: another agent has its name.
        """
        known = self._agents.get(spec.name)
        if known is not None and known is not spec:
            raise RegistryError(
                f"two agents are called {spec.name!r}: one from {self._sources[spec.name]}, one from {source}."
                " Give one of them another name: @agent(name=…)."
            )
        if known is None:
            self._agents[spec.name] = spec
            self._sources[spec.name] = source

    def load(self, modules: Sequence[str]) -> None:
        """Take in the agents that stand in `modules` (`package.module`).

        Raises:
            RegistryError: no such module, one that cannot be imported, one without agents, or two agents of one name.
        """
        for name in modules:
            module = _imported(name)
            found = [value for value in vars(module).values() if isinstance(value, AgentSpec)]
            if not found:
                raise RegistryError(f"there is no agent in the module {name!r}: put @agent over a function of a turn")
            for spec in found:
                self.add(spec, name)

    def get(self, name: str) -> AgentSpec[Any] | None:
        """The agent of this name."""
        return self._agents.get(name)

    def descriptions(self) -> dict[str, str]:
        """Name and description of each."""
        return {name: spec.description for name, spec in self._agents.items()}

    def accepted(self) -> dict[str, tuple[str, ...]]:
        """Name and the media types of attachments of each."""
        return {name: spec.attachments for name, spec in self._agents.items()}

    def __iter__(self) -> Iterator[AgentSpec[Any]]:
        return iter(self._agents.values())

    def __len__(self) -> int:
        return len(self._agents)


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise RegistryError(f"there is no module {name!r} to take agents from") from error
        raise RegistryError(f"the module {name!r} needs {error.name!r}, which is not installed") from error
    except Exception as error:
        raise RegistryError(f"the module {name!r} cannot be imported: {type(error).__name__}: {error}") from error
