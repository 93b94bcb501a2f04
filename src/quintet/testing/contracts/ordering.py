"""The order of events: `sequence`, `no_gap`, `once`.

1. Positions of a log rise by one from event to event of a feed; an event that stands for `first..order` covers them all.
2. A feed that begins again may repeat what was received, byte for byte; one feed never does.
3. After a resync nothing comes until the feed begins again.
"""

from collections.abc import Sequence
from typing import NoReturn

from .offered import NotOfferedError, something
from .record import Record
from .seen import ENDINGS, Seen
from .strands import Feed, Strand, feeds, strands
from .violation import violated

__all__ = ["no_gap", "once", "sequence"]

__tracebackhide__ = True  # pytest shows the line of the test, not ours


def sequence(record: Record, *types: str) -> None:
    """The events come in an order that can be.

    With `types`, each run shows them in this order, whatever lies between (a run that is not whole in this record must only not
    contradict it). Without, what holds of every run is checked: positions never fall; a run is of one thread and one trace; it
    begins with its acceptance or its root's start; a child lives inside its parent; nothing of an invocation comes before its
    start or after its ending; steps count from 1; progress never falls.

    Raises:
        ContractViolation: at the first event that is out of order.
    """
    something("sequence", record)
    if types:
        for strand in strands(record) or [Strand("", [seen for seen in record if seen.event])]:
            _in_order(record, strand, types)
        return
    for feed in feeds(record):
        _rising(record, feed.events, "order")
    for strand in strands(record):
        _rising(record, strand.events, "run_order")
        _constant(record, strand)
        _first(record, strand)
        if record.mapping.words("agent_started"):
            _Nesting(record, strand).check()
        _thinking(record, strand)


def _in_order(record: Record, strand: Strand, types: Sequence[str]) -> None:
    due = list(types)
    last: Seen | None = None
    for seen in strand.events:
        if due and seen.named(due[0]):
            last = seen
            del due[0]
    if not due or not strand.complete:
        return
    early = next((seen for seen in strand.events if seen.named(due[0])), None)
    which = f" in run {strand.run}" if strand.run else ""
    after = "" if last is None else f" after {last}"
    what = f"{due[0]} never came{which}{after}" if early is None else f"{early} came too early{which}, not{after}"
    order = ", ".join(types)
    violated("sequence", what, record, early or last, due=f"due in this order: {order}", also=[last] if last else [])


def _rising(record: Record, events: Sequence[Seen], name: str) -> None:
    last: Seen | None = None
    for seen in events:
        place = getattr(seen, name)
        if place is None:
            continue
        if last is not None and place < getattr(last, name):
            violated("sequence", f"{seen} comes after {last}: its {name} {place} is lower", record, seen, also=[last])
        last = seen


def _constant(record: Record, strand: Strand) -> None:
    for name in ("thread", "trace"):
        named = [seen for seen in strand.events if getattr(seen, name) is not None]
        other = next((seen for seen in named if getattr(seen, name) != getattr(named[0], name)), None)
        if other is not None:
            what = f"{other} is of {name} {getattr(other, name)}, its run of {getattr(named[0], name)}"
            violated("sequence", what, record, other, also=[named[0]])


def _first(record: Record, strand: Strand) -> None:
    """A run begins with its acceptance, then its root starts; one that ended while it waited has its ending instead.

    Types that the contract has no word for may come before: they are the backend's own business.
    """
    starts = [kind for kind in ("message_accepted", "agent_started") if record.mapping.words(kind)]
    known = [seen for seen in strand.events if seen.kind]
    if not strand.begun or not starts or not known:
        return
    first = known[0]
    if first.kind != starts[0]:
        due = f"{starts[0]} was due before this"
        violated("sequence", f"run {strand.run} begins with {first}", record, first, due=due)
    second = known[1] if len(known) > 1 and not strand.torn else None
    if second is not None and len(starts) == 2 and not second.final and second.kind != "agent_started":
        violated("sequence", f"{second} follows {first}", record, second, due="agent_started was due before this")
    for seen in known[1:]:
        if seen.kind == "message_accepted":
            violated("sequence", f"{seen} comes in the middle of its run", record, seen, also=[first])


class _Nesting:
    """The invocations of one run: which are open, in which."""

    def __init__(self, record: Record, strand: Strand) -> None:
        self.record, self.strand = record, strand
        self.open: dict[str, str | None] = {}
        self.gone: set[str] = set()
        self.rooted = False
        # Whether the backend names the parent on every event of a child, or where it starts alone.
        self.marked = any(seen.parent is not None and seen.kind != "agent_started" for seen in strand.events)

    def check(self) -> None:
        """Every event lies within its invocation, and every child within its parent."""
        for place, seen in enumerate(self.strand.events):
            if place in self.strand.jumps:
                self.open.clear()
            if seen.agent is not None:
                self._step(seen, seen.agent)

    def _step(self, seen: Seen, who: str) -> None:
        if who in self.gone:
            self._refuse(seen, f"{seen} comes after the ending of its agent {who}")
        if seen.kind == "agent_started":
            self._start(seen, who)
        elif who not in self.open and not (seen.final and not self.rooted):
            if not seen.kind:
                return
            if self.strand.complete:
                self._refuse(seen, f"{seen} comes before agent_started of its agent {who}")
            self.open[who] = seen.parent
        if who in self.open and seen.parent != self.open[who] and (self.marked or seen.parent is not None):
            self._refuse(
                seen, f"{seen} names {seen.parent} as the parent of agent {who}, which started in {self.open[who]}"
            )
        if seen.kind in ENDINGS:
            children = [child for child, parent in self.open.items() if parent == who]
            if children:
                self._refuse(seen, f"{seen} ends agent {who} before {children[0]}, which it called, has ended")
            self.open.pop(who, None)
            self.gone.add(who)

    def _start(self, seen: Seen, who: str) -> None:
        if who in self.open:
            self._refuse(seen, f"{seen} starts agent {who} a second time")
        if seen.parent is None:
            if self.rooted and self.record.mapping.offers("parent"):
                self._refuse(seen, f"{seen} starts a second root of its run")
            self.rooted = True
        elif seen.parent not in self.open and self.strand.complete:
            self._refuse(seen, f"{seen} starts outside of its parent {seen.parent}")
        self.open[who] = seen.parent

    def _refuse(self, seen: Seen, what: str) -> None:
        same = [other for other in self.strand.events if other.agent == seen.agent and other.kind == "agent_started"]
        violated("sequence", what, self.record, seen, also=same)


def _thinking(record: Record, strand: Strand) -> None:
    steps: dict[str | None, int] = {}
    progress: dict[str | None, float] = {}
    for place, seen in enumerate(strand.events):
        if place in strand.jumps:
            steps.clear()
        if seen.kind != "agent_thinking":
            continue
        if seen.step is not None:
            before = steps.get(seen.agent, 0 if strand.complete else seen.step - 1)
            if seen.step != before + 1:
                violated("sequence", f"{seen} is step {seen.step} of its agent, after step {before}", record, seen)
            steps[seen.agent] = seen.step
        if seen.progress is not None:
            least = progress.get(seen.agent, 0.0)
            if not least <= seen.progress <= 1.0:
                violated("sequence", f"{seen} has progress {seen.progress} after {least}", record, seen)
            progress[seen.agent] = seen.progress


def no_gap(record: Record) -> None:
    """No position is missing: in the log from event to event of a feed, and in every run.

    A part of a record (a run, a user) is judged by its runs' positions alone.

    Raises:
        NotOfferedError: the mapping tells neither `order` nor `run_order`.
        ContractViolation: at the event before which something is missing.
    """
    something("no_gap", record, "order", "run_order")
    if record.origin is record:
        for feed in feeds(record):
            _without_hole(record, feed)
    for strand in strands(record):
        _run_without_hole(record, strand)


def _without_hole(record: Record, feed: Feed) -> None:
    if feed.resync is not None and feed.events and record.mapping.words("following"):
        what = f"{feed.events[0]} comes after a resync, before the feed began again"
        violated("no_gap", what, record, feed.events[0], also=[feed.resync])
    last = feed.after
    before: Seen | None = None
    for seen in feed.events:
        begins, order = seen.begins, seen.order
        if begins is None or order is None:
            continue
        if begins > order:
            violated("no_gap", f"{seen} stands for {begins}..{order}, which is no range", record, seen)
        if last is not None and begins > last + 1:
            _hole(record, last, seen, before)
        last = order if last is None else max(last, order)
        before = seen


def _hole(record: Record, last: int, seen: Seen, before: Seen | None) -> NoReturn:
    """Positions are missing; one that came later was reordered, not lost."""
    begins = seen.begins or 0
    gone = f"position {last + 1}" if begins == last + 2 else f"positions {last + 1}..{begins - 1}"
    later = next((other for other in record if other.event and other.order == last + 1), None)
    what = f"{gone} missing before {seen}" + (f", after {before}" if before else "")
    what += f"; it came later, as {later}" if later else ""
    violated("no_gap", what, record, seen, due=f"{gone} was due before this", also=[e for e in (before, later) if e])


def _run_without_hole(record: Record, strand: Strand) -> None:
    last = 0 if strand.begun else None
    before: Seen | None = None
    for at, seen in enumerate(strand.events):
        place = seen.run_order
        if place is None:
            continue
        covered = 1 if seen.order is None or seen.begins is None else seen.order - seen.begins + 1
        if last is not None and place - covered > last and at not in strand.jumps:
            gone = f"position {last + 1}" if place == last + 2 else f"positions {last + 1}..{place - 1}"
            what = f"{gone} of run {strand.run} missing before {seen}"
            violated("no_gap", what, record, seen, also=[before] if before else [])
        last = place if last is None else max(last, place)
        before = seen


def once(record: Record) -> None:
    """Every event comes once: no position, id or place in a run twice in one feed; a feed begun again repeats the same bytes.

    Raises:
        NotOfferedError: the mapping tells none of `order`, `id`, `run_order`.
        ContractViolation: at the second of the two.
    """
    if not any(record.mapping.offers(name) for name in ("order", "id", "run_order")):
        raise NotOfferedError("once", record, "order", "id", "run_order")
    something("once", record)
    earlier: dict[object, Seen] = {}
    for feed in feeds(record):
        here: dict[object, Seen] = {}
        for seen in feed.events:
            for key in _identities(seen):
                if key in here:
                    violated("once", f"{seen} came twice", record, seen, also=[here[key]])
                here[key] = seen
                _the_same(record, seen, earlier.get(key))
        earlier |= here


def _identities(seen: Seen) -> list[object]:
    place = None if seen.run is None or seen.run_order is None else (seen.run, seen.run_order)
    named = [("order", seen.order), ("id", seen.id), ("run", place)]
    return [(name, seen.user, value) for name, value in named if value is not None]


def _the_same(record: Record, seen: Seen, before: Seen | None) -> None:
    """What a later feed repeats; an event that now stands for others, or for what was forgotten, may replace it."""
    if before is None or seen.first is not None or before.first is not None or "forgotten" in {seen.kind, before.kind}:
        return
    if seen.raw != before.raw:
        violated("once", f"{seen} came again with other bytes than before", record, seen, also=[before])
