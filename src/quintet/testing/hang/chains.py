"""The chain of awaits from a task down to what it waits for: coroutines, generators, async generators, wrapped awaitables, futures.

What has no attribute that says what it awaits (an async generator's `asend`, a coroutine's wrapper, a future's iterator) is asked for the
objects it refers to. Nothing of the project's is called: no repr, no property.
"""

import gc
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, Final

from quintet.testing.hang.frames import Step, step

__all__ = ["chain"]

_DEEPEST: Final = 60
_WAITS: Final = (
    (CoroutineType, "cr_frame", "cr_await"),
    (AsyncGeneratorType, "ag_frame", "ag_await"),
    (GeneratorType, "gi_frame", "gi_yieldfrom"),
)


def chain(awaited: Any) -> list[Step]:
    """The frames from the outermost coroutine inwards."""
    steps: list[Step] = []
    for _ in range(_DEEPEST):
        names = next((names for kind, *names in _WAITS if isinstance(awaited, kind)), None)
        if names is not None:
            frame, inner = (getattr(awaited, name) for name in names)
            if frame is not None:
                steps.append(step(frame))
            awaited = inner
        elif awaited is not None:
            awaited = _inside(awaited)
        if awaited is None:
            break
    return steps


def _inside(awaited: Any) -> Any:
    """The coroutine or generator that an opaque awaitable drives."""
    kinds = tuple(kind for kind, *_ in _WAITS)
    return next((one for one in gc.get_referents(awaited) if isinstance(one, kinds)), None)
