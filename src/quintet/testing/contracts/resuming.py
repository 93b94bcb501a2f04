"""A reading that was cut and went on is the reading that was not cut: `resumes_exactly`."""

from collections.abc import Sequence

from .offered import NotOfferedError
from .record import Record
from .seen import Seen
from .violation import violated

__all__ = ["resumes_exactly"]

__tracebackhide__ = True  # pytest shows the line of the test, not ours


def resumes_exactly(before: Record, after: Record, uncut: Record | None = None) -> None:
    """The events of `before` and then those of `after` are one reading, without hole or double; with `uncut`, a reading of the same that
    was not cut, they are its very bytes.

    What stands for several events is compared by the positions it covers. `uncut` ends where `after` ends.

    Raises:
        NotOfferedError: the mapping tells no `order`, and there is no `uncut`: a hole could not be seen.
        ContractViolation: at the first event that is doubled, missing or different.
    """
    head, tail = ([seen for seen in part if seen.event] for part in (before, after))
    if not head and not tail:
        violated("resumes_exactly", "neither part has an event, so there is nothing to judge", after)
    if before.mapping.offers("order"):
        _joined(before, after, head, tail)
        if uncut is not None:
            _covers(after, [*head, *tail], uncut)
    elif uncut is not None:
        _same(after, head, tail, uncut)
    else:
        raise NotOfferedError("resumes_exactly", before, "order")


def _joined(before: Record, after: Record, head: Sequence[Seen], tail: Sequence[Seen]) -> None:
    both = before.of_frames([*before, *after], f"{before.name} and then {after.name}".strip())
    last: Seen | None = None
    for seen in (*head, *tail):
        if last is not None and seen.begins is not None and last.order is not None:
            if seen.begins <= last.order:
                violated("resumes_exactly", f"{seen} came again, after {last}: a double", both, seen, also=[last])
            if seen.begins > last.order + 1:
                gone = f"{last.order + 1}..{seen.begins - 1}"
                violated(
                    "resumes_exactly", f"{gone} missing between {last} and {seen}: a hole", both, seen, also=[last]
                )
        last = seen if seen.order is not None else last


def _covers(after: Record, joined: Sequence[Seen], uncut: Record) -> None:
    events = [seen for seen in uncut if seen.event]
    whole = {seen.order: seen for seen in events}
    for seen in joined:
        same = whole.get(seen.order)
        ranged = seen.first is not None or (same is not None and same.first is not None)
        if same is None:
            covered = any(e.first is not None and e.first <= (seen.order or 0) <= (e.order or 0) for e in events)
            if not covered:
                violated("resumes_exactly", f"{seen} is not in the reading that was not cut", after, seen)
        elif not ranged and same.raw != seen.raw:
            violated("resumes_exactly", f"{seen} has other bytes than in the reading that was not cut", after, seen)
    last = joined[-1]
    for seen in events:
        if seen.order is not None and last.order is not None and seen.order > last.order:
            violated("resumes_exactly", f"{seen} never came: the reading ended with {last}", uncut, seen)
        if seen.order is not None and joined[0].begins is not None and seen.order < joined[0].begins:
            violated("resumes_exactly", f"{seen} never came: the reading began with {joined[0]}", uncut, seen)


def _same(after: Record, head: Sequence[Seen], tail: Sequence[Seen], uncut: Record) -> None:
    joined, events = [*head, *tail], [seen for seen in uncut if seen.event]
    for place, (seen, due) in enumerate(zip(joined, events, strict=False)):
        if seen.raw == due.raw:
            continue
        rest = [event.raw for event in events[place:]]
        if place and seen.raw in {event.raw for event in events[:place]}:
            violated("resumes_exactly", f"{seen} came again: a double", after, seen)
        if seen.raw in rest:
            violated("resumes_exactly", f"{due} missing before {seen}: a hole", after, seen, due=f"{due.type} was due")
        violated("resumes_exactly", f"{seen} came where the reading that was not cut has {due}", after, seen)
    if len(joined) < len(events):
        missing = events[len(joined)]
        violated("resumes_exactly", f"{missing} never came: a hole at the end", uncut, missing)
    if len(joined) > len(events):
        violated("resumes_exactly", f"{joined[len(events)]} came after the end", after, joined[len(events)])
