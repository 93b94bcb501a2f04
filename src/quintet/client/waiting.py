"""How long to wait before trying again. Pure: chance is an argument."""

from collections.abc import Callable

__all__ = ["Backoff"]

_FIRST = 0.25
_LONGEST = 15.0


class Backoff:
    """Waits that double, with jitter, so that the clients of a restarted server do not come back in step."""

    def __init__(self, chance: Callable[[], float]) -> None:
        """`chance` gives numbers from 0 to 1."""
        self._chance = chance
        self.tries = 0

    def next(self) -> float:
        """Seconds to wait. The first wait is short: most lost connections can be made again at once."""
        longest = min(_LONGEST, _FIRST * float(1 << self.tries))
        self.tries = min(self.tries + 1, 16)
        least = 0.0 if self.tries == 1 else longest / 2
        return least + (longest - least) * self._chance()

    def reset(self) -> None:
        """Something has worked."""
        self.tries = 0
