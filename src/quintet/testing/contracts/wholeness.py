"""Everything that holds of every run that was received from its beginning to its end: `whole`."""

from collections.abc import Callable
from typing import TypeVar

from .offered import NotOfferedError, something
from .ordering import no_gap, once, sequence
from .owning import only_user
from .pairing import closed, pairs
from .record import Record
from .shapes import schema
from .strands import strands
from .texts import pieces
from .violation import violated

__all__ = ["whole"]

__tracebackhide__ = True  # pytest shows the line of the test, not ours

R = TypeVar("R", bound=Record)

# Those that need no argument; arrival, silence, isolation and resuming are questions of a test.
_ALWAYS: tuple[Callable[[Record], None], ...] = (sequence, pairs, closed)
_WHERE_OFFERED: tuple[Callable[[Record], None], ...] = (no_gap, once, pieces, only_user, schema)


def whole(record: R) -> R:
    """Every run of the story is here from its first event to its ending and breaks no contract; returns the story.

    A check that the mapping gives nothing to judge by is left out.

    Raises:
        ContractViolation: at the first deviation.
    """
    something("whole", record)
    found = strands(record)
    if not found:
        violated("whole", "no event of a run was received", record)
    for strand in found:
        if not strand.begun or strand.torn:
            what = f"the beginning of run {strand.run}" if not strand.begun else f"a part of run {strand.run}"
            violated("whole", f"{what} was not received", record, strand.events[0])
    for check in _ALWAYS:
        check(record)
    for check in _WHERE_OFFERED:
        try:
            check(record)
        except NotOfferedError:
            continue
    return record
