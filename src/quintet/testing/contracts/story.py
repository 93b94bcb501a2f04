"""A record with the checks as methods."""

from collections.abc import Iterable
from collections.abc import Mapping as Keyed
from pathlib import Path
from typing import Any, Self

from . import arriving, ordering, owning, pairing, resuming, shapes, texts, wholeness
from .owning import Mark
from .record import Record
from .seen import Seen

__all__ = ["Story"]

__tracebackhide__ = True  # pytest shows the line of the test, not ours


class Story(Record):
    """What one reader received, and the contracts that can be held against it.

    Each method is the function of its name, and returns the story, so that questions can follow each other.
    """

    def sequence(self, *types: str) -> Self:
        """The events come in an order that can be, or in this one."""
        ordering.sequence(self, *types)
        return self

    def pairs(self, first: str = "", then: str = "") -> Self:
        """Everything that begins ends once, in time."""
        pairing.pairs(self, first, then)
        return self

    def no_gap(self) -> Self:
        """No position is missing."""
        ordering.no_gap(self)
        return self

    def once(self) -> Self:
        """Every event comes once."""
        ordering.once(self)
        return self

    def schema(self, form: Keyed[str, Any] | str | Path | type | None = None) -> Self:
        """Every event has its form."""
        shapes.schema(self, form)
        return self

    def pieces(self) -> Self:
        """What is said in pieces is what was said."""
        texts.pieces(self)
        return self

    def only_user(self, user: str | None = None, *, foreign: Iterable[Mark] = ()) -> Self:
        """Every frame is of one user."""
        owning.only_user(self, user, foreign=foreign)
        return self

    def within(
        self,
        seconds: float,
        first: str = "",
        then: str = "",
        *,
        since: Seen | float | None = None,
        stamped: bool = False,
    ) -> Self:
        """Events come in time."""
        arriving.within(self, seconds, first, then, since=since, stamped=stamped)
        return self

    def silence(self, seconds: float, *types: str, after: Seen | float | None = None) -> Self:
        """Nothing came for so long."""
        arriving.silence(self, seconds, *types, after=after)
        return self

    def closed(self, *, code: int | None = None) -> Self:
        """Every run has ended, once, and nothing of it came after."""
        pairing.closed(self, code=code)
        return self

    def resumes_exactly(self, after: Record, uncut: Record | None = None) -> Self:
        """This story and then `after` are one reading, without hole or double."""
        resuming.resumes_exactly(self, after, uncut)
        return self

    def isolated(self, other: Record, *, marks: tuple[Iterable[Mark], Iterable[Mark]] = ((), ())) -> Self:
        """Nothing of one user is in what the other received, either way."""
        owning.isolated(self, other, marks=marks)
        return self

    def whole(self) -> Self:
        """Every run is here from its first event to its ending and breaks no contract."""
        return wholeness.whole(self)
