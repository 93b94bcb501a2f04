"""What our scripted agents' runs are asked besides the contracts."""

import re
from collections.abc import Iterable
from datetime import datetime

from quintet.testing.contracts import Seen

__all__ = ["agents", "delays_of", "instant"]

_STAMP = re.compile(r"@(\d+\.\d+)$")


def agents(run: Iterable[Seen], name: str) -> list[Seen]:
    """The events of the agents of this name."""
    return [seen for seen in run if seen.agent is not None and seen["agent"]["name"] == name]


def instant(seen: Seen) -> float:
    """The event's own time, in Unix seconds."""
    return datetime.fromisoformat(seen["time"].replace("Z", "+00:00")).timestamp()


def delays_of(run: Iterable[Seen]) -> list[float]:
    """Seconds from the agent's own clock, spoken in its thought, to the arrival at the client."""
    found = [(seen, _STAMP.search(seen.text or "")) for seen in run if seen.kind == "agent_thinking"]
    return [seen.wall - float(stamp[1]) for seen, stamp in found if stamp]
