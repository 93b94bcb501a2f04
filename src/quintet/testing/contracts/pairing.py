"""What belongs together: `pairs` (a start and its ending, a tool's begin and its end) and `closed` (a run's one ending).

1. A run may interleave its calls; the call's id tells them apart. Where the mapping tells no id, they are counted.
2. Something open is a violation only once what holds it has ended: a run that goes on may have open calls.
3. A run that is not whole in the record may end what was never seen to begin, and the other way round.
"""

from .offered import something
from .record import Record
from .seen import ENDINGS, Seen
from .strands import Strand, strands
from .violation import violated

__all__ = ["closed", "pairs"]

__tracebackhide__ = True  # pytest shows the line of the test, not ours


def pairs(record: Record, first: str = "", then: str = "") -> None:
    """Everything that begins ends once, in time: each `tool_executing` has one `tool_completed` of the same call and agent before
    that agent ends; each invocation of an agent has one start and one ending before its run ends.

    With `first` and `then`, two types of one's own are paired by call, else by agent, else by run.

    Raises:
        ContractViolation: at the event that has no partner, or a second one.
    """
    something("pairs", record)
    for strand in strands(record):
        if first:
            _Pairing(record, strand, first, then).check()
            continue
        words = record.mapping.words
        if words("tool_executing") and words("tool_completed"):
            _Pairing(record, strand, "tool_executing", "tool_completed").check()
        if words("agent_started"):
            _invocations(record, strand)


class _Pairing:
    """Pairs of two types within one run."""

    def __init__(self, record: Record, strand: Strand, first: str, then: str) -> None:
        self.record, self.strand, self.first, self.then = record, strand, first, then
        self.open: dict[str, list[Seen]] = {}
        self.done: dict[str, Seen] = {}

    def check(self) -> None:
        for place, seen in enumerate(self.strand.events):
            if place in self.strand.jumps:
                self.open.clear()
            if seen.named(self.first):
                self._begin(seen)
            elif seen.named(self.then):
                self._end(seen)
            if seen.final or seen.kind in ENDINGS:
                self._ended(seen)

    def _key(self, seen: Seen) -> str:
        return seen.call or seen.agent or ""

    def _begin(self, seen: Seen) -> None:
        key = self._key(seen)
        begun = self.open.get(key)
        again = begun[0] if begun else self.done.get(key)
        if seen.call is not None and again is not None:
            violated("pairs", f"{seen} has the call id of another {self.first}", self.record, seen, also=[again])
        self.open.setdefault(key, []).append(seen)

    def _end(self, seen: Seen) -> None:
        key = self._key(seen)
        begun = self.open.get(key, [])
        if not begun:
            if key in self.done and seen.call is not None:
                what = f"{seen} is a second {self.then} for its {self.first}"
                violated("pairs", what, self.record, seen, also=[self.done[key]])
            if self.strand.complete:
                what = f"{seen} has no {self.first} before it"
                violated("pairs", what, self.record, seen, due=f"{self.first} was due before this")
            return
        beginning = begun.pop(0)
        if beginning.agent != seen.agent:
            what = f"{seen} is of agent {seen.agent}, its {self.first} of {beginning.agent}"
            violated("pairs", what, self.record, seen, also=[beginning])
        self.done[key] = seen

    def _ended(self, seen: Seen) -> None:
        """The run has ended, or one agent of it: nothing of it is open."""
        for begun in self.open.values():
            for beginning in begun:
                if seen.final or (seen.agent is not None and beginning.agent == seen.agent):
                    what = f"{beginning} has no {self.then} before {seen}"
                    violated("pairs", what, self.record, beginning, due=f"{self.then} was due after this", also=[seen])


def _invocations(record: Record, strand: Strand) -> None:
    """Each start of an agent has one ending before the run ends, and each ending a start."""
    open_now: dict[str, Seen] = {}
    ended: dict[str, Seen] = {}
    for place, seen in enumerate(strand.events):
        if place in strand.jumps:
            open_now.clear()
        who = seen.agent or ""
        if seen.kind == "agent_started":
            open_now[who] = seen
        elif seen.kind in ENDINGS:
            if who in ended:
                violated("pairs", f"{seen} is a second ending of its agent", record, seen, also=[ended[who]])
            if who not in open_now and strand.complete and not (seen.final and len(strand.events) == 2):
                violated("pairs", f"{seen} has no agent_started before it", record, seen)
            open_now.pop(who, None)
            ended[who] = seen
        if seen.final and open_now:
            beginning = next(iter(open_now.values()))
            what = f"{beginning} has no ending before {seen}"
            violated("pairs", what, record, beginning, due="its ending was due before the run's", also=[seen])


def closed(record: Record, *, code: int | None = None) -> None:
    """Every run of the story has ended, once, and nothing of it came after; with `code`, the connection was closed with it.

    Raises:
        ContractViolation: at the second ending, at what follows the ending, or at the last event of a run that has none.
    """
    if code is not None:
        _closed_with(record, code)
    something("closed", record)
    for strand in strands(record):
        _one_ending(record, strand)


def _closed_with(record: Record, code: int) -> None:
    closing = record.closing
    if closing is None:
        violated("closed", f"the connection is open; a close with {code} was due", record)
    if closing.code != code:
        told = "without a code" if closing.code is None else f"with {closing.code}"
        violated("closed", f"the connection was closed {told}, not with {code}", record)


def _one_ending(record: Record, strand: Strand) -> None:
    ending: Seen | None = None
    children = {seen.agent for seen in strand.events if seen.parent is not None}
    for seen in strand.events:
        if ending is not None:
            what = "is a second ending" if seen.final or seen.kind in ENDINGS else "comes after the ending"
            violated("closed", f"{seen} {what} of its run", record, seen, also=[ending])
        of_root = seen.parent is None and seen.agent not in children and record.mapping.offers("parent")
        if of_root and seen.kind in ENDINGS and not seen.final:
            violated("closed", f"{seen} ends the root and is not marked final", record, seen)
        if seen.final and seen.kind and seen.kind not in ENDINGS:
            violated("closed", f"{seen} is marked final and is no ending", record, seen)
        ending = seen if seen.final else None
    if ending is None and not strand.torn and not strand.forgotten:
        last = strand.events[-1]
        violated(
            "closed", f"run {strand.run} has no ending; its last event is {last}", record, last, due="an ending was due"
        )
