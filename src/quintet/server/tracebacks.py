"""How an exception stands in the log: by class and places everywhere, with its text and traceback in development alone.

1. The text of an exception may hold what a user wrote, or a secret. In production it goes nowhere.
2. In development whoever writes an agent sees it on the terminal; values that are known to be secret are hidden even there.
3. Either way it is bounded: causes, frames, characters.
"""

import sys
import traceback
from collections.abc import Callable, Collection, Iterator, MutableMapping
from typing import Any

from quintet.redaction import mask_text

__all__ = ["Line", "whole", "without_text"]

_FRAMES = 20
_CAUSES = 5
_CHARACTERS = 16_000

Line = MutableMapping[str, Any]


def without_text(_: Any, __: str, line: Line) -> Line:
    """Put the class and the places of an exception in the place of its text."""
    error = _taken(line)
    if error is not None:
        chain = list(_chain(error))
        line["failure"] = [type(one).__qualname__ for one in chain]
        line["places"] = [place for one in chain for place in _places(one)]
    return line


def whole(secrets: Collection[str]) -> Callable[[Any, str, Line], Line]:
    """A processor that puts the traceback, as Python prints it, under the line, and hides these values in all of it."""

    def told(_: Any, __: str, line: Line) -> Line:
        error = _taken(line)
        if error is not None:
            line["exception"] = _bounded(mask_text(_printed(error), secrets))
        return line

    return told


def _taken(line: Line) -> BaseException | None:
    """The exception of a line, which has it no longer."""
    given = line.pop("exc_info", None)
    line.pop("stack_info", None)
    error = sys.exception() if given is True else given[1] if isinstance(given, tuple) else given
    return error if isinstance(error, BaseException) else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception, then what caused it."""
    for _ in range(_CAUSES):
        if error is None:
            return
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _places(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def _printed(error: BaseException) -> str:
    try:
        return "".join(traceback.TracebackException.from_exception(error, limit=-_FRAMES, compact=True).format())
    except Exception:  # a hostile __str__ or a chain of thousands must not cost the line
        return f"{type(error).__qualname__} (its text could not be made)"


def _bounded(text: str) -> str:
    """The end says most, the beginning says where it came from."""
    half = _CHARACTERS // 2
    return text.rstrip() if len(text) <= _CHARACTERS else f"{text[:half]}\n  [...]\n{text[-half:].rstrip()}"
