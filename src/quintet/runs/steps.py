"""The states of a run, the steps between them as a table, and the values a transaction is given instead of a clock."""

import hashlib
from typing import NamedTuple

from quintet.sources import Sources

__all__ = ["OPEN", "STEPS", "Ids", "Moment", "moment", "step"]

# (state, what happens) -> state. What is not here cannot happen.
STEPS: dict[tuple[str, str], str] = {
    ("queued", "leased"): "running",
    ("queued", "cancelled"): "cancelled",
    ("queued", "failed"): "failed",
    ("running", "completed"): "completed",
    ("running", "failed"): "failed",
    ("running", "cancelled"): "cancelled",
}
OPEN = frozenset({"queued", "running"})


def step(state: str, happens: str) -> str | None:
    """The state after `happens`; None when that is no legal step."""
    return STEPS.get((state, happens))


class Ids:
    """Ids that a transaction may make again when it is run again: the same seed gives the same ids."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._count = 0
        self._made: list[str] = []  # of one hash, which gives four

    def event(self) -> str:
        """32 hexadecimal digits."""
        if not self._made:
            self._count += 1
            digits = hashlib.blake2b(self._count.to_bytes(4), digest_size=64, key=self._seed).hexdigest()
            self._made = [digits[96:], digits[64:96], digits[32:64], digits[:32]]
        return self._made.pop()

    def new(self, prefix: str) -> str:
        """An id with a readable prefix."""
        return f"{prefix}_{self.event()[:24]}"


class Moment(NamedTuple):
    """When a transaction was asked for (milliseconds since 1970) and the seed of the ids it makes."""

    now_ms: int
    seed: bytes

    def ids(self) -> Ids:
        """A fresh source of ids; made at the start of each transaction function."""
        return Ids(self.seed)


def moment(sources: Sources) -> Moment:
    """The values of now, made outside the transaction."""
    return Moment(sources.now_ms(), sources.token_bytes(16))
