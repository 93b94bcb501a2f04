"""What is said in pieces is what was said: `pieces`."""

from .offered import something
from .record import Record
from .seen import ENDINGS, Seen
from .strands import Strand, strands
from .violation import violated

__all__ = ["pieces"]

__tracebackhide__ = True  # pytest shows the line of the test, not ours


def pieces(record: Record) -> None:
    """Each piece of a message begins where the pieces before it end (in Unicode code points), and all of them are the text of the
    ending, which may leave it out only where it says that it is truncated.

    Raises:
        NotOfferedError: the mapping tells no `text`.
        ContractViolation: at the piece with the wrong offset, or at the ending with another text.
    """
    something("pieces", record, "text")
    for strand in strands(record):
        _Joining(record, strand).check()


class _Joining:
    """The messages of one run, as far as they have come."""

    def __init__(self, record: Record, strand: Strand) -> None:
        self.record, self.strand = record, strand
        self.so_far: dict[str | None, str] = {}
        self.broken: set[str | None] = set()
        self.said: dict[str | None, set[str | None]] = {}  # the messages of each agent

    def check(self) -> None:
        for place, seen in enumerate(self.strand.events):
            if place in self.strand.jumps:
                self.broken.update(self.so_far)
            if seen.kind == "text_delta":
                self._join(seen)
            elif seen.kind in ENDINGS:
                self._compare(seen)

    def _join(self, seen: Seen) -> None:
        name, text = seen.message, seen.text or ""
        known = self.so_far.get(name, "")
        offset = len(known) if seen.offset is None else seen.offset
        if name not in self.so_far and offset and not self.strand.complete:
            self.broken.add(name)
        if name not in self.broken and offset != len(known) and not (seen.first is not None and offset < len(known)):
            what = f"{seen} has offset {offset}, the pieces before it have {len(known)} code points"
            violated("pieces", what, self.record, seen)
        self.so_far[name] = known[:offset] + text
        self.said.setdefault(seen.agent, set()).add(name)

    def _compare(self, seen: Seen) -> None:
        message = seen.message
        if message is None:  # an ending that does not name its message means the one its agent has said, if it is one
            named = self.said.get(seen.agent, set())
            if len(named) != 1 or seen.text is None:
                return
            message = next(iter(named))
        if seen.kind != "agent_completed" or message in self.broken:
            return
        joined = self.so_far.get(message)
        if seen.text is None:
            if joined is not None and not seen.truncated:
                violated("pieces", f"{seen} has no text and does not say that it is truncated", self.record, seen)
        elif joined != seen.text and self.strand.complete:
            told = (
                "nothing"
                if joined is None
                else f"{len(joined)} code points, the first difference at {_differ(joined, seen.text)}"
            )
            violated(
                "pieces",
                f"{seen} has a text of {len(seen.text)} code points, its pieces have {told}",
                self.record,
                seen,
            )


def _differ(one: str, other: str) -> int:
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
