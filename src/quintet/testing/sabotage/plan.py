"""What an exchange has to know of the relay that carries it."""

import asyncio
from typing import NamedTuple, Protocol

from quintet.testing.contracts import Mapping
from quintet.testing.sabotage.defects import Defect
from quintet.testing.sabotage.scene import Scene

__all__ = ["Ends", "Plan"]


class Ends(NamedTuple):
    """Both ends of a TCP connection that is ours."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Plan(Protocol):
    """What the relay is to do."""

    mapping: Mapping
    scene: Scene
    defects: list[Defect]
    active: Defect | None  # None: they only count what they could do

    async def upstream(self, place: tuple[str, int]) -> Ends:
        """A new connection to a server."""
