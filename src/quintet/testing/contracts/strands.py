"""A story, taken apart into the runs it shows, with what each run can be held to.

1. A client's rule holds: where a feed began again from an older position, what was received before is not counted twice. Within
   one feed nothing is dropped, so that a double stays visible.
2. A run whose beginning lies before the record is not held to have one; a run over which the feed jumped (a resync, or a feed begun
   again at a later position) is *torn*: what it lacks may lie in the jump.
3. A run without an ending is open, unless its thread was forgotten.
4. Where frames name no run, an ending divides one run from the next.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from .record import Record
from .seen import Seen

__all__ = ["Strand", "feeds", "strands"]


@dataclass
class Strand:
    """The events of one run, each once."""

    run: str
    events: list[Seen] = field(default_factory=list)
    begun: bool = True  # its first event is here, or ought to be
    jumps: set[int] = field(
        default_factory=set
    )  # places in `events` before which something may legitimately be missing
    forgotten: bool = False

    @property
    def torn(self) -> bool:
        """Whether the feed jumped over a part of it."""
        return bool(self.jumps)

    @property
    def complete(self) -> bool:
        """Nothing of it can be missing by right before its last event."""
        return self.begun and not self.torn

    @property
    def ending(self) -> Seen | None:
        """What ended it."""
        return next((seen for seen in self.events if seen.final), None)


@dataclass
class Feed:
    """The events between two beginnings of a feed. `after`: the position it begins after, where that is known."""

    after: int | None
    events: list[Seen] = field(default_factory=list)
    resync: Seen | None = None  # it began, or rather did not, with this


def feeds(record: Record) -> list[Feed]:
    """The feeds of a record, also the empty ones; those of a part hold its events alone."""
    found = [Feed(None)]
    for seen in record.origin:
        if seen.kind == "following":
            found.append(Feed(seen.position))
        elif seen.kind == "resync":
            found.append(Feed(None, resync=seen))
        elif seen.event:
            feed = found[-1]
            if feed.after is None and not feed.events and seen.begins is not None:
                feed.after = seen.begins - 1
            feed.events.append(seen)
    if record.origin is not record:
        wanted = {id(seen) for seen in record}
        for feed in found:
            feed.events = [seen for seen in feed.events if id(seen) in wanted]
    return found


def _applied(record: Record) -> Iterator[tuple[Seen, bool, int | None]]:
    """Every event a client applies, whether the feed jumped before it, and the position after which its feed began.

    Positions are of one user's log: after a resync it may be another log (an epoch), whose positions begin anew.
    """
    last: dict[str | None, int] = {}
    for feed in feeds(record.origin):
        held = dict(last)  # what was received before this feed began
        newest = max(held.values(), default=None)
        jumped = feed.resync is not None or (newest is not None and feed.after is not None and feed.after > newest)
        for seen in feed.events:
            if seen.order is not None:
                if seen.order <= held.get(seen.user, -1):
                    continue
                last[seen.user] = max(last.get(seen.user, -1), seen.order)
            yield seen, jumped, feed.after
            jumped = False


def strands(record: Record) -> list[Strand]:
    """The runs of a record, by their first event. A part of a record is judged by what its whole record shows."""
    wanted = {id(seen) for seen in record}
    found: dict[tuple[str | None, str], Strand] = {}
    living: list[Strand] = []
    named, count = record.mapping.offers("run"), 0
    for seen, jumped, after in _applied(record):
        if jumped:
            for strand in found.values():
                if strand.ending is None:
                    strand.jumps.add(len(strand.events))
        _forget(seen, found)
        run = seen.run if named else str(count)
        count += seen.final and not named
        if run is None:
            continue
        key = (seen.user, run)
        strand = found.get(key) or Strand(run, begun=_begins_here(record, seen, after))
        if key not in found:
            found[key] = strand
            living.append(strand)
        strand.events.append(seen)
    return [strand for strand in living if any(id(seen) in wanted for seen in strand.events)]


def _begins_here(record: Record, seen: Seen, after: int | None) -> bool:
    """Whether the run of its first received event ought to begin with it."""
    if seen.run_order == 1:
        return True
    if seen.order is None or after is None:
        return not record.partial
    if seen.run_order is None:
        return after == 0 or seen.kind in {"message_accepted", "agent_started"}
    # Its earlier events have as many positions, all of them at or before the one after which the feed began.
    return after < seen.run_order - 1


def _forget(seen: Seen, found: dict[tuple[str | None, str], Strand]) -> None:
    if seen.kind == "forgotten" and seen.thread is not None:
        for strand in found.values():
            if strand.events[0].thread == seen.thread:
                strand.forgotten = True
