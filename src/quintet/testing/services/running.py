"""The services of one pytest process: handles by name, their addresses in the environment."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from quintet.testing.environment.publishing import Published
from quintet.testing.services.handle import Running, ServiceError
from quintet.testing.services.starting import addresses

__all__ = ["Services"]


class Services(Mapping[str, Running]):
    """Handles by name, `services["api"]` or `services.api`."""

    def __init__(self, handles: Mapping[str, Running], texts: Mapping[str, str], published: Published) -> None:
        self._handles = dict(handles)
        self._texts = texts
        self._published = published

    def __getitem__(self, name: str) -> Running:
        if name not in self._handles:
            near = get_close_matches(name, self._handles, 1)
            advice = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(self._handles) or 'none'}"
            raise ServiceError(f"no service {name!r} in [tool.quintet.test.services]; {advice}")
        return self._handles[name]

    def __getattr__(self, name: str) -> Running:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __contains__(self, name: object) -> bool:
        return name in self._handles

    def __iter__(self) -> Iterator[str]:
        return iter(self._handles)

    def __len__(self) -> int:
        return len(self._handles)

    def publish(self) -> None:
        """Puts the project's variables in the environment. Raises `LookupError` for a reference to what a service does not have."""
        self._published.put(self._texts, addresses(self._handles))
