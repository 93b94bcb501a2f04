"""What of a conversation a model is reminded of: the newest messages that fit, whole, beginning with a person's."""

from collections.abc import Sequence
from typing import NamedTuple

from quintet.engine import Message

__all__ = ["Memory", "remembered"]


class Memory(NamedTuple):
    """The messages that are kept, oldest first, and how many older ones are not."""

    kept: Sequence[Message]
    left_out: int


def remembered(history: Sequence[Message], most: int) -> Memory:
    """The end of `history` that has at most `most` characters.

    Messages stay whole: half a report misleads more than none. The first one kept is a person's, since an answer without its question
    is refused by some providers and understood by none.
    """
    room, start = most, len(history)
    for place in range(len(history) - 1, -1, -1):
        room -= len(history[place].text)
        if room < 0:
            break
        if history[place].role == "user":
            start = place
    return Memory(history[start:], start)
