"""What a person at the terminal is told beside the output."""

import sys

__all__ = ["say"]


def say(line: str) -> None:
    """A line for the person at the terminal."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - what a person reads on a terminal
