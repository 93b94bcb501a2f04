"""The services of one pytest process: handles by name."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from quintet.testing.services.handle import Running, ServiceError

__all__ = ["Services"]


class Services(Mapping[str, Running]):
    """Handles by name, `services["api"]` or `services.api`."""

    def __init__(self) -> None:
        self.handles: dict[str, Running] = {}

    def __getitem__(self, name: str) -> Running:
        if name not in self.handles:
            near = get_close_matches(name, self.handles, 1)
            advice = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(self.handles) or 'none'}"
            raise ServiceError(f"no service {name!r} in [tool.quintet.test.services]; {advice}")
        return self.handles[name]

    def __getattr__(self, name: str) -> Running:
        if name.startswith("_") or name == "handles":
            raise AttributeError(name)
        return self[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.handles)

    def __len__(self) -> int:
        return len(self.handles)
