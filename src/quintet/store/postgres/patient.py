"""The driver's connection with an end to every wait: a pooler or a network that holds a connection open and says nothing looks like work.

1. TCP notices a dead peer within seconds; it does not notice a living relay before a dead database.
2. The bound is longer than the server's own for a statement, so a server that lives is always the one that gives up.
3. A connection that was given up is closed: what it was doing may still take place, and nobody may read its answer as another's.
"""

from typing import Any, TypeVar

import psycopg

__all__ = ["PROMPT", "STATEMENT", "Raw"]

STATEMENT = 30  # seconds that the server gives a statement
PROMPT = 6.0  # seconds for what is answered at once or not at all: greetings, probes, notices
_PATIENT = STATEMENT + 5.0

T = TypeVar("T")


class Raw(psycopg.Connection[tuple[Any, ...]]):
    """The driver's connection. `patience` in seconds; None where a statement may take as long as it takes."""

    patience: float | None = PROMPT

    def work(self) -> None:
        """From now on with the bound of real work."""
        self.patience = _PATIENT

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """See the driver. Raises `psycopg.OperationalError` once its patience is at an end."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.patience)
        except psycopg.errors._WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError(
                f"no answer within {self.patience:g} s: the connection is given up"
            ) from None
