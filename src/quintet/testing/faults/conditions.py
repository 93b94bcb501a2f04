"""What one direction of a proxy does to the bytes that pass, and the figures of what it has done.

Conditions change on the proxy's loop only; whoever waits under the old ones is woken and looks again.
"""

from dataclasses import dataclass
from typing import Literal

from quintet.testing.loops import Pulse

__all__ = ["Conditions", "Counts", "Cut", "How", "Tally", "Way"]

Way = Literal["down", "up", "both"]  # down: from the server to the client
How = Literal["reset", "close", "silence"]


@dataclass(frozen=True)
class Counts:
    """What a proxy has done so far. `up` and `down` are bytes that were passed on, `swallowed` bytes that were not."""

    connections: int = 0
    open: int = 0
    up: int = 0
    down: int = 0
    delayed: int = 0  # chunks that waited for their latency
    slowed: int = 0  # pieces that waited for the rate
    stalled: int = 0  # chunks that waited for the end of a stall
    resets: int = 0  # connections reset
    cuts: int = 0  # connections cut at a byte or inside a frame
    half_closes: int = 0
    swallowed: int = 0


class Tally:
    """Figures under way, and a pulse whenever one changes."""

    def __init__(self) -> None:
        self._figures: dict[str, int] = {}
        self.pulse = Pulse()

    def add(self, name: str, by: int = 1) -> None:
        """Raise a figure."""
        self._figures[name] = self._figures.get(name, 0) + by
        self.pulse.beat()

    def counts(self) -> Counts:
        """The figures now."""
        return Counts(**self._figures.copy())


@dataclass(frozen=True)
class Cut:
    """End a connection after so many bytes more, or inside the n-th frame of a WebSocket that begins from now on."""

    how: How = "reset"
    after: int | None = None
    frame: int | None = None


class Conditions:
    """Of one direction, for all connections of a proxy. Seconds, and bytes a second."""

    def __init__(self) -> None:
        self.latency = 0.0
        self.jitter = 0.0
        self.rate: float | None = None
        self.stalled = False
        self.cut: Cut | None = None
        self.pulse = Pulse()

    def clear(self) -> None:
        """Fair weather. A connection that was cut or half-closed stays so."""
        self.latency = self.jitter = 0.0
        self.rate, self.stalled, self.cut = None, False, None
        self.pulse.beat()
