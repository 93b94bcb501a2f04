"""A broken contract, told so that it can be understood without running again: what, where in the story, and what the server said."""

from collections.abc import Sequence
from typing import NoReturn

from .record import Record
from .seen import Seen
from .timeline import timeline, window

__all__ = ["ContractViolation", "violated"]

__tracebackhide__ = True  # pytest shows the line of the test, not ours

LOG_LINES = 40


class ContractViolation(AssertionError):  # noqa: N818 - it is what a reader of a test looks for
    """A check found that a story breaks its contract.

    `check` is the check's name, `what` the sentence, `at` the first frame that deviates (None: one is missing at the end).
    """

    def __init__(self, check: str, what: str, record: Record, at: Seen | None, text: str) -> None:
        super().__init__(text)
        self.check, self.what, self.record, self.at = check, what, record, at


def violated(
    check: str, what: str, record: Record, at: Seen | None = None, *, due: str = "", also: Sequence[Seen] = ()
) -> NoReturn:
    """Raises `ContractViolation` with the timeline, a mark at the first deviation, and the server's log of that window."""
    name = f" of story {record.name!r}" if record.name else ""
    closing = "" if record.closing is None else _closing(record)
    parts = [f"{check}: {what}", f"{len(record)} frames{name}:", timeline(record, at, due=due, also=also) + closing]
    said = _log(record, at)
    raise ContractViolation(check, what, record, at, "\n".join([*parts, *([said] if said else [])]))


def _closing(record: Record) -> str:
    end = record.closing
    assert end is not None
    code = "" if end.code is None else f" with {end.code}{f' {end.reason}' if end.reason else ''}"
    return f"\n  the connection ended{code} at {end.at - record.begun:.3f}"


def _log(record: Record, at: Seen | None) -> str:
    """What the server logged while the rows that are shown arrived, and after them."""
    if record.log is None:
        return ""
    frames = list(record)
    start, _ = window(frames, at)
    since = frames[start - 1].logged if start else record.origin.logged
    lines = record.log.logged(since).splitlines()
    shown = lines[:LOG_LINES]
    more = [f"  … {len(lines) - len(shown)} later lines"] if len(lines) > len(shown) else []
    return "\n".join([f"--- the log of {record.log.name} from then on, {len(lines)} lines ---", *shown, *more])
